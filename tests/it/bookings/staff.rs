//! Staff who move a booking on for one of its parties: with a reason, by name, and money only by administrators.

use gigwire::platform::db::q;
use serde_json::json;

use super::Deal;
use crate::support::app::{PASSWORD, TestApp, on_both_engines};
use crate::support::market::key;

on_both_engines! {
    staff_move_a_booking_on_with_a_reason,
    moderators_move_no_money,
    an_administrator_cancels_what_has_begun,
    former_staff_see_nothing_with_an_old_key,
}

async fn staff_move_a_booking_on_with_a_reason(app: &TestApp) {
    let deal = Deal::new(app).await;
    let (admin, moderator) = (app.admin().await, app.moderator().await);
    for (step, who) in [("bookingStart", &moderator), ("bookingDeliver", &moderator), ("bookingComplete", &admin)] {
        let mut input = json!({ "bookingId": deal.booking });
        if step == "bookingComplete" {
            input["idempotencyKey"] = json!(key());
        }
        app.act(who, step, input.clone()).await.refused_at("INVALID", &["reason"]);
        input["reason"] = json!(" ");
        app.act(who, step, input).await.refused_at("INVALID", &["reason"]);
        app.step(who, step, &deal.booking).await.ok();
        app.step(who, step, &deal.booking).await.refused("CONFLICT");
    }
    assert_eq!(app.money(&deal.bob).await, ["80.00", "0.00", "0.00"]);
    let sql = "select action || ' ' || actor_role || ' ' || reason as value from audit
        where action like 'booking.%' order by created_at, action";
    let rows: Vec<String> = q(sql).all(&app.server.platform.db).await.unwrap();
    let mut wanted = ["booking.start MODERATOR", "booking.deliver MODERATOR", "booking.complete ADMIN"]
        .map(|row| format!("{row} Something came up."));
    let mut rows = rows;
    rows.sort();
    wanted.sort();
    assert_eq!(rows, wanted);
    let named =
        "select count(*) as n from events where kind = 'BookingStatusChanged' and actor_role in ('MODERATOR', 'ADMIN')";
    assert_eq!(app.count(named).await, 6, "both hear of three steps by staff");
    app.assert_books().await;
}

async fn moderators_move_no_money(app: &TestApp) {
    let deal = Deal::new(app).await;
    let moderator = app.moderator().await;
    app.step(&moderator, "bookingCancel", &deal.booking).await.refused("FORBIDDEN");
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    app.step(&moderator, "bookingComplete", &deal.booking).await.refused("FORBIDDEN");
    let text = "query ($id: ID!) { booking(id: $id) { status availableTransitions { name } } }";
    let seen = app.gql(&moderator, text, json!({ "id": deal.booking })).await;
    assert_eq!(seen["data"]["booking"], json!({ "status": "DELIVERED", "availableTransitions": [] }));
    let seen = app.gql(&app.admin().await, text, json!({ "id": deal.booking })).await;
    let names = json!([{ "name": "BOOKING_COMPLETE" }, { "name": "BOOKING_CANCEL" }]);
    assert_eq!(seen["data"]["booking"]["availableTransitions"], names);
    assert_eq!(app.money(&deal.ada).await, ["95.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn an_administrator_cancels_what_has_begun(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    let admin = app.admin().await;
    let text = "query ($id: ID!) { transitionPreview(id: $id, name: BOOKING_CANCEL) {
        bookingStatus moneyEffect { customer { amount } platform { amount } } userErrors { code } } }";
    let foreseen = app.gql(&admin, text, json!({ "id": deal.booking })).await;
    let foreseen = &foreseen["data"]["transitionPreview"];
    assert_eq!(foreseen["moneyEffect"]["customer"]["amount"], "105.00", "{foreseen}");
    let gone = app.step(&admin, "bookingCancel", &deal.booking).await.ok();
    assert_eq!(gone["booking"]["status"], "CANCELLED");
    assert_eq!(app.money(&deal.ada).await, ["200.00", "0.00", "0.00"]);
    assert_eq!(app.money(&deal.bob).await, ["0.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn former_staff_see_nothing_with_an_old_key(app: &TestApp) {
    let deal = Deal::new(app).await;
    let max = app.admin().await;
    let input = json!({ "bookingId": deal.booking, "reason": "Both asked for it.", "idempotencyKey": key() });
    app.act(&max, "bookingCancel", input.clone()).await.ok();
    assert!(app.act(&max, "bookingCancel", input.clone()).await.replayed);
    let roles = json!({ "userId": max.id, "roles": ["CUSTOMER"], "reason": "He left." });
    app.act(&app.admin().await, "userRolesSet", roles).await.ok();
    let max = app.sign_in(&max.email, PASSWORD).await;
    let refused = app.act(&max, "bookingCancel", input).await;
    assert_eq!(refused.refused("NOT_FOUND")["booking"], json!(null));
}
