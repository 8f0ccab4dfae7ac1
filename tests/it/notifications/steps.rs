//! The whole story, step by step: exactly who is told exactly what.

use gigwire::features::wallet::events::{self, Change};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use gigwire::kernel::id::{PaymentId, UserId};
use gigwire::platform::streams::Draft;
use serde_json::{Value, json};

use super::people;
use crate::support::app::{PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::{id_of, uuid};

on_both_engines! {
    each_step_tells_the_other_side,
    who_loses_is_told_and_the_customer_is_not,
    many_losers_are_told_by_a_task,
    expiry_tells_both,
    what_is_refused_tells_nobody,
    payments_tell_their_owner,
    texts_name_people_and_amounts_as_they_are,
}

/// What both were told since the last call.
async fn news(app: &TestApp, ada: &TestUser, bob: &TestUser) -> [Vec<String>; 2] {
    [app.news(ada).await, app.news(bob).await]
}

#[track_caller]
fn told(news: [Vec<String>; 2], ada: &[&str], bob: &[&str]) {
    assert_eq!(news, [ada, bob]);
}

async fn each_step_tells_the_other_side(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "10.00").await;
    told(news(app, &ada, &bob).await, &["PAYMENT_RECEIVED"], &[]);
    let job = app.post_job(&ada).await;
    told(news(app, &ada, &bob).await, &[], &[]);
    let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    told(news(app, &ada, &bob).await, &["OFFER_RECEIVED"], &["OFFER_SENT"]);
    app.answer(&ada, "offerDecline", &offer).await.ok();
    told(news(app, &ada, &bob).await, &[], &["OFFER_DECLINED"]);
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "90.00").await.ok(), "offer");
    told(news(app, &ada, &bob).await, &["OFFER_SENT"], &["OFFER_RECEIVED"]);
    app.answer(&ada, "offerWithdraw", &offer).await.ok();
    told(news(app, &ada, &bob).await, &[], &["OFFER_WITHDRAWN"]);
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "95.00").await.ok(), "offer");
    news(app, &ada, &bob).await;
    let made = app.answer(&bob, "offerAccept", &offer).await.ok();
    told(news(app, &ada, &bob).await, &["BOOKING_CREATED", "JOB_ASSIGNED", "OFFER_ACCEPTED"], &[]);
    let booking = id_of(&made, "booking");
    for text in ["When can you begin?", "Tomorrow?"] {
        app.say(&ada, &made["conversation"]["id"], text).await;
    }
    told(news(app, &ada, &bob).await, &[], &["MESSAGE_RECEIVED"]);
    app.step(&bob, "bookingStart", &booking).await.ok();
    told(news(app, &ada, &bob).await, &["BOOKING_STARTED"], &[]);
    app.step(&bob, "bookingDeliver", &booking).await.ok();
    told(news(app, &ada, &bob).await, &["BOOKING_DELIVERED"], &[]);
    app.step(&ada, "bookingComplete", &booking).await.ok();
    told(news(app, &ada, &bob).await, &[], &["BOOKING_COMPLETED", "JOB_COMPLETED"]);
    for (who, both) in [(&ada, [&[][..]; 2]), (&bob, [&["REVIEW_RECEIVED"][..]; 2])] {
        app.act(who, "reviewPost", json!({ "bookingId": booking, "rating": 5, "text": "Good." })).await.ok();
        // Neither hears of a review that the other has not answered; then both hear of the one about them.
        told(news(app, &ada, &bob).await, both[0], both[1]);
    }
    let booking = app.book(&ada, &bob).await;
    told(
        news(app, &ada, &bob).await,
        &["OFFER_RECEIVED"],
        &["BOOKING_CREATED", "JOB_ASSIGNED", "OFFER_ACCEPTED", "OFFER_SENT"],
    );
    app.step(&bob, "bookingCancel", &booking).await.ok();
    told(news(app, &ada, &bob).await, &["BOOKING_CANCELLED", "JOB_CANCELLED"], &[]);
    let received = app.told(&ada, "NotificationReceived").await + app.told(&bob, "NotificationReceived").await;
    let rows = app.count("select count(*) as n from notifications where kind <> 'MESSAGE_RECEIVED'").await;
    assert_eq!(received, rows, "each has its event, but those of messages");
    app.assert_books().await;
}

