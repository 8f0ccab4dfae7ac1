//! How a job ends before it has a booking: cancelled or expired, and its offers with it.

use gigwire::kernel::clock::DAY;
use serde_json::json;

use super::people;
use crate::support::app::{PASSWORD, TestApp, eventually, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    cancelling_a_job_ends_its_offers,
    who_may_not_cancel_a_job,
    many_are_told_of_a_cancelled_job,
    a_job_expires_and_takes_its_offers_along,
    a_lost_task_lets_no_job_live_on,
    keys_make_repetitions_harmless,
}

const OFFER: &str = "query ($id: ID!) { node(id: $id) { ... on Offer { status declineReason expiresAt } } }";

async fn cancelling_a_job_ends_its_offers(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let held = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let bid = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    let gone = id_of(&app.offer_to(&ada, &job, &app.sign_up(&["CONTRACTOR"]).await, "50.00").await.ok(), "offer");
    app.answer(&ada, "offerWithdraw", &gone).await.ok();
    assert_eq!(app.money(&ada).await, ["395.00", "105.00", "0.00"]);
    let input = json!({ "jobId": job, "reason": "  Not needed. ", "idempotencyKey": key() });
    let done = app.act(&ada, "jobCancel", input.clone()).await.ok();
    let shown = json!({ "id": job, "status": "CANCELLED", "version": 2, "cancelReason": "Not needed." });
    assert_eq!(done["job"], shown);
    assert_eq!(app.money(&ada).await, ["500.00", "0.00", "0.00"]);
    for (who, offer) in [(&bob, &held), (&ada, &bid)] {
        let found = &app.gql(who, OFFER, json!({ "id": offer })).await["data"]["node"];
        assert_eq!((&found["status"], &found["declineReason"]), (&json!("DECLINED"), &json!("JOB_CANCELLED")));
        app.answer(&bob, "offerAccept", &held).await.refused("CONFLICT");
    }
    assert_eq!(app.offer_status(&ada, &gone).await, "WITHDRAWN", "what has ended stays");
    assert!(app.act(&ada, "jobCancel", input).await.replayed);
    assert_eq!(app.cancel_job(&ada, &job).await.refused("CONFLICT")["job"], shown);
    app.offer(&bob, &job, "90.00").await.refused("CONFLICT");
    assert_eq!(
        app.count("select count(*) as n from audit where action = 'job.cancel' and reason = 'Not needed.'").await,
        1
    );
    assert_eq!(app.count("select count(*) as n from audit where action = 'offer.free'").await, 2);
    assert_eq!(app.count("select count(*) as n from events where kind = 'JobStatusChanged'").await, 1);
    assert_eq!(app.count("select count(*) as n from events where kind = 'OfferStatusChanged'").await, 6);
    app.assert_books().await;
}

async fn who_may_not_cancel_a_job(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let admin = app.admin().await;
    let job = app.post_job(&ada).await;
    for stranger in [&bob, &admin] {
        app.cancel_job(stranger, &job).await.refused("FORBIDDEN");
    }
    let long = json!({ "jobId": job, "reason": "x".repeat(1001), "idempotencyKey": key() });
    app.act(&ada, "jobCancel", long).await.refused_at("TOO_LONG", &["reason"]);
    let blank = json!({ "jobId": job, "idempotencyKey": " " });
    app.act(&ada, "jobCancel", blank).await.refused_at("INVALID", &["idempotencyKey"]);
    app.cancel_job(&ada, "job_00000000000000000000000007").await.refused("NOT_FOUND");
    let offer = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    let booking = id_of(&app.answer(&ada, "offerAccept", &offer).await.ok(), "booking");
    let refused = app.cancel_job(&ada, &job).await;
    assert_eq!(refused.refused("CONFLICT")["job"]["status"], "ASSIGNED", "its booking is cancelled instead");
    let eve = app.sign_up(&["CONTRACTOR"]).await;
    app.cancel_job(&eve, &job).await.refused("NOT_FOUND");
    app.step(&ada, "bookingCancel", &booking).await.ok();
    app.cancel_job(&ada, &job).await.refused("CONFLICT");
    app.assert_books().await;
}

