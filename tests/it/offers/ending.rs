//! How offers end without a booking: declined, withdrawn, expired. Whatever was held is free again, fee included.

use gigwire::kernel::clock::DAY;

use super::people;
use crate::support::app::{PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    declining_and_withdrawing_free_everything,
    each_side_has_its_own_way_out,
    an_offer_expires_by_itself,
    an_offer_past_its_time_is_not_accepted,
    what_has_ended_stays_and_is_shown_with_the_conflict,
}

async fn declining_and_withdrawing_free_everything(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    for (who, mutation, status) in [(&bob, "offerDecline", "DECLINED"), (&ada, "offerWithdraw", "WITHDRAWN")] {
        let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
        assert_eq!(app.money(&ada).await, ["0.00", "105.00", "0.00"]);
        let ended = app.answer(who, mutation, &offer).await.ok();
        assert_eq!((&ended["offer"]["status"], &ended["offer"]["version"]), (&status.into(), &2.into()));
        assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
        app.assert_books().await;
    }
    assert_eq!(app.count("select count(*) as n from audit where action = 'offer.hold'").await, 2);
    assert_eq!(app.count("select count(*) as n from audit where action = 'offer.free'").await, 2);
    assert_eq!(app.count("select count(*) as n from transfers where phase = 'VOIDED'").await, 4);
}

async fn each_side_has_its_own_way_out(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let bobs = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    let adas = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    app.answer(&bob, "offerDecline", &bobs).await.refused("FORBIDDEN");
    app.answer(&ada, "offerWithdraw", &bobs).await.refused("FORBIDDEN");
    app.answer(&ada, "offerDecline", &adas).await.refused("FORBIDDEN");
    app.answer(&bob, "offerWithdraw", &adas).await.refused("FORBIDDEN");
    for offer in [&bobs, &adas] {
        assert_eq!(app.offer_status(&ada, offer).await, "PENDING");
    }
    assert_eq!(app.money(&ada).await, ["0.00", "105.00", "0.00"]);
    app.assert_books().await;
}

/// The same users with fresh tokens, after days have passed.
async fn again(app: &TestApp, who: &TestUser) -> TestUser {
    app.sign_in(&who.email, PASSWORD).await
}

async fn an_offer_expires_by_itself(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let adas = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let bobs = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    app.work();
    app.clock.advance(6 * DAY - 60_000);
    let ada = again(app, &ada).await;
    assert_eq!(app.offer_status(&ada, &adas).await, "PENDING");
    app.clock.advance(60_001);
    eventually("both offers expire", async || {
        app.count("select count(*) as n from offers where status = 'EXPIRED'").await == 2
    })
    .await;
    assert_eq!(app.offer_status(&ada, &bobs).await, "EXPIRED");
    assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
    let told = "select count(*) as n from events where kind = 'OfferStatusChanged' and actor_id is null";
    assert_eq!(app.count(told).await, 4, "both sides hear of both, from the system");
    app.assert_books().await;
    app.offer_to(&ada, &job, &bob, "100.00").await.ok();
    app.assert_books().await;
}

async fn an_offer_past_its_time_is_not_accepted(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    // Nobody runs tasks here: it is as if the one that lets the offer expire were late.
    app.clock.advance(6 * DAY + 1);
    let (ada, bob) = (again(app, &ada).await, again(app, &bob).await);
    app.answer(&bob, "offerAccept", &offer).await.refused("OFFER_EXPIRED");
    assert_eq!(app.money(&ada).await, ["0.00", "105.00", "0.00"]);
    app.answer(&ada, "offerWithdraw", &offer).await.ok();
    assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn what_has_ended_stays_and_is_shown_with_the_conflict(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    app.answer(&ada, "offerWithdraw", &offer).await.ok();
    for (who, mutation) in [(&bob, "offerAccept"), (&bob, "offerDecline"), (&ada, "offerWithdraw")] {
        let done = app.answer(who, mutation, &offer).await;
        let shown = &done.refused("CONFLICT")["offer"];
        assert_eq!((&shown["id"], &shown["status"]), (&offer.as_str().into(), &"WITHDRAWN".into()), "{mutation}");
    }
    assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from bookings").await, 0);
    app.assert_books().await;
}
