//! People whom staff keep out, or whose role was taken: nobody makes a deal with them.

use serde_json::json;

use super::people;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    nobody_deals_with_a_blocked_contractor,
    nobody_deals_with_a_blocked_customer,
    who_lost_its_role_makes_no_deals,
}

async fn block(app: &TestApp, who: &TestUser) {
    let input = json!({ "userId": who.id, "reason": "Fraud." });
    app.act(&app.admin().await, "userBlock", input).await.ok();
}

async fn nobody_deals_with_a_blocked_contractor(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let bid = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    block(app, &bob).await;
    app.answer(&ada, "offerAccept", &bid).await.refused("CONFLICT");
    app.counter(&ada, &bid, "90.00").await.refused("CONFLICT");
    let other = app.post_job(&ada).await;
    app.offer_to(&ada, &other, &bob, "100.00").await.refused_at("NOT_FOUND", &["contractorId"]);
    assert_eq!(app.money(&ada).await, ["500.00", "0.00", "0.00"]);
    assert_eq!(app.offer_status(&ada, &bid).await, "PENDING");
    let free = json!({ "userId": bob.id, "reason": "It was somebody else." });
    app.act(&app.admin().await, "userUnblock", free).await.ok();
    app.answer(&ada, "offerAccept", &bid).await.ok();
    app.assert_books().await;
}

async fn nobody_deals_with_a_blocked_customer(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    block(app, &ada).await;
    app.answer(&bob, "offerAccept", &offer).await.refused("CONFLICT");
    app.counter(&bob, &offer, "120.00").await.refused("CONFLICT");
    app.answer(&bob, "offerDecline", &offer).await.ok();
    app.assert_books().await;
}

async fn who_lost_its_role_makes_no_deals(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let (job, other) = (app.post_job(&ada).await, app.post_job(&ada).await);
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let bid = id_of(&app.offer(&bob, &other, "100.00").await.ok(), "offer");
    let roles = json!({ "userId": bob.id, "roles": ["CUSTOMER"], "reason": "No licence." });
    app.act(&app.admin().await, "userRolesSet", roles).await.ok();
    let bob = app.sign_in(&bob.email, crate::support::app::PASSWORD).await;
    app.answer(&bob, "offerAccept", &offer).await.refused("FORBIDDEN");
    app.counter(&bob, &offer, "120.00").await.refused("FORBIDDEN");
    app.answer(&ada, "offerAccept", &bid).await.refused("CONFLICT");
    let input = json!({
        "jobId": other, "contractorId": bob.id, "amount": usd("90.00"), "message": "For you.", "idempotencyKey": key()
    });
    app.act(&ada, "offerSend", input).await.refused_at("NOT_FOUND", &["contractorId"]);
    app.assert_books().await;
}
