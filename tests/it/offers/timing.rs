//! When the work takes place: offers name it, counters carry it on, and the booking keeps it.

use gigwire::features::bookings::queries;
use gigwire::kernel::Timestamp;
use gigwire::kernel::clock::{DAY, HOUR};
use serde_json::{Value, json};

use super::people;
use crate::support::app::{PASSWORD, TestApp, eventually, on_both_engines};
use crate::support::market::{id_of, key, usd, uuid};

on_both_engines! {
    an_offers_period_becomes_the_bookings,
    a_counter_keeps_replaces_or_clears_the_period,
    a_period_that_cannot_be_is_refused,
    an_offer_expires_when_its_time_has_come,
    a_repetition_is_not_judged_anew,
    nobody_is_silent_before_the_agreed_time,
}

fn instant(value: &Value) -> i64 {
    Timestamp::parse(value.as_str().unwrap_or_else(|| panic!("{value}"))).unwrap().0
}

async fn an_offers_period_becomes_the_bookings(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "300.00").await;
    for period in [app.period(2 * DAY, 3 * DAY), Value::Null] {
        let job = app.post_job(&ada).await;
        let input = json!({ "jobId": job, "amount": usd("100.00"), "period": period, "idempotencyKey": key() });
        let sent = app.act(&bob, "offerSend", input).await.ok();
        assert_eq!(sent["offer"]["period"], period);
        let made = app.answer(&ada, "offerAccept", &id_of(&sent, "offer")).await.ok();
        assert_eq!(made["booking"]["period"], period);
        let text = "query ($id: ID!) { booking(id: $id) { period { startsAt endsAt } } }";
        let found = app.gql(&bob, text, json!({ "id": made["booking"]["id"] })).await;
        assert_eq!(found["data"]["booking"]["period"], period, "{found}");
    }
    app.assert_books().await;
}

async fn a_counter_keeps_replaces_or_clears_the_period(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let (monday, friday) = (app.period(DAY, 2 * DAY), app.period(5 * DAY, 6 * DAY));
    let job = app.post_job(&ada).await;
    let input = json!({ "jobId": job, "amount": usd("100.00"), "period": monday, "idempotencyKey": key() });
    let mut offer = id_of(&app.act(&bob, "offerSend", input).await.ok(), "offer");
    for (by, given, wanted) in [
        (&ada, None, &monday),
        (&bob, Some(&friday), &friday),
        (&ada, Some(&Value::Null), &Value::Null),
        (&bob, None, &Value::Null),
    ] {
        let mut input = json!({ "offerId": offer, "amount": usd("90.00"), "idempotencyKey": key() });
        if let Some(given) = given {
            input["period"] = given.clone();
        }
        let made = app.act(by, "offerCounter", input.clone()).await.ok();
        assert_eq!(&made["offer"]["period"], wanted, "{input}");
        let again = app.act(by, "offerCounter", input.clone()).await;
        assert!(again.replayed && again.payload["offer"]["id"] == made["offer"]["id"]);
        input["period"] = app.period(7 * DAY, 8 * DAY);
        app.act(by, "offerCounter", input).await.refused("IDEMPOTENCY_MISMATCH");
        offer = id_of(&made, "offer");
    }
    app.assert_books().await;
}

