//! Changes of a booking: another price or another time, once both agree.

mod ending;
mod following;
mod hearing;
mod races;
mod refusing;

use gigwire::platform::db::q;
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    a_higher_price_is_paid_in_with_its_fee,
    a_lower_price_comes_back_with_its_fee,
    another_time_alone_moves_nothing,
    fees_follow_the_rates_of_the_offer,
    whoever_cannot_pay_is_refused_and_may_top_up,
    a_repetition_changes_nothing,
    the_history_is_kept_and_shown_to_the_two,
    a_list_costs_no_statement_for_each_row,
}

/// Ada books Bob for 100 dollars, and has so many.
struct Deal {
    ada: TestUser,
    bob: TestUser,
    booking: String,
}

impl Deal {
    async fn new(app: &TestApp, money: &str) -> Self {
        let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, money).await;
        let booking = app.book(&ada, &bob).await;
        Deal { ada, bob, booking }
    }

    /// The contractor's proposal of another price.
    async fn proposed(&self, app: &TestApp, amount: &str) -> String {
        id_of(&app.propose(&self.bob, &self.booking, amount).await.ok(), "change")
    }

    /// The contractor proposes another price, and the customer agrees.
    async fn changed(&self, app: &TestApp, amount: &str) -> Value {
        let change = self.proposed(app, amount).await;
        app.settle(&self.ada, "bookingChangeAccept", &change).await.ok()
    }

    async fn work(&self, app: &TestApp, steps: &[&str]) {
        for step in steps {
            app.step(&self.bob, step, &self.booking).await.ok();
        }
    }

    /// The two, with fresh tokens.
    async fn again(&mut self, app: &TestApp) {
        for user in [&mut self.ada, &mut self.bob] {
            *user = app.sign_in(&user.email, PASSWORD).await;
        }
    }

    /// The status of a change, as the contractor sees it.
    async fn status(&self, app: &TestApp, change: &str) -> String {
        let text = "query ($id: ID!) { node(id: $id) { ... on BookingChange { status } } }";
        let found = app.gql(&self.bob, text, json!({ "id": change })).await;
        found["data"]["node"]["status"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
    }
}

async fn fees(app: &TestApp) -> i64 {
    app.count("select credits_posted - debits_posted as n from purses where class = 'FEES'").await
}

async fn a_higher_price_is_paid_in_with_its_fee(app: &TestApp) {
    let deal = Deal::new(app, "200.00").await;
    let made = app.propose(&deal.bob, &deal.booking, "120.50").await.ok();
    let (change, booking) = (&made["change"], &made["booking"]);
    assert_eq!((&change["status"], &change["madeBy"]), (&json!("PENDING"), &json!("CONTRACTOR")));
    assert_eq!(
        (&change["amount"]["amount"], &change["previousAmount"]["amount"]),
        (&json!("120.50"), &json!("100.00"))
    );
    assert_eq!((&booking["amount"]["amount"], &booking["pendingChange"]["id"]), (&json!("100.00"), &change["id"]));
    assert_eq!(app.money(&deal.ada).await, ["95.00", "0.00", "100.00"], "nothing moves before the other agrees");
    let id = id_of(&made, "change");
    let agreed = app.settle(&deal.ada, "bookingChangeAccept", &id).await.ok();
    assert_eq!((&agreed["change"]["status"], &agreed["change"]["version"]), (&json!("ACCEPTED"), &json!(2)));
    let booking = &agreed["booking"];
    assert_eq!((&booking["amount"]["amount"], &booking["escrow"]["amount"]), (&json!("120.50"), &json!("120.50")));
    let quote = json!({ "platformFee": { "amount": "6.03" }, "serviceFee": { "amount": "24.10" },
        "contractorNet": { "amount": "96.40" } });
    assert_eq!((&booking["quote"], &booking["pendingChange"]), (&quote, &Value::Null));
    assert_eq!((&booking["status"], &booking["version"]), (&json!("CONFIRMED"), &json!(2)));
    assert_eq!(app.money(&deal.ada).await, ["73.47", "0.00", "120.50"]);
    assert_eq!(fees(app).await, 603);
    assert_eq!(app.count("select count(*) as n from audit where action = 'change.accept'").await, 1);
    app.assert_books().await;
    // The offer keeps what was agreed first.
    let text = "query ($id: ID!) { booking(id: $id) { job { offers { nodes { amount { amount } } } } } }";
    let found = app.gql(&deal.ada, text, json!({ "id": deal.booking })).await;
    assert_eq!(found["data"]["booking"]["job"]["offers"]["nodes"][0]["amount"]["amount"], "100.00");
}

