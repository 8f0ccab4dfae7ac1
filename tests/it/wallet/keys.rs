//! Idempotency keys: one effect however often a request arrives, and a refusal is judged again.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use gigwire::kernel::id::UserId;
use gigwire::kernel::{Role, Roles};
use gigwire::platform::db::{Tx, q};
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd, uuid};

on_both_engines! {
    one_key_thirty_two_times_at_once_is_one_deposit,
    one_key_many_times_at_once_is_one_booking,
    a_key_belongs_to_its_input,
    a_key_belongs_to_its_viewer_and_operation,
    a_refusal_is_judged_again,
    a_repetition_shows_how_things_are_now,
    a_repetition_is_authorised_first,
    a_key_in_flight_is_waited_for,
    a_key_that_stays_in_flight_may_be_tried_again,
}

async fn one_key_thirty_two_times_at_once_is_one_deposit(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let input = json!({ "amount": usd("7.00"), "idempotencyKey": key() });
    let answers = join_all((0..32).map(|_| app.act(&ada, "depositCreate", input.clone()))).await;
    assert_eq!(answers.iter().filter(|done| !done.replayed).count(), 1, "all others say that they repeat");
    let first = answers[0].clone().ok();
    assert!(answers.into_iter().all(|done| done.ok() == first), "equal answers");
    assert_eq!(first["payment"]["status"], "COMPLETED");
    assert_eq!(app.money(&ada).await[0], "7.00");
    assert_eq!(app.count("select count(*) as n from payments").await, 1);
    assert_eq!(app.count("select count(*) as n from transfers").await, 1);
    app.assert_books().await;
}