async fn who_loses_is_told_and_the_customer_is_not(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let (carl, dan) = (app.sign_up(&["CONTRACTOR"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let job = app.post_job(&ada).await;
    let won = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    app.offer(&carl, &job, "90.00").await.ok();
    app.offer_to(&ada, &job, &dan, "80.00").await.ok();
    for who in [&ada, &bob, &carl, &dan] {
        app.read_all(who).await;
    }
    app.answer(&bob, "offerAccept", &won).await.ok();
    told(news(app, &ada, &bob).await, &["BOOKING_CREATED", "JOB_ASSIGNED", "OFFER_ACCEPTED"], &[]);
    told(news(app, &carl, &dan).await, &["OFFER_DECLINED"], &["OFFER_DECLINED"]);
}

async fn many_losers_are_told_by_a_task(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    for _ in 0..15 {
        let carl = app.sign_up(&["CONTRACTOR"]).await;
        app.offer(&carl, &job, "90.00").await.ok();
    }
    let won = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    app.read_all(&ada).await;
    app.answer(&ada, "offerAccept", &won).await.ok();
    app.work();
    let declined = "select count(distinct user_id) as n from notifications where kind = 'OFFER_DECLINED'";
    eventually("all are told", async || app.count(declined).await == 15).await;
    assert_eq!(app.count("select count(*) as n from notifications where kind = 'OFFER_DECLINED'").await, 15);
    assert_eq!(app.news(&ada).await, Vec::<String>::new());
}

async fn expiry_tells_both(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    app.offer(&bob, &job, "100.00").await.ok();
    app.clock.advance(6 * DAY + 1);
    app.work();
    let expired = "select count(*) as n from notifications where kind = 'OFFER_EXPIRED'";
    eventually("both are told", async || app.count(expired).await == 2).await;
    let (ada, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&bob.email, PASSWORD).await);
    told(news(app, &ada, &bob).await, &["OFFER_EXPIRED", "OFFER_RECEIVED"], &["OFFER_EXPIRED", "OFFER_SENT"]);
}

async fn what_is_refused_tells_nobody(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "5000.00").await.ok(), "offer");
    news(app, &ada, &bob).await;
    let rows = app.count("select count(*) as n from notifications").await;
    app.answer(&ada, "offerAccept", &offer).await.refused("INSUFFICIENT_FUNDS");
    app.answer(&bob, "offerDecline", &offer).await.refused("FORBIDDEN");
    assert_eq!(app.count("select count(*) as n from notifications").await, rows);
    told(news(app, &ada, &bob).await, &[], &[]);
}

async fn payments_tell_their_owner(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let user: UserId = uuid(&ada.id);
    let work = &app.server.platform.work;
    // The sandbox refuses no payment: what a provider's refusal states is stated by hand.
    work.run(&Caller::system("test"), user, |unit, user| {
        Box::pin(async move {
            let payment: PaymentId = unit.ids.new_id();
            let (currency, kind, failure) = ("USD".into(), "DEPOSIT".into(), Some("DECLINED".into()));
            let change = Change { minor: 4_200, currency, kind, wallet: None, failure };
            unit.state(Draft::new(events::NOUN, events::PAYMENT_FAILED, payment, 2).to([*user]).facts(&change)?);
            Ok(())
        })
    })
    .await
    .unwrap();
    let failed = &app.notifications(&ada, ", filter: { kinds: [PAYMENT_FAILED] }").await[0];
    assert_eq!((&failed["level"], &failed["subject"]), (&json!("ERROR"), &Value::Null), "there is no such payment");
    assert_eq!(failed["body"], "Your deposit of a sum failed; nothing was booked.");
    let data = json!({ "minor": 4_200, "currency": "USD", "kind": "DEPOSIT", "wallet": null, "failure": "DECLINED" });
    assert_eq!(failed["data"], data);
    let arrived = &app.notifications(&ada, ", filter: { kinds: [PAYMENT_RECEIVED] }").await[0];
    assert_eq!(arrived["body"], "1000.00 USD arrived in your wallet.");
    assert_eq!((&arrived["level"], &arrived["subject"]["__typename"]), (&json!("SUCCESS"), &json!("Payment")));
    told(news(app, &ada, &bob).await, &["PAYMENT_FAILED"], &[]);
}

async fn texts_name_people_and_amounts_as_they_are(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let booking = app.book(&ada, &bob).await;
    app.step(&ada, "bookingCancel", &booking).await.ok();
    let seen = app.notifications(&bob, "").await;
    let of = |kind: &str| seen.iter().find(|it| it["kind"] == kind).unwrap();
    let name = "User 0";
    let sent = of("OFFER_SENT");
    assert_eq!(sent["body"], format!("Your offer of 100.00 USD for “Paint a wall” went to {name}."));
    let accepted = of("OFFER_ACCEPTED");
    assert_eq!(accepted["title"], "Offer accepted");
    assert_eq!(accepted["body"], format!("{name} accepted your offer of 100.00 USD for “Paint a wall”."));
    assert_eq!(accepted["data"], json!({ "from": "PENDING", "to": "ACCEPTED" }));
    assert_eq!((&accepted["level"], &accepted["displayMs"]), (&json!("SUCCESS"), &json!(5_000)));
    assert_eq!((&accepted["isDismissible"], &accepted["version"]), (&json!(true), &json!(1)));
    assert_eq!((&accepted["subject"]["__typename"], &accepted["readAt"]), (&json!("Offer"), &Value::Null));
    let cancelled = of("BOOKING_CANCELLED");
    assert_eq!(cancelled["body"], format!("The booking with {name} for “Paint a wall” was cancelled."));
    assert_eq!(cancelled["subject"], json!({ "__typename": "Booking", "id": booking }));
    assert_eq!(cancelled["data"]["by"], "CUSTOMER");
    assert!(cancelled["data"]["refundMinor"].is_i64(), "{cancelled}");
    assert_eq!(of("JOB_CANCELLED")["subject"]["__typename"], "Job");
    // A page of them costs the same however long it is.
    let text = "query ($n: Int!) { viewer { notifications(first: $n) { nodes { body subject { id } } } } }";
    let mut spent = Vec::new();
    for n in [2, 6] {
        let before = app.round_trips();
        app.gql(&bob, text, json!({ "n": n })).await;
        spent.push(app.round_trips() - before);
    }
    assert!(spent[1] <= spent[0] + 3, "{spent:?}: one read for each kind of object, not for each row");
    let stored =
        app.count("select count(*) as n from notifications where data like '%Paint%' or data like '%came up%'");
    assert_eq!(stored.await, 0, "what people wrote is not stored again");
}