async fn a_lower_price_comes_back_with_its_fee(app: &TestApp) {
    let deal = Deal::new(app, "105.00").await;
    deal.work(app, &["bookingStart"]).await;
    // The customer asks for less, and the contractor agrees, though work has begun.
    let id = id_of(&app.propose(&deal.ada, &deal.booking, "33.33").await.ok(), "change");
    let agreed = app.settle(&deal.bob, "bookingChangeAccept", &id).await.ok();
    assert_eq!((&agreed["booking"]["status"], &agreed["booking"]["version"]), (&json!("IN_PROGRESS"), &json!(3)));
    assert_eq!(app.money(&deal.ada).await, ["70.00", "0.00", "33.33"], "66.67 of the price and 3.33 of the fee");
    assert_eq!(fees(app).await, 167);
    app.assert_books().await;
    // One cent that changes no fee, and the least there is.
    for (amount, left, fee) in [("33.34", "69.99", 167), ("0.01", "104.99", 0), ("0.10", "104.89", 1)] {
        deal.changed(app, amount).await;
        assert_eq!((app.money(&deal.ada).await[0].as_str(), fees(app).await), (left, fee), "{amount}");
        app.assert_books().await;
    }
}

async fn another_time_alone_moves_nothing(app: &TestApp) {
    let deal = Deal::new(app, "105.00").await;
    let day = gigwire::kernel::clock::DAY;
    let (first, later) = (app.period(day, 2 * day), app.period(3 * day, 4 * day));
    let mut before = Value::Null;
    for period in [&first, &later] {
        let input =
            json!({ "bookingId": deal.booking, "period": period, "note": "I am ill.", "idempotencyKey": key() });
        let made = app.act(&deal.bob, "bookingChangePropose", input).await.ok();
        let change = &made["change"];
        assert_eq!((&change["period"], &change["previousPeriod"]), (period, &before));
        assert_eq!((&change["note"], &change["amount"]["amount"]), (&json!("I am ill."), &json!("100.00")));
        let transfers = app.count("select count(*) as n from transfers").await;
        let agreed = app.settle(&deal.ada, "bookingChangeAccept", &id_of(&made, "change")).await.ok();
        assert_eq!(&agreed["booking"]["period"], period);
        assert_eq!(app.count("select count(*) as n from transfers").await, transfers);
        before = period.clone();
    }
    // Both at once, and the price keeps the time.
    let input = json!({ "bookingId": deal.booking, "amount": usd("50.00"), "period": first, "idempotencyKey": key() });
    let id = id_of(&app.act(&deal.bob, "bookingChangePropose", input).await.ok(), "change");
    app.settle(&deal.ada, "bookingChangeAccept", &id).await.ok();
    let agreed = deal.changed(app, "60.00").await;
    assert_eq!((&agreed["booking"]["period"], &agreed["booking"]["amount"]["amount"]), (&first, &json!("60.00")));
    assert_eq!(app.money(&deal.ada).await, ["42.00", "0.00", "60.00"]);
    app.assert_books().await;
}

async fn fees_follow_the_rates_of_the_offer(app: &TestApp) {
    let deal = Deal::new(app, "300.00").await;
    // As if the offer had been made under other settings.
    let mut tx = app.server.platform.db.begin().await.unwrap();
    q("update offers set platform_bps = 1000, service_bps = 2500").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let made = app.propose(&deal.bob, &deal.booking, "200.00").await.ok();
    assert_eq!(made["change"]["quote"]["platformFee"]["amount"], "20.00");
    let agreed = app.settle(&deal.ada, "bookingChangeAccept", &id_of(&made, "change")).await.ok();
    assert_eq!(agreed["booking"]["quote"]["serviceFee"]["amount"], "50.00");
    assert_eq!(app.money(&deal.ada).await, ["80.00", "0.00", "200.00"]);
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    assert_eq!(app.money(&deal.bob).await[0], "150.00");
    assert_eq!(fees(app).await, 7_000);
    app.assert_books().await;
}

async fn whoever_cannot_pay_is_refused_and_may_top_up(app: &TestApp) {
    let deal = Deal::new(app, "125.99").await;
    let change = deal.proposed(app, "120.00").await;
    let input = json!({ "changeId": change, "idempotencyKey": key() });
    let before = app.traces().await;
    let refused = app.act(&deal.ada, "bookingChangeAccept", input.clone()).await;
    assert!(refused.refused("INSUFFICIENT_FUNDS")["change"].is_null());
    assert_eq!(app.traces().await, before, "nothing is stored");
    assert_eq!(deal.status(app, &change).await, "PENDING");
    app.deposit(&deal.ada, "0.01").await;
    app.act(&deal.ada, "bookingChangeAccept", input).await.ok();
    assert_eq!(app.money(&deal.ada).await, ["0.00", "0.00", "120.00"]);
    // The contractor hears it as well, when it agrees to what the customer cannot pay.
    let more = id_of(&app.propose(&deal.ada, &deal.booking, "120.01").await.ok(), "change");
    app.settle(&deal.bob, "bookingChangeAccept", &more).await.refused("INSUFFICIENT_FUNDS");
    app.assert_books().await;
}