async fn many_are_told_of_a_cancelled_job(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "5000.00").await;
    let job = app.post_job(&ada).await;
    for turn in 0..20 {
        let bob = app.sign_up(&["CONTRACTOR"]).await;
        match turn % 2 {
            0 => app.offer_to(&ada, &job, &bob, "50.00").await.ok(),
            _ => app.offer(&bob, &job, "60.00").await.ok(),
        };
    }
    app.cancel_job(&ada, &job).await.ok();
    assert_eq!(app.money(&ada).await, ["5000.00", "0.00", "0.00"], "the money is free at once");
    assert_eq!(app.count("select count(*) as n from offers where status = 'DECLINED'").await, 20);
    app.work();
    let told = "select count(*) as n from events where kind = 'OfferStatusChanged'";
    eventually("everybody is told", async || app.count(told).await == 40).await;
    app.assert_books().await;
}

async fn a_job_expires_and_takes_its_offers_along(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let input = json!({ "title": "Paint", "description": "White.", "budget": usd("100.00") });
    let posted = app.act(&ada, "jobPost", input).await.ok();
    let job = id_of(&posted, "job");
    app.clock.advance(29 * DAY);
    let (ada, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&bob.email, PASSWORD).await);
    let sent = app.offer_to(&ada, &job, &bob, "100.00").await.ok();
    assert_eq!(sent["offer"]["expiresAt"], posted["job"]["expiresAt"], "no offer outlives its job");
    let offer = id_of(&sent, "offer");
    app.clock.advance(DAY + 1);
    let (ada, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&bob.email, PASSWORD).await);
    // Nobody runs tasks yet: it is as if they were late.
    app.answer(&bob, "offerAccept", &offer).await.refused("OFFER_EXPIRED");
    app.offer(&bob, &job, "90.00").await.refused("CONFLICT");
    app.work();
    let ended = "select count(*) as n from jobs where status = 'EXPIRED'";
    eventually("the job expires", async || app.count(ended).await == 1).await;
    eventually("and its offer", async || app.offer_status(&ada, &offer).await == "EXPIRED").await;
    assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
    app.cancel_job(&ada, &job).await.refused("CONFLICT");
    let told = "select count(*) as n from events where kind = 'JobStatusChanged' and actor_id is null";
    assert_eq!(app.count(told).await, 1);
    app.assert_books().await;
}

async fn a_lost_task_lets_no_job_live_on(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.post_job(&ada).await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    gigwire::platform::db::q("delete from tasks where kind = 'job.expire'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    app.clock.advance(31 * DAY);
    app.work();
    let ended = "select count(*) as n from jobs where status = 'EXPIRED'";
    eventually("the job expires all the same", async || app.count(ended).await == 1).await;
}

async fn keys_make_repetitions_harmless(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let input = json!({ "title": "Paint", "description": "White.", "budget": usd("100.00"), "idempotencyKey": "job" });
    let job = id_of(&app.act(&ada, "jobPost", input.clone()).await.ok(), "job");
    let again = app.act(&ada, "jobPost", input.clone()).await;
    assert!(again.replayed);
    assert_eq!(id_of(&again.ok(), "job"), job);
    let mut other = input;
    other["title"] = json!("Paint more");
    app.act(&ada, "jobPost", other).await.refused_at("IDEMPOTENCY_MISMATCH", &["idempotencyKey"]);
    for (who, mutation) in [(&ada, "offerDecline"), (&bob, "offerWithdraw")] {
        let offer = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
        let input = json!({ "offerId": offer, "idempotencyKey": key() });
        app.act(who, mutation, input.clone()).await.ok();
        assert!(app.act(who, mutation, input).await.replayed, "{mutation}");
        app.answer(who, mutation, &offer).await.refused("CONFLICT");
    }
    assert_eq!(app.count("select count(*) as n from jobs").await, 1);
}
