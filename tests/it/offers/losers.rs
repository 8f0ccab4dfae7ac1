//! The offers that lose when another one is accepted: decided and freed in the same transaction, told soon after.

use crate::support::app::{TestApp, eventually, on_both_engines};
use crate::support::books::assert_books;
use crate::support::market::id_of;

on_both_engines! {
    losers_are_declined_and_their_holds_are_void,
    many_losers_are_all_told,
}

async fn losers_are_declined_and_their_holds_are_void(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "1000.00").await;
    let job = app.post_job(&ada).await;
    let mut offers = Vec::new();
    for amount in ["100.00", "110.00", "120.00"] {
        let bob = app.sign_up(&["CONTRACTOR"]).await;
        let held = id_of(&app.offer_to(&ada, &job, &bob, amount).await.ok(), "offer");
        offers.push((bob, held));
    }
    let late = app.sign_up(&["CONTRACTOR"]).await;
    let bid = id_of(&app.offer(&late, &job, "90.00").await.ok(), "offer");
    assert_eq!(app.money(&ada).await, ["653.50", "346.50", "0.00"]);
    let (winner, won) = offers.remove(1);
    app.answer(&winner, "offerAccept", &won).await.ok();
    assert_eq!(app.money(&ada).await, ["884.50", "0.00", "110.00"]);
    assert_eq!(app.offer_status(&late, &bid).await, "DECLINED");
    app.answer(&ada, "offerAccept", &bid).await.refused("CONFLICT");
    for (bob, offer) in &offers {
        assert_eq!(app.offer_status(bob, offer).await, "DECLINED");
        app.answer(bob, "offerAccept", offer).await.refused("CONFLICT");
    }
    let reasons = "select count(*) as n from offers where decline_reason = 'JOB_ASSIGNED'";
    assert_eq!(app.count(reasons).await, 3);
    let named = "select count(*) as n from events e where kind = 'OfferStatusChanged' and actor_id is not null
        and stream not in (select stream from events where kind = 'BookingCreated')";
    assert_eq!(app.count(named).await, 0, "who loses does not hear who won");
    let freed = "select count(*) as n from audit where action = 'offer.free'";
    assert_eq!(app.count(freed).await, 2, "the holds of the losers");
    app.assert_books().await;
}

async fn many_losers_are_all_told(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "5000.00").await;
    let job = app.post_job(&ada).await;
    for turn in 0..40 {
        let bob = app.sign_up(&["CONTRACTOR"]).await;
        match turn % 4 {
            0 => app.offer_to(&ada, &job, &bob, "50.00").await.ok(),
            _ => app.offer(&bob, &job, "60.00").await.ok(),
        };
    }
    let winner = app.sign_up(&["CONTRACTOR"]).await;
    let won = id_of(&app.offer(&winner, &job, "100.00").await.ok(), "offer");
    assert_eq!(app.money(&ada).await, ["4475.00", "525.00", "0.00"]);
    app.answer(&ada, "offerAccept", &won).await.ok();
    app.work();
    assert_eq!(app.count("select count(*) as n from offers where status = 'DECLINED'").await, 40);
    assert_eq!(app.money(&ada).await, ["4895.00", "0.00", "100.00"]);
    assert_books(&app.server.platform).await;
    let told = "select count(distinct stream) as n from events where kind = 'OfferStatusChanged'";
    eventually("every contractor is told", async || app.count(told).await == 42).await;
    let twice = "select count(*) as n from (select stream, object_id from events where kind = 'OfferStatusChanged'
        group by stream, object_id having count(*) > 1) as repeated";
    assert_eq!(app.count(twice).await, 0, "nobody is told twice");
    let customer = "select count(*) as n from events e where kind = 'OfferStatusChanged'
        and exists (select 1 from events p where p.stream = e.stream and p.kind = 'JobPosted')";
    assert_eq!(app.count(customer).await, 41, "the customer hears of each");
    let wide =
        "select max(streams) as n from (select count(distinct stream) as streams from events group by request_id) as w";
    assert!(app.count(wide).await <= 16, "no transaction writes to more streams than allowed");
    app.assert_books().await;
}
