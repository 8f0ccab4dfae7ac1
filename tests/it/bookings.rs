//! Bookings through the API: the whole life of a deal, and everything that may not happen in it.

mod delay;
mod staff;
mod timers;

use gigwire::kernel::id::UserId;
use gigwire::platform::db::q;
use serde_json::{Value, json};

use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, uuid};

on_both_engines! {
    the_whole_life_pays_everyone,
    a_customer_who_cancels_loses_the_fee,
    a_contractor_who_cancels_costs_nothing,
    work_that_has_begun_is_not_cancelled,
    only_the_right_party_takes_the_right_step,
    completing_twice_pays_once,
    both_hear_of_everything_in_order,
    each_action_with_money_is_audited,
}

struct Deal {
    ada: TestUser,
    bob: TestUser,
    booking: String,
}

impl Deal {
    /// Ada has 200 dollars and books Bob for 100.
    async fn new(app: &TestApp) -> Self {
        let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, "200.00").await;
        let booking = app.book(&ada, &bob).await;
        Deal { ada, bob, booking }
    }

    async fn work(&self, app: &TestApp, steps: &[&str]) {
        for step in steps {
            app.step(&self.bob, step, &self.booking).await.ok();
        }
    }

    /// Status, version and the job's status.
    async fn state(&self, app: &TestApp) -> Value {
        let text = "query ($id: ID!) { booking(id: $id) { status version escrow { amount } job { status } } }";
        app.gql(&self.ada, text, json!({ "id": self.booking })).await["data"]["booking"].take()
    }
}

fn state(status: &str, version: i64, escrow: &str, job: &str) -> Value {
    json!({ "status": status, "version": version, "escrow": { "amount": escrow }, "job": { "status": job } })
}

async fn fees(app: &TestApp) -> i64 {
    app.count("select credits_posted - debits_posted as n from purses where class = 'FEES'").await
}

async fn the_whole_life_pays_everyone(app: &TestApp) {
    let deal = Deal::new(app).await;
    assert_eq!(deal.state(app).await, state("CONFIRMED", 1, "100.00", "ASSIGNED"));
    assert_eq!((app.money(&deal.ada).await, fees(app).await), (["95.00", "0.00", "100.00"].map(String::from), 500));
    app.assert_books().await;
    deal.work(app, &["bookingStart"]).await;
    assert_eq!(deal.state(app).await, state("IN_PROGRESS", 2, "100.00", "ASSIGNED"));
    deal.work(app, &["bookingDeliver"]).await;
    assert_eq!(deal.state(app).await, state("DELIVERED", 3, "100.00", "ASSIGNED"));
    let done = app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    assert_eq!(
        (&done["booking"]["status"], &done["booking"]["escrow"]["amount"]),
        (&json!("COMPLETED"), &json!("0.00"))
    );
    assert_eq!(deal.state(app).await, state("COMPLETED", 4, "0.00", "COMPLETED"));
    assert_eq!(app.money(&deal.ada).await, ["95.00", "0.00", "0.00"]);
    assert_eq!(app.money(&deal.bob).await, ["80.00", "0.00", "0.00"]);
    assert_eq!(fees(app).await, 2_500);
    let earned = "select net as n from earnings";
    assert_eq!(app.count(earned).await, 8_000);
    app.assert_books().await;
}

async fn a_customer_who_cancels_loses_the_fee(app: &TestApp) {
    let deal = Deal::new(app).await;
    let gone = app.step(&deal.ada, "bookingCancel", &deal.booking).await.ok();
    assert_eq!(gone["booking"]["cancelReason"], "Something came up.");
    assert_eq!(deal.state(app).await, state("CANCELLED", 2, "0.00", "CANCELLED"));
    assert_eq!(app.money(&deal.ada).await, ["195.00", "0.00", "0.00"]);
    assert_eq!(fees(app).await, 500);
    app.assert_books().await;
}

async fn a_contractor_who_cancels_costs_nothing(app: &TestApp) {
    let deal = Deal::new(app).await;
    app.step(&deal.bob, "bookingCancel", &deal.booking).await.ok();
    assert_eq!(deal.state(app).await, state("CANCELLED", 2, "0.00", "CANCELLED"));
    assert_eq!(app.money(&deal.ada).await, ["200.00", "0.00", "0.00"]);
    assert_eq!((app.money(&deal.bob).await[0].as_str(), fees(app).await), ("0.00", 0));
    app.assert_books().await;
}