async fn a_period_that_cannot_be_is_refused(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    for (from, until, code, field) in [
        (2 * HOUR, HOUR, "PERIOD_REVERSED", "endsAt"),
        (HOUR, HOUR, "PERIOD_REVERSED", "endsAt"),
        (-HOUR, HOUR, "PERIOD_PAST", "startsAt"),
        (-2 * HOUR, -HOUR, "PERIOD_PAST", "startsAt"),
        (HOUR, 366 * DAY, "PERIOD_TOO_FAR", "endsAt"),
    ] {
        let period = app.period(from, until);
        let send = json!({ "jobId": job, "contractorId": bob.id, "amount": usd("100.00"), "period": period,
            "idempotencyKey": key() });
        app.act(&ada, "offerSend", send).await.refused_at(code, &["period", field]);
        let counter = json!({ "offerId": offer, "amount": usd("90.00"), "period": period, "idempotencyKey": key() });
        app.act(&ada, "offerCounter", counter).await.refused_at(code, &["period", field]);
    }
    for half in [json!({ "startsAt": "2030-01-01T00:00:00Z" }), json!({ "startsAt": "soon", "endsAt": "later" })] {
        let input = json!({ "jobId": job, "amount": usd("100.00"), "period": half, "idempotencyKey": key() });
        app.act(&bob, "offerSend", input).await.refused("BAD_USER_INPUT");
    }
    assert_eq!(app.count("select count(*) as n from offers").await, 1);
    assert_eq!(app.money(&ada).await, ["500.00", "0.00", "0.00"]);
    assert_eq!(app.offer_status(&bob, &offer).await, "PENDING");
}

async fn an_offer_expires_when_its_time_has_come(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    for (from, until, wanted) in
        [(HOUR, 2 * HOUR, 2 * HOUR), (HOUR, 9 * DAY, DAY + HOUR), (20 * DAY, 21 * DAY, 6 * DAY)]
    {
        let job = app.post_job(&ada).await;
        let now = app.server.platform.clock.now();
        let input = json!({ "jobId": job, "amount": usd("100.00"), "period": app.period(from, until),
            "idempotencyKey": key() });
        let sent = app.act(&bob, "offerSend", input).await.ok();
        let lives = instant(&sent["offer"]["expiresAt"]) - now.0;
        assert!((wanted..wanted + 20_000).contains(&lives), "{from} to {until}: {lives}");
    }
}

async fn a_repetition_is_not_judged_anew(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    let input =
        json!({ "jobId": job, "amount": usd("100.00"), "period": app.period(HOUR, DAY), "idempotencyKey": key() });
    let sent = app.act(&bob, "offerSend", input.clone()).await.ok();
    app.clock.advance(2 * HOUR);
    let bob = app.sign_in(&bob.email, PASSWORD).await;
    let again = app.act(&bob, "offerSend", input).await;
    assert!(again.replayed && again.payload["offer"]["id"] == sent["offer"]["id"], "{again:?}");
    // Work that should have begun an hour ago: for a day it may still be agreed to, and countered without a new time.
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    app.deposit(&ada, "500.00").await;
    let made = app.counter(&ada, &id_of(&sent, "offer"), "90.00").await.ok();
    assert_eq!(made["offer"]["period"], sent["offer"]["period"]);
    app.answer(&bob, "offerAccept", &id_of(&made, "offer")).await.ok();
    app.assert_books().await;
}

async fn nobody_is_silent_before_the_agreed_time(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let input = json!({ "jobId": job, "amount": usd("100.00"), "period": app.period(90 * DAY, 100 * DAY),
        "idempotencyKey": key() });
    let offer = id_of(&app.act(&bob, "offerSend", input).await.ok(), "offer");
    let booking = id_of(&app.answer(&ada, "offerAccept", &offer).await.ok(), "booking");
    let platform = &app.server.platform;
    app.clock.advance(76 * DAY);
    app.work();
    let overdue = async |app: &TestApp| queries::overdue(platform, app.server.platform.clock.now()).await.unwrap();
    assert_eq!(overdue(app).await, [], "the sweep counts from the end of the work as well");
    app.clock.advance(98 * DAY);
    assert_eq!(overdue(app).await, []);
    let status = async || queries::by_ids(platform, &[uuid(&booking)]).await.unwrap()[0].status.name();
    assert_eq!(status().await, "CONFIRMED");
    app.clock.advance(DAY + HOUR);
    eventually("the booking lapses", async || status().await == "CANCELLED").await;
    app.assert_books().await;
}
