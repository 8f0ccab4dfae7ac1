//! A server that puts the release of completed bookings off by two days.

use futures_util::future::join_all;
use gigwire::features::bookings::model::RELEASE;
use gigwire::features::bookings::queries;
use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::features::proof;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::platform::config::Config;
use gigwire::platform::db::q;
use serde_json::{Value, json};

use super::{Deal, fees, state};
use crate::support::app::{PASSWORD, TestApp, eventually, on_both_engines};
use crate::support::market::{id_of, key, usd, uuid};

on_both_engines! {
    with two_days:
    the_price_waits_and_then_is_paid,
    nothing_stops_or_repeats_what_is_put_off,
    staff_and_timers_put_it_off_as_well,
    the_instant_is_fixed_at_completion,
    a_lost_release_is_made_good_by_the_sweep,
    what_is_shared_is_posted_at_once,
    a_preview_moves_nothing_either,
    the_proof_knows_what_waits,
}

fn two_days(config: &mut Config) {
    config.bookings.release_delay_days = 2;
}

async fn delivered(app: &TestApp) -> Deal {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    deal
}

async fn again(app: &TestApp, deal: &mut Deal) {
    for user in [&mut deal.ada, &mut deal.bob] {
        *user = app.sign_in(&user.email, PASSWORD).await;
    }
}

async fn silence(app: &TestApp, booking: &str) -> Silence {
    let found = queries::by_ids(&app.server.platform, &[uuid(booking)]).await.unwrap();
    Silence { booking: found[0].id, version: found[0].version }
}

/// What the two may spend, what Ada has in escrow, and the fees in cents.
async fn money(app: &TestApp, deal: &Deal) -> (String, String, String, i64) {
    let [available, _, escrow] = app.money(&deal.ada).await;
    let [earned, ..] = app.money(&deal.bob).await;
    (available, escrow, earned, fees(app).await)
}

fn sums(ada: &str, escrow: &str, bob: &str, fees: i64) -> (String, String, String, i64) {
    (ada.to_owned(), escrow.to_owned(), bob.to_owned(), fees)
}

async fn waiting(app: &TestApp, deal: &Deal) -> Value {
    let text = "query ($id: ID!) { booking(id: $id) { updatedAt releasesAt availableTransitions { name } } }";
    app.gql(&deal.ada, text, json!({ "id": deal.booking })).await["data"]["booking"].take()
}

/// How often something is in the streams of people.
async fn told(app: &TestApp, kind: &str) -> i64 {
    q("select count(*) as n from events where kind = $1").bind(kind).one(&app.server.platform.db).await.unwrap()
}