async fn work_that_has_begun_is_not_cancelled(app: &TestApp) {
    let deal = Deal::new(app).await;
    for (step, status) in [("bookingStart", "IN_PROGRESS"), ("bookingDeliver", "DELIVERED")] {
        deal.work(app, &[step]).await;
        for who in [&deal.ada, &deal.bob] {
            let done = app.step(who, "bookingCancel", &deal.booking).await;
            assert_eq!(done.refused("CONFLICT")["booking"]["status"], status, "the booking is shown as it is");
        }
    }
    assert_eq!(app.money(&deal.ada).await, ["95.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn only_the_right_party_takes_the_right_step(app: &TestApp) {
    let deal = Deal::new(app).await;
    let eve = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let steps = ["bookingStart", "bookingDeliver", "bookingComplete", "bookingCancel"];
    for (status, version) in [("CONFIRMED", 1), ("IN_PROGRESS", 2), ("DELIVERED", 3), ("COMPLETED", 4)] {
        let right = steps.get(version - 1).filter(|step| **step != "bookingCancel");
        for step in steps {
            let done = app.step(&eve, step, &deal.booking).await;
            assert!(done.refused("NOT_FOUND")["booking"].is_null());
            let (party, other) = match step {
                "bookingComplete" => (&deal.ada, &deal.bob),
                _ => (&deal.bob, &deal.ada),
            };
            if step != "bookingCancel" {
                app.step(other, step, &deal.booking).await.refused("FORBIDDEN");
            }
            if Some(&step) != right && (step != "bookingCancel" || version > 1) {
                app.step(party, step, &deal.booking).await.refused("CONFLICT");
            }
        }
        let now = deal.state(app).await;
        assert_eq!((&now["status"], &now["version"]), (&json!(status), &json!(version)), "nothing changed");
        app.assert_books().await;
        if let Some(step) = right {
            let who = if *step == "bookingComplete" { &deal.ada } else { &deal.bob };
            app.step(who, step, &deal.booking).await.ok();
        }
    }
    let empty = json!({ "bookingId": deal.booking, "reason": " ", "idempotencyKey": key() });
    app.act(&deal.ada, "bookingCancel", empty).await.refused_at("INVALID", &["reason"]);
    app.step(&deal.ada, "bookingComplete", "booking_00000000000000000000000007").await.refused("NOT_FOUND");
    app.step(&deal.ada, "bookingComplete", &deal.ada.id).await.refused("BAD_USER_INPUT");
}

async fn completing_twice_pays_once(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    let input = json!({ "bookingId": deal.booking, "idempotencyKey": key() });
    let first = app.act(&deal.ada, "bookingComplete", input.clone()).await;
    let again = app.act(&deal.ada, "bookingComplete", input).await;
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.ok(), again.ok());
    let other = app.step(&deal.ada, "bookingComplete", &deal.booking).await;
    assert_eq!(other.refused("CONFLICT")["booking"]["status"], "COMPLETED");
    assert_eq!(app.money(&deal.bob).await[0], "80.00");
    assert_eq!(app.count("select count(*) as n from earnings").await, 1);
    app.assert_books().await;
}

/// The kinds of events in a user's stream, in order.
async fn heard(app: &TestApp, who: &TestUser) -> Vec<String> {
    let stream = format!("user:{}", gigwire::kernel::id::TypedId::uuid(uuid::<UserId>(&who.id)).simple());
    let rows = q("select kind from events where stream = $1 order by seq").bind(stream).fetch(&app.server.platform.db);
    rows.await.unwrap().iter().map(|row| row.get("kind").unwrap()).collect()
}

async fn both_hear_of_everything_in_order(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    let accepted = ["JobStatusChanged", "OfferStatusChanged", "WalletDebited", "BookingCreated"];
    let ada = ["PaymentCompleted", "WalletCredited", "JobPosted", "OfferSent"];
    let steps = ["BookingStatusChanged", "BookingStatusChanged"];
    let completed = ["JobStatusChanged", "WalletDebited", "BookingStatusChanged"];
    let wanted: Vec<_> = ada.into_iter().chain(accepted).chain(steps).chain(completed).collect();
    // What people are notified of has tests of its own.
    let heard = async |who| {
        let mut kinds = heard(app, who).await;
        kinds.retain(|kind| kind != "NotificationReceived");
        kinds
    };
    assert_eq!(heard(&deal.ada).await, wanted);
    let bob = ["OfferSent", "JobStatusChanged", "OfferStatusChanged", "BookingCreated"];
    let paid = ["JobStatusChanged", "WalletCredited", "BookingStatusChanged", "EarningCreated"];
    let wanted: Vec<_> = bob.into_iter().chain(steps).chain(paid).collect();
    assert_eq!(heard(&deal.bob).await, wanted);
    app.assert_books().await;
}

async fn each_action_with_money_is_audited(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    let job = app.post_job(&deal.ada).await;
    let offer = id_of(&app.offer_to(&deal.ada, &job, &deal.bob, "10.00").await.ok(), "offer");
    app.answer(&deal.bob, "offerDecline", &offer).await.ok();
    let offer = id_of(&app.offer_to(&deal.ada, &job, &deal.bob, "10.00").await.ok(), "offer");
    let booking = id_of(&app.answer(&deal.bob, "offerAccept", &offer).await.ok(), "booking");
    app.step(&deal.ada, "bookingCancel", &booking).await.ok();
    let rows =
        q("select action, count(*) as n from audit group by action order by action").fetch(&app.server.platform.db);
    let found: Vec<(String, i64)> =
        rows.await.unwrap().iter().map(|row| (row.get("action").unwrap(), row.get("n").unwrap())).collect();
    let wanted = [
        ("booking.cancel", 1),
        ("booking.complete", 1),
        ("deposit.complete", 1),
        ("deposit.start", 1),
        ("offer.accept", 2),
        ("offer.free", 1),
        ("offer.hold", 2),
    ];
    assert_eq!(found, wanted.map(|(action, count)| (action.to_owned(), count)));
    // The same transaction: no group of transfers without a row of its request, and the refused leave none.
    app.step(&deal.ada, "bookingCancel", &booking).await.refused("CONFLICT");
    assert_eq!(app.count("select count(*) as n from audit").await, 9);
    let unaudited = "select count(*) as n from transfers t
        where not exists (select 1 from audit a where a.created_at = t.created_at)";
    assert_eq!(app.count(unaudited).await, 0);
}
