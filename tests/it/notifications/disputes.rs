//! What the two are told of a dispute.

use serde_json::json;

use super::people;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};
use crate::support::pictures::pdf;
use crate::uploads::upload;

on_both_engines! {
    each_step_of_a_dispute_tells_the_other_side,
}

#[track_caller]
fn are(told: &[String], wanted: &[&str]) {
    assert_eq!(told, wanted);
}

async fn open(app: &TestApp, who: &TestUser, booking: &str) -> String {
    let input = json!({ "bookingId": booking, "reason": "LATE", "evidence": "It is late.", "idempotencyKey": key() });
    id_of(&app.act(who, "disputeOpen", input).await.ok(), "dispute")
}

async fn each_step_of_a_dispute_tells_the_other_side(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let admin = app.admin().await;
    let booking = app.book(&ada, &bob).await;
    app.step(&bob, "bookingStart", &booking).await.ok();
    for who in [&ada, &bob] {
        app.news(who).await;
    }
    let first = open(app, &ada, &booking).await;
    let seen = app.notifications(&bob, ", filter: { isRead: false }").await;
    let text = seen[0]["body"].as_str().unwrap();
    assert!(text.contains("disagrees about “Paint a wall”") && !text.contains('{'), "{text}");
    are(&app.news(&bob).await, &["DISPUTE_OPENED"]);
    app.act(&ada, "disputeWithdraw", json!({ "disputeId": first })).await.ok();
    // The booking is in progress again, and nobody is told that work has begun.
    are(&app.news(&bob).await, &["DISPUTE_WITHDRAWN"]);
    let dispute = open(app, &bob, &booking).await;
    are(&app.news(&ada).await, &["DISPUTE_OPENED"]);
    let file = upload(app, &bob, "EVIDENCE", "application/pdf", pdf()).await;
    let input = json!({ "disputeId": dispute, "fileIds": [file["id"]] });
    for _ in 0..2 {
        app.act(&bob, "disputeAddEvidence", input.clone()).await.ok();
    }
    are(&app.news(&ada).await, &["DISPUTE_EVIDENCE_ADDED"]);
    app.act(&admin, "disputePropose", json!({ "disputeId": dispute, "toCustomer": usd("10.00") })).await.ok();
    are(&app.news(&ada).await, &["DISPUTE_PROPOSED"]);
    are(&app.news(&bob).await, &["DISPUTE_PROPOSED"]);
    let input = json!({ "disputeId": dispute, "toCustomer": usd("20.00"), "toContractor": usd("80.00"),
        "toPlatform": usd("0"), "platformFee": "KEPT", "reason": "So be it.", "idempotencyKey": key() });
    app.act(&admin, "disputeDecide", input).await.ok();
    for who in [&ada, &bob] {
        are(&app.news(who).await, &["BOOKING_COMPLETED", "DISPUTE_DECIDED", "JOB_COMPLETED"]);
    }
    app.assert_books().await;
}