async fn a_repetition_changes_nothing(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    let propose = json!({ "bookingId": deal.booking, "amount": usd("120.00"), "idempotencyKey": key() });
    let change = id_of(&app.act(&deal.bob, "bookingChangePropose", propose.clone()).await.ok(), "change");
    let accept = json!({ "changeId": change, "idempotencyKey": key() });
    app.act(&deal.ada, "bookingChangeAccept", accept.clone()).await.ok();
    let traces = app.traces().await;
    for (who, mutation, input) in
        [(&deal.bob, "bookingChangePropose", &propose), (&deal.ada, "bookingChangeAccept", &accept)]
    {
        let again = app.act(who, mutation, input.clone()).await;
        assert!(again.replayed, "{again:?}");
        assert_eq!(again.ok()["change"]["id"], json!(change));
    }
    let mut other = propose.clone();
    other["amount"] = usd("121.00");
    app.act(&deal.bob, "bookingChangePropose", other).await.refused("IDEMPOTENCY_MISMATCH");
    let mut other = accept.clone();
    other["changeId"] = json!("change_00000000000000000000000001");
    app.act(&deal.ada, "bookingChangeAccept", other).await.refused("IDEMPOTENCY_MISMATCH");
    assert_eq!(app.traces().await, traces);
    for mutation in ["bookingChangeDecline", "bookingChangeWithdraw"] {
        let change = deal.proposed(app, "130.00").await;
        let who = if mutation == "bookingChangeDecline" { &deal.ada } else { &deal.bob };
        let keyed = json!({ "changeId": change, "idempotencyKey": key() });
        app.act(who, mutation, keyed.clone()).await.ok();
        assert!(app.act(who, mutation, keyed).await.replayed);
        let plain = app.act(who, mutation, json!({ "changeId": change })).await;
        assert_eq!(plain.refused("CONFLICT")["booking"]["amount"]["amount"], "120.00");
    }
    app.assert_books().await;
}

async fn the_history_is_kept_and_shown_to_the_two(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    for amount in ["110.00", "120.00", "130.00"] {
        deal.changed(app, amount).await;
    }
    let open = deal.proposed(app, "140.00").await;
    let text = "query ($id: ID!, $after: String) { booking(id: $id) { pendingChange { id }
        changes(first: 3, after: $after) { totalCount pageInfo { hasNextPage endCursor }
            nodes { id status amount { amount } previousAmount { amount } booking { id } } } } }";
    let admin = app.admin().await;
    for who in [&deal.ada, &deal.bob, &admin] {
        let found = app.gql(who, text, json!({ "id": deal.booking })).await;
        let changes = &found["data"]["booking"]["changes"];
        assert_eq!((&changes["totalCount"], &changes["nodes"][0]["id"]), (&json!(4), &json!(open)), "{found:#}");
        let rest = json!({ "id": deal.booking, "after": changes["pageInfo"]["endCursor"] });
        let rest = app.gql(who, text, rest).await;
        let oldest = &rest["data"]["booking"]["changes"]["nodes"];
        assert_eq!(oldest.as_array().unwrap().len(), 1);
        assert_eq!((&oldest[0]["amount"]["amount"], &oldest[0]["status"]), (&json!("110.00"), &json!("ACCEPTED")));
        assert_eq!(oldest[0]["previousAmount"]["amount"], "100.00");
        assert_eq!(rest["data"]["booking"]["pendingChange"]["id"], json!(open));
    }
    let eve = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    assert!(app.gql(&eve, node, json!({ "id": open })).await["data"]["node"].is_null());
}

async fn a_list_costs_no_statement_for_each_row(app: &TestApp) {
    let deal = Deal::new(app, "1000.00").await;
    let text = "{ viewer { bookings { nodes { pendingChange { id } changes(first: 2) { totalCount nodes { amount { amount } } } } } } }";
    let mut spent = std::collections::BTreeSet::new();
    for rows in [1, 4] {
        for booking in 1..rows {
            let booked = app.book(&deal.ada, &deal.bob).await;
            app.propose(&deal.ada, &booked, &format!("{}.00", 50 + booking)).await.ok();
        }
        deal.proposed(app, &format!("{}.00", 110 + rows)).await;
        let before = app.round_trips();
        let found = app.gql(&deal.bob, text, json!({})).await;
        let nodes = found["data"]["viewer"]["bookings"]["nodes"].as_array().unwrap_or_else(|| panic!("{found:#}"));
        assert_eq!(nodes.iter().filter(|node| node["pendingChange"]["id"].is_string()).count(), rows);
        spent.insert(app.round_trips() - before);
    }
    assert_eq!(spent.len(), 1, "round trips: {spent:?}");
}