async fn lines(app: &TestApp, deal: &Deal) -> Vec<String> {
    let text = "{ viewer { wallet { statement { lines { nodes { kind } } } } } }";
    let answer = app.gql(&deal.bob, text, json!({})).await;
    let lines = answer["data"]["viewer"]["wallet"]["statement"]["lines"]["nodes"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    lines.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

async fn the_price_waits_and_then_is_paid(app: &TestApp) {
    let mut deal = delivered(app).await;
    let done = app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    assert_eq!(done["booking"]["status"], "COMPLETED");
    assert_eq!(deal.state(app).await, state("COMPLETED", 4, "100.00", "COMPLETED"));
    assert_eq!(money(app, &deal).await, sums("95.00", "100.00", "0.00", 500));
    assert_eq!(app.count("select count(*) as n from earnings").await, 1, "it is earned, and not there yet");
    assert_eq!(told(app, "BookingReleased").await, 0);
    assert_eq!(lines(app, &deal).await, Vec::<String>::new());
    app.act(&deal.bob, "reviewPost", json!({ "bookingId": deal.booking, "rating": 5, "text": "Good." })).await.ok();
    app.assert_books().await;
    app.clock.advance(2 * DAY - HOUR);
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let early = end_silence(platform, &caller, silence(app, &deal.booking).await).await.unwrap_err();
    assert!(early.code.retryable(), "a task that comes too early comes again: {early}");
    app.clock.advance(HOUR + 1);
    app.work();
    eventually("the price is released", async || told(app, "BookingReleased").await == 2).await;
    again(app, &mut deal).await;
    assert_eq!(deal.state(app).await, state("COMPLETED", 5, "0.00", "COMPLETED"));
    assert_eq!(money(app, &deal).await, sums("95.00", "0.00", "80.00", 2_500));
    assert!(waiting(app, &deal).await["releasesAt"].is_null());
    assert_eq!(lines(app, &deal).await, ["RELEASE", "SERVICE_FEE"]);
    assert_eq!(app.count("select count(*) as n from earnings").await, 1);
    assert_eq!(app.count("select count(*) as n from audit where action = 'booking.release'").await, 1);
    let noticed = "select count(*) as n from notifications where kind = 'BOOKING_RELEASED'";
    assert_eq!(app.count(noticed).await, 1, "the contractor alone");
    let unread = "{ viewer { notifications(filter: { kinds: [BOOKING_RELEASED] }) { nodes { body } } } }";
    let answer = app.gql(&deal.bob, unread, json!({})).await;
    let body = &answer["data"]["viewer"]["notifications"]["nodes"][0]["body"];
    assert_eq!(*body, "The money for “Paint a wall” is in your wallet.");
    app.assert_books().await;
}

async fn nothing_stops_or_repeats_what_is_put_off(app: &TestApp) {
    let mut deal = delivered(app).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    let admin = app.admin().await;
    let before = app.traces().await;
    assert_eq!(waiting(app, &deal).await["availableTransitions"], json!([]));
    for who in [&deal.ada, &deal.bob] {
        let input =
            json!({ "bookingId": deal.booking, "reason": "LATE", "evidence": "Late.", "idempotencyKey": key() });
        app.act(who, "disputeOpen", input).await.refused_at("DISPUTE_TOO_LATE", &["bookingId"]);
    }
    for who in [&deal.ada, &admin] {
        for step in ["bookingComplete", "bookingCancel"] {
            app.step(who, step, &deal.booking).await.refused("CONFLICT");
        }
    }
    assert_eq!(app.traces().await, before);
    // Twelve workers at once, each with the same task; and once more when it is done.
    app.clock.advance(2 * DAY + 1);
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let task = silence(app, &deal.booking).await;
    let done = join_all((0..12).map(|_| end_silence(platform, &caller, task))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    end_silence(platform, &caller, silence(app, &deal.booking).await).await.unwrap();
    again(app, &mut deal).await;
    assert_eq!(money(app, &deal).await, sums("95.00", "0.00", "80.00", 2_500));
    assert_eq!(told(app, "BookingReleased").await, 2, "both parties, once");
    app.assert_books().await;
}

async fn staff_and_timers_put_it_off_as_well(app: &TestApp) {
    let deal = delivered(app).await;
    let admin = app.admin().await;
    app.step(&admin, "bookingComplete", &deal.booking).await.ok();
    assert_eq!(deal.state(app).await, state("COMPLETED", 4, "100.00", "COMPLETED"));
    let mut other = delivered(app).await;
    app.clock.advance(14 * DAY + 1);
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    end_silence(platform, &caller, silence(app, &other.booking).await).await.unwrap();
    again(app, &mut other).await;
    assert_eq!(other.state(app).await, state("COMPLETED", 4, "100.00", "COMPLETED"));
    app.assert_books().await;
    app.clock.advance(2 * DAY + 1);
    for booking in [&deal.booking, &other.booking] {
        end_silence(platform, &caller, silence(app, booking).await).await.unwrap();
    }
    assert_eq!(app.count("select count(*) as n from bookings where releases_at is not null").await, 0);
    assert_eq!(fees(app).await, 5_000);
    app.assert_books().await;
}

async fn the_instant_is_fixed_at_completion(app: &TestApp) {
    let deal = delivered(app).await;
    app.clock.advance(14 * DAY + 1);
    // A server with another setting completes it, and this one goes on.
    let mut patient = (*app.server.platform).clone();
    patient.config.bookings.release_delay_days = 5;
    let caller = Caller::system("test");
    end_silence(&patient, &caller, silence(app, &deal.booking).await).await.unwrap();
    let found = queries::by_ids(&patient, &[uuid(&deal.booking)]).await.unwrap().remove(0);
    assert_eq!(found.releases_at, Some(found.updated_at.plus(5 * DAY)));
    let at = "select run_at as n from tasks where kind = 'booking.release'";
    assert_eq!(Some(app.count(at).await), found.releases_at.map(|at| at.0));
    app.clock.advance(3 * DAY);
    let mut eager = patient.clone();
    eager.config.bookings.release_delay_days = 0;
    for platform in [&*app.server.platform, &eager] {
        end_silence(platform, &caller, silence(app, &deal.booking).await).await.unwrap();
        let found = queries::by_ids(platform, &[uuid(&deal.booking)]).await.unwrap().remove(0);
        assert!(found.releases_at.is_some(), "another setting makes it no earlier");
        assert!(queries::overdue(platform, platform.clock.now()).await.unwrap().is_empty());
    }
    app.clock.advance(2 * DAY + 1);
    end_silence(&eager, &caller, silence(app, &deal.booking).await).await.unwrap();
    assert_eq!(fees(app).await, 2_500);
    app.assert_books().await;
}

async fn a_lost_release_is_made_good_by_the_sweep(app: &TestApp) {
    let deal = delivered(app).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    let mut tx = app.server.platform.db.begin().await.unwrap();
    assert_eq!(q("delete from tasks where kind = $1").bind(RELEASE).execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    app.clock.advance(2 * DAY + 2 * HOUR);
    app.work();
    eventually("the sweep pays", async || told(app, "BookingReleased").await == 2).await;
    assert_eq!(fees(app).await, 2_500);
    app.assert_books().await;
}

async fn what_is_shared_is_posted_at_once(app: &TestApp) {
    let deal = delivered(app).await;
    let input = json!({ "bookingId": deal.booking, "reason": "LATE", "evidence": "Late.", "idempotencyKey": key() });
    let dispute = id_of(&app.act(&deal.ada, "disputeOpen", input).await.ok(), "dispute");
    app.act(&deal.ada, "disputePropose", json!({ "disputeId": dispute, "toCustomer": usd("0") })).await.ok();
    let input = json!({ "disputeId": dispute, "proposalNumber": 1, "idempotencyKey": key() });
    app.act(&deal.bob, "disputeAcceptProposal", input).await.ok();
    assert_eq!(deal.state(app).await["escrow"]["amount"], "0.00");
    assert_eq!(money(app, &deal).await, sums("95.00", "0.00", "80.00", 2_500));
    assert_eq!(app.count("select count(*) as n from tasks where kind = 'booking.release'").await, 0);
    app.assert_books().await;
}

async fn a_preview_moves_nothing_either(app: &TestApp) {
    let deal = delivered(app).await;
    let text = "query ($id: ID!) { transitionPreview(id: $id, name: BOOKING_COMPLETE) { bookingStatus
        moneyEffect { escrow { amount } } wallet { escrow { amount } } userErrors { code } }
        booking(id: $id) { availableTransitions { name moneyEffect { escrow { amount } } } } }";
    let answer = app.gql(&deal.ada, text, json!({ "id": deal.booking })).await;
    let wanted = json!({ "bookingStatus": "COMPLETED", "moneyEffect": null,
        "wallet": { "escrow": { "amount": "100.00" } }, "userErrors": [] });
    assert_eq!(answer["data"]["transitionPreview"], wanted);
    let complete = &answer["data"]["booking"]["availableTransitions"][0];
    assert_eq!(*complete, json!({ "name": "BOOKING_COMPLETE", "moneyEffect": null }));
}

async fn the_proof_knows_what_waits(app: &TestApp) {
    let deal = delivered(app).await;
    app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
    let platform = &app.server.platform;
    assert!(proof::queries::patient(platform).await.unwrap().is_proved());
    let forget = async |sql: &'static str| {
        let mut tx = platform.db.begin().await.unwrap();
        q(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let proof = proof::queries::patient(platform).await.unwrap();
        proof.checks.into_iter().filter(|it| it.findings > 0).map(|it| it.check).collect::<Vec<_>>()
    };
    // A booking that forgets what it owes, and one that is to be paid twice.
    assert_eq!(forget("update bookings set releases_at = null").await, [proof::Check::Escrows]);
    assert!(forget("update bookings set releases_at = 1").await.is_empty());
    let mut eager = (**platform).clone();
    eager.config.bookings.release_delay_days = 0;
    end_silence(&eager, &Caller::system("test"), silence(app, &deal.booking).await).await.unwrap();
    assert!(proof::queries::patient(platform).await.unwrap().is_proved());
    assert_eq!(forget("update bookings set releases_at = 1").await, [proof::Check::Escrows]);
    let twice = end_silence(platform, &Caller::system("test"), silence(app, &deal.booking).await).await;
    assert!(twice.is_err(), "an empty escrow pays nobody");
}