async fn one_key_many_times_at_once_is_one_booking(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let send = json!({ "jobId": job, "amount": usd("100.00"), "idempotencyKey": key() });
    let sent = join_all((0..8).map(|_| app.act(&bob, "offerSend", send.clone()))).await;
    assert_eq!(sent.iter().filter(|done| !done.replayed).count(), 1);
    let offer = id_of(&sent[0].clone().ok(), "offer");
    assert!(sent.into_iter().all(|done| id_of(&done.ok(), "offer") == offer));
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let made = join_all((0..16).map(|_| app.act(&ada, "offerAccept", accept.clone()))).await;
    assert_eq!(made.iter().filter(|done| !done.replayed).count(), 1);
    let first = made[0].clone().ok();
    assert!(made.into_iter().all(|done| done.ok() == first), "equal answers");
    assert_eq!(app.count("select count(*) as n from bookings").await, 1);
    assert_eq!(app.money(&ada).await, ["395.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn a_key_belongs_to_its_input(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let used = key();
    let deposit = |amount: &str, currency: &str| {
        let input = json!({ "amount": { "amount": amount, "currency": currency }, "idempotencyKey": used });
        async { app.act(&ada, "depositCreate", input).await }
    };
    deposit("5.00", "USD").await.ok();
    deposit("6.00", "USD").await.refused_at("IDEMPOTENCY_MISMATCH", &["idempotencyKey"]);
    deposit("5.00", "EUR").await.refused("IDEMPOTENCY_MISMATCH");
    let same = deposit("5", "USD").await;
    assert!(same.replayed, "the same amount, written otherwise, is the same input");
    assert_eq!(app.money(&ada).await[0], "5.00");
    app.assert_books().await;
}

async fn a_key_belongs_to_its_viewer_and_operation(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await);
    let shared = "shared";
    for who in [&ada, &bob] {
        let input = json!({ "amount": usd("120.00"), "idempotencyKey": shared });
        let done = app.act(who, "depositCreate", input).await;
        assert!(!done.replayed);
        done.ok();
    }
    let job = app.post_job(&ada).await;
    let send = json!({ "jobId": job, "amount": usd("100.00"), "idempotencyKey": shared });
    let done = app.act(&bob, "offerSend", send).await;
    assert!(!done.replayed);
    let accept = json!({ "offerId": id_of(&done.ok(), "offer"), "idempotencyKey": shared });
    assert!(!app.act(&ada, "offerAccept", accept).await.replayed);
    assert_eq!(app.money(&ada).await, ["15.00", "0.00", "100.00"]);
    assert_eq!(app.money(&bob).await, ["120.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn a_refusal_is_judged_again(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "104.99").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    app.act(&ada, "offerAccept", accept.clone()).await.refused("INSUFFICIENT_FUNDS");
    app.act(&ada, "offerAccept", accept.clone()).await.refused("INSUFFICIENT_FUNDS");
    assert_eq!(app.money(&ada).await, ["104.99", "0.00", "0.00"]);
    app.assert_books().await;
    app.deposit(&ada, "0.01").await;
    let done = app.act(&ada, "offerAccept", accept).await;
    assert!(!done.replayed, "the refusals were no effects");
    done.ok();
    assert_eq!(app.money(&ada).await, ["0.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn a_repetition_shows_how_things_are_now(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let booking = id_of(&app.act(&ada, "offerAccept", accept.clone()).await.ok(), "booking");
    app.step(&bob, "bookingStart", &booking).await.ok();
    let again = app.act(&ada, "offerAccept", accept).await;
    assert!(again.replayed);
    let again = again.ok();
    assert_eq!((id_of(&again, "booking"), &again["booking"]["status"]), (booking, &json!("IN_PROGRESS")));
}

async fn a_repetition_is_authorised_first(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let input = json!({ "amount": usd("5.00"), "idempotencyKey": key() });
    app.act(&ada, "depositCreate", input.clone()).await.ok();
    let platform = &app.server.platform;
    let mut tx = platform.db.begin().await.unwrap();
    q("update users set roles = $1 where id = $2")
        .bind(Roles::of(&[Role::Contractor]).0)
        .bind(uuid::<UserId>(&ada.id))
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    app.act(&ada, "depositCreate", input.clone()).await.refused("FORBIDDEN");
    let nobody = TestUser { token: "nonsense".to_owned(), ..ada };
    app.act(&nobody, "depositCreate", input).await.refused("UNAUTHENTICATED");
}

/// Holds up whoever works with this key: on PostgreSQL by its row, on SQLite by the writer lane, which a first request
/// then waits for.
async fn held_up(app: &TestApp, who: &TestUser, used: &str) -> Tx {
    let mut tx = app.server.platform.db.begin().await.unwrap();
    if app.server.platform.db.is_postgres() {
        q("insert into idempotency (viewer_id, operation, key, input_hash, effect, created_at)
            values ($1, 'depositCreate', $2, '', '', 0)")
        .bind(uuid::<UserId>(&who.id))
        .bind(used)
        .execute(&mut tx)
        .await
        .unwrap();
    }
    tx
}

async fn a_key_in_flight_is_waited_for(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let used = key();
    let input = json!({ "amount": usd("5.00"), "idempotencyKey": used });
    let tx = held_up(app, &ada, &used).await;
    let both = join(app.act(&ada, "depositCreate", input.clone()), app.act(&ada, "depositCreate", input));
    let free = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        tx.rollback().await.unwrap();
    };
    let ((one, two), ()) = join(both, free).await;
    assert_ne!(one.replayed, two.replayed, "one did it, the other waited and repeats it");
    assert_eq!(one.ok(), two.ok());
    assert_eq!(app.money(&ada).await[0], "5.00");
    app.assert_books().await;
}

async fn a_key_that_stays_in_flight_may_be_tried_again(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let used = key();
    let input = json!({ "amount": usd("5.00"), "idempotencyKey": used });
    let tx = held_up(app, &ada, &used).await;
    let begun = Instant::now();
    let first = app.act(&ada, "depositCreate", input.clone());
    let second = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let done = app.act(&ada, "depositCreate", input.clone()).await;
        let waited = begun.elapsed();
        tx.rollback().await.unwrap();
        (done, waited)
    };
    let (first, (second, waited)) = join(first, second).await;
    second.refused_at("IDEMPOTENCY_IN_FLIGHT", &["idempotencyKey"]);
    assert!((Duration::from_secs(5)..Duration::from_secs(8)).contains(&waited), "after {waited:?}");
    if app.server.platform.db.is_postgres() {
        first.refused("IDEMPOTENCY_IN_FLIGHT");
        assert!(!app.act(&ada, "depositCreate", input.clone()).await.replayed);
    } else {
        assert!(!first.replayed);
        first.ok();
    }
    let again = app.act(&ada, "depositCreate", input).await;
    assert!(again.replayed);
    assert_eq!(app.money(&ada).await[0], "5.00");
    app.assert_books().await;
}
