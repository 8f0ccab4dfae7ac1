//! Answering an offer with another one.

use gigwire::kernel::clock::DAY;
use serde_json::json;

use super::people;
use crate::support::app::{PASSWORD, TestApp, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    a_customers_counter_holds_its_own,
    a_contractors_counter_frees_the_customers_hold,
    a_counter_that_cannot_be_paid_leaves_the_offer,
    what_cannot_be_countered,
    the_rounds_are_counted,
}

async fn a_customers_counter_holds_its_own(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "84.00").await;
    let job = app.post_job(&ada).await;
    let old = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    let input = json!({ "offerId": old, "amount": usd("80.00"), "message": "A bit less?", "idempotencyKey": key() });
    let made = app.act(&ada, "offerCounter", input.clone()).await.ok();
    let answer = id_of(&made, "offer");
    assert_eq!((&made["offer"]["status"], &made["offer"]["madeBy"]), (&json!("PENDING"), &json!("CUSTOMER")));
    let link = json!({ "id": old, "declineReason": "COUNTERED", "counteredBy": { "id": answer } });
    assert_eq!(made["offer"]["counterTo"], link);
    assert_eq!(app.money(&ada).await, ["0.00", "84.00", "0.00"]);
    app.assert_books().await;
    let again = app.act(&ada, "offerCounter", input).await;
    assert!(again.replayed);
    assert_eq!(id_of(&again.ok(), "offer"), answer);
    app.answer(&ada, "offerAccept", &old).await.refused("CONFLICT");
    app.answer(&bob, "offerAccept", &answer).await.ok();
    assert_eq!(app.money(&ada).await, ["0.00", "0.00", "80.00"]);
    let told = "select count(*) as n from events where kind in ('OfferSent', 'OfferStatusChanged')";
    assert_eq!(app.count(told).await, 8, "both hear of two offers and of both ends");
    app.assert_books().await;
}

async fn a_contractors_counter_frees_the_customers_hold(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "126.00").await;
    let job = app.post_job(&ada).await;
    let old = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    assert_eq!(app.money(&ada).await, ["21.00", "105.00", "0.00"]);
    let answer = id_of(&app.counter(&bob, &old, "120.00").await.ok(), "offer");
    assert_eq!(app.money(&ada).await, ["126.00", "0.00", "0.00"]);
    app.assert_books().await;
    app.answer(&bob, "offerAccept", &answer).await.refused("FORBIDDEN");
    app.answer(&ada, "offerAccept", &answer).await.ok();
    assert_eq!(app.money(&ada).await, ["0.00", "0.00", "120.00"]);
    app.assert_books().await;
}

async fn a_counter_that_cannot_be_paid_leaves_the_offer(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "83.99").await;
    let job = app.post_job(&ada).await;
    let old = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    app.counter(&ada, &old, "80.00").await.refused("INSUFFICIENT_FUNDS");
    assert_eq!(app.offer_status(&bob, &old).await, "PENDING");
    assert_eq!(app.money(&ada).await, ["83.99", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from offers").await, 1);
    app.counter(&ada, &old, "79.99").await.ok();
    app.assert_books().await;
}

async fn what_cannot_be_countered(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let old = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    app.counter(&bob, &old, "80.00").await.refused("FORBIDDEN");
    for stranger in [&app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, &app.admin().await] {
        assert!(app.counter(stranger, &old, "80.00").await.refused("NOT_FOUND")["offer"].is_null());
    }
    for (amount, code) in [("0", "AMOUNT_NOT_POSITIVE"), ("1.001", "EXCESS_DIGITS")] {
        app.counter(&ada, &old, amount).await.refused_at(code, &["amount", "amount"]);
    }
    let euros = json!({ "amount": "80.00", "currency": "EUR" });
    let input = json!({ "offerId": old, "amount": euros, "idempotencyKey": key() });
    app.act(&ada, "offerCounter", input).await.refused_at("CURRENCY_MISMATCH", &["amount", "currency"]);
    let input = json!({ "offerId": old, "amount": usd("80"), "message": "x".repeat(1001), "idempotencyKey": key() });
    app.act(&ada, "offerCounter", input).await.refused_at("TOO_LONG", &["message"]);
    let own = id_of(&app.offer_to(&ada, &job, &bob, "70.00").await.ok(), "offer");
    app.counter(&ada, &old, "80.00").await.refused("OFFER_EXISTS");
    assert_eq!(app.offer_status(&bob, &old).await, "PENDING", "a refusal leaves it");
    app.answer(&ada, "offerWithdraw", &own).await.ok();
    let ended = app.counter(&bob, &own, "80.00").await;
    assert_eq!(ended.refused("CONFLICT")["offer"]["status"], "WITHDRAWN");
    app.clock.advance(6 * DAY);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    app.counter(&ada, &old, "80.00").await.refused("OFFER_EXPIRED");
    assert_eq!(app.money(&ada).await, ["500.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn the_rounds_are_counted(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let mut offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    for round in 0..10 {
        let by = [&ada, &bob][round % 2];
        offer = id_of(&app.counter(by, &offer, "90.00").await.ok(), "offer");
    }
    app.counter(&ada, &offer, "80.00").await.refused("TOO_MANY_COUNTERS");
    assert_eq!(app.offer_status(&ada, &offer).await, "PENDING");
    app.answer(&ada, "offerAccept", &offer).await.ok();
    assert_eq!(app.money(&ada).await, ["405.50", "0.00", "90.00"]);
    app.assert_books().await;
}
