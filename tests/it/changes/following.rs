//! Everything that reads the price of a booking reads the new one.

use serde_json::{Value, json};

use super::{Deal, fees};
use crate::support::app::{TestApp, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    completion_pays_the_new_price,
    cancellation_gives_back_the_new_price,
    a_dispute_splits_the_new_escrow,
    the_wallet_explains_the_difference,
}

async fn completion_pays_the_new_price(app: &TestApp) {
    for (amount, paid, fee) in [("150.01", "120.01", 3_750), ("0.03", "0.02", 1)] {
        let deal = Deal::new(app, "200.00").await;
        let before = fees(app).await - 500;
        deal.work(app, &["bookingStart"]).await;
        deal.changed(app, amount).await;
        deal.work(app, &["bookingDeliver"]).await;
        app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
        assert_eq!(app.money(&deal.bob).await[0], paid);
        assert_eq!(fees(app).await - before, fee, "{amount}");
        let text = "select cast(sum(gross) as bigint) as n from earnings";
        let gross = app.count(text).await;
        assert!(gross == 15_001 || gross == 15_004, "the earning is that of the new price: {gross}");
        app.assert_books().await;
    }
}

async fn cancellation_gives_back_the_new_price(app: &TestApp) {
    for (by_customer, left, refund) in [(true, "194.00", "120.00"), (false, "200.00", "126.00")] {
        let deal = Deal::new(app, "200.00").await;
        deal.changed(app, "120.00").await;
        let who = if by_customer { &deal.ada } else { &deal.bob };
        let text = "query ($id: ID!) { transitionPreview(id: $id, name: BOOKING_CANCEL) {
            moneyEffect { customer { amount } escrow { amount } } } }";
        let found = app.gql(who, text, json!({ "id": deal.booking })).await;
        let effect = &found["data"]["transitionPreview"]["moneyEffect"];
        assert_eq!((&effect["customer"]["amount"], &effect["escrow"]["amount"]), (&json!(refund), &json!("-120.00")));
        app.step(who, "bookingCancel", &deal.booking).await.ok();
        assert_eq!(app.money(&deal.ada).await, [left, "0.00", "0.00"]);
        app.assert_books().await;
    }
}

async fn a_dispute_splits_the_new_escrow(app: &TestApp) {
    let (deal, admin) = (Deal::new(app, "200.00").await, app.admin().await);
    deal.changed(app, "150.00").await;
    let open = json!({ "bookingId": deal.booking, "reason": "LATE", "evidence": "Look.", "idempotencyKey": key() });
    let made = app.act(&deal.ada, "disputeOpen", open).await.ok();
    assert_eq!(made["dispute"]["booking"]["escrow"]["amount"], "150.00");
    let decide = |parts: [&str; 3]| {
        json!({ "disputeId": made["dispute"]["id"], "toCustomer": usd(parts[0]), "toContractor": usd(parts[1]),
            "toPlatform": usd(parts[2]), "platformFee": "BACK", "reason": "So be it.", "idempotencyKey": key() })
    };
    app.act(&admin, "disputeDecide", decide(["40.00", "50.00", "10.00"])).await.refused("SPLIT_MISMATCH");
    app.act(&admin, "disputeDecide", decide(["60.00", "80.00", "10.00"])).await.ok();
    assert_eq!(app.money(&deal.ada).await, ["110.00", "0.00", "0.00"], "60.00, and all of the 7.50");
    assert_eq!((app.money(&deal.bob).await[0].as_str(), fees(app).await), ("80.00", 1_000));
    app.assert_books().await;
}

async fn the_wallet_explains_the_difference(app: &TestApp) {
    let deal = Deal::new(app, "300.00").await;
    deal.changed(app, "150.00").await;
    deal.changed(app, "80.00").await;
    let text = "{ viewer { wallet(currency: \"USD\") {
        available { amount } escrow { amount }
        explain { movements { kind amount { amount } } escrows { nodes { amount { amount } } } }
        transactions(first: 20) { nodes { kind amount { amount } cause { __typename ... on Booking { id } } } } } } }";
    let found = app.gql(&deal.ada, text, json!({})).await;
    let wallet = &found["data"]["viewer"]["wallet"];
    assert_eq!((&wallet["available"]["amount"], &wallet["escrow"]["amount"]), (&json!("216.00"), &json!("80.00")));
    assert_eq!(wallet["explain"]["escrows"]["nodes"], json!([{ "amount": { "amount": "80.00" } }]), "{found:#}");
    let sum = |rows: &Value, kind: &str| {
        let rows = rows.as_array().unwrap_or_else(|| panic!("{found:#}")).iter().filter(|row| row["kind"] == kind);
        rows.map(|row| row["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum::<i64>()
    };
    let movements = &wallet["explain"]["movements"];
    let wanted = [("ESCROW", -15_000), ("PLATFORM_FEE", -750), ("REFUND", 7_000), ("FEE_REFUND", 350)];
    for (kind, cents) in wanted {
        assert_eq!(sum(movements, kind), cents, "{kind}: {found:#}");
    }
    let of_booking = |row: &&Value| row["cause"]["id"] == json!(deal.booking);
    let caused = wallet["transactions"]["nodes"].as_array().unwrap().iter().filter(of_booking).count();
    assert_eq!(caused, 4, "two each for more and for less: {found:#}");
    // Whoever is paid sees nothing of it before the end.
    assert_eq!(app.money(&deal.bob).await, ["0.00", "0.00", "0.00"]);
    let id = id_of(&app.propose(&deal.ada, &deal.booking, "70.00").await.ok(), "change");
    let effect = "query ($id: ID!) { node(id: $id) { ... on BookingChange { availableTransitions { name deadline
        moneyEffect { customer { amount } escrow { amount } contractor { amount } platform { amount } } } } } }";
    let found = app.gql(&deal.bob, effect, json!({ "id": id })).await;
    let open = &found["data"]["node"]["availableTransitions"];
    let effect = json!({ "customer": { "amount": "10.50" }, "escrow": { "amount": "-10.00" },
        "contractor": { "amount": "0.00" }, "platform": { "amount": "-0.50" } });
    assert_eq!((&open[0]["name"], &open[0]["moneyEffect"]), (&json!("BOOKING_CHANGE_ACCEPT"), &effect), "{found:#}");
    assert!(open[0]["deadline"].is_string());
    assert_eq!((&open[1]["name"], &open[1]["moneyEffect"]), (&json!("BOOKING_CHANGE_DECLINE"), &Value::Null));
    app.assert_books().await;
}
