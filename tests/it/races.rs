//! Many at once, on SQLite and over two instances on PostgreSQL: of those who exclude each other one wins, nobody sees an
//! error of the machinery, and the books hold.

use std::sync::Arc;

use futures_util::future::join_all;
use gigwire::features::offers::commands::expire;
use gigwire::features::offers::settling::expire_job;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::json;
use tokio::sync::Barrier;

use crate::support::app::{PASSWORD, TestApp, TestUser};
use crate::support::market::{Done, id_of, key, usd, uuid};

/// Runs each case on one SQLite and on two instances.
macro_rules! raced {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(Arena { app: super::TestApp::sqlite().await, instances: 1, rounds: 10 }).await;
            })*
            use super::Arena;
        }
        mod scaled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(Arena { app: super::TestApp::scaled(2).await, instances: 2, rounds: super::rounds() }).await;
            })*
            use super::Arena;
        }
    };
}
raced! {
    two_accepts_of_one_job_make_one_booking,
    an_accept_meets_a_withdrawal,
    an_accept_meets_a_decline,
    an_accept_meets_the_end_of_time,
    one_way_on_of_all_is_taken,
    a_job_is_cancelled_or_assigned,
    a_job_expires_once,
    the_last_balance_is_spent_once,
    a_withdrawal_meets_the_next_offer,
    a_completion_meets_a_cancellation,
    opposite_directions_do_not_block_each_other,
}

/// How often each race is run over two instances: `GIGWIRE_RACE_ROUNDS=10000 scripts/test --rust races` takes its time.
fn rounds() -> usize {
    std::env::var("GIGWIRE_RACE_ROUNDS").map_or(50, |rounds| rounds.parse().unwrap())
}

struct Arena {
    app: TestApp,
    instances: usize,
    rounds: usize,
}

/// What somebody does in a race.
type Move<'a> = (&'a TestUser, &'static str, serde_json::Value);

impl Arena {
    async fn people(&self, money: &str) -> (TestUser, TestUser, TestUser) {
        let ada = self.app.sign_up(&["CUSTOMER"]).await;
        self.app.deposit(&ada, money).await;
        (ada, self.app.sign_up(&["CONTRACTOR"]).await, self.app.sign_up(&["CONTRACTOR"]).await)
    }

    /// Does all of it at the same moment, spread over the instances.
    async fn at_once(&self, moves: Vec<Move<'_>>) -> Vec<Done> {
        let barrier = Arc::new(Barrier::new(moves.len()));
        let run = moves.into_iter().enumerate().map(|(turn, (who, mutation, input))| {
            let (barrier, on) = (barrier.clone(), self.app.on(turn % self.instances));
            async move {
                barrier.wait().await;
                on.act(who, mutation, input).await
            }
        });
        join_all(run).await
    }
}

fn offer(id: &str) -> serde_json::Value {
    json!({ "offerId": id })
}

fn keyed(id: &str) -> serde_json::Value {
    json!({ "offerId": id, "idempotencyKey": key() })
}

/// Which of them was done; the others were refused, each for one of these reasons.
#[track_caller]
fn winners(done: &[Done], codes: &[&str]) -> Vec<usize> {
    for refusal in done.iter().filter_map(Done::refusal) {
        assert!(codes.contains(&refusal), "{done:#?}");
    }
    (0..done.len()).filter(|turn| done[*turn].refusal().is_none()).collect()
}

async fn two_accepts_of_one_job_make_one_booking(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("100000.00").await;
    // The race that matters most is run most often.
    let rounds = arena.rounds * 4;
    for round in 0..rounds {
        let job = app.post_job(&ada).await;
        let one = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        let two = match round % 2 {
            0 => (&eve, id_of(&app.offer_to(&ada, &job, &eve, "20.00").await.ok(), "offer")),
            _ => (&ada, id_of(&app.offer(&eve, &job, "20.00").await.ok(), "offer")),
        };
        let done = arena.at_once(vec![(&bob, "offerAccept", keyed(&one)), (two.0, "offerAccept", keyed(&two.1))]).await;
        assert_eq!(winners(&done, &["CONFLICT"]).len(), 1, "round {round}");
        let shown = done.iter().find(|done| done.refusal().is_some()).unwrap();
        assert_eq!(shown.payload["offer"]["status"], "DECLINED", "the loser sees what became of its offer");
    }
    assert_eq!(app.count("select count(*) as n from bookings").await, rounds as i64);
    app.assert_books().await;
}

async fn accept_against(arena: &Arena, rival: &'static str) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("100000.00").await;
    let mut bookings = 0;
    for round in 0..arena.rounds {
        let job = app.post_job(&ada).await;
        let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        let against = if rival == "offerWithdraw" { &ada } else { &bob };
        let mut moves = vec![(&bob, "offerAccept", keyed(&id)), (against, rival, offer(&id))];
        moves.rotate_left(round % 2);
        let done = arena.at_once(moves).await;
        let won = winners(&done, &["CONFLICT"]);
        assert_eq!(won.len(), 1, "round {round}: {done:#?}");
        bookings += i64::from(done[won[0]].payload["booking"].is_object());
    }
    assert_eq!(app.count("select count(*) as n from bookings").await, bookings);
    app.assert_books().await;
}

async fn an_accept_meets_a_withdrawal(arena: Arena) {
    accept_against(&arena, "offerWithdraw").await;
}

async fn an_accept_meets_a_decline(arena: Arena) {
    accept_against(&arena, "offerDecline").await;
}

async fn an_accept_meets_the_end_of_time(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("100000.00").await;
    let mut ids = Vec::new();
    for _ in 0..arena.rounds {
        let job = app.post_job(&ada).await;
        ids.push(id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer"));
    }
    // Just before the end, so that some accepts come in time.
    app.clock.advance(6 * DAY - 3_000);
    let bob = app.sign_in(&bob.email, PASSWORD).await;
    let caller = Caller::system("test");
    let rest = arena.rounds / 2;
    let done = arena.at_once(ids[rest..].iter().map(|id| (&bob, "offerAccept", keyed(id))).collect()).await;
    let in_time = winners(&done, &["OFFER_EXPIRED", "CONFLICT"]).len();
    app.clock.advance(DAY);
    let bob = app.sign_in(&bob.email, PASSWORD).await;
    let late = arena.at_once(ids[..rest].iter().map(|id| (&bob, "offerAccept", keyed(id))).collect());
    let expiring = join_all(ids.iter().map(|id| expire(&app.server.platform, &caller, uuid(id))));
    let (late, expired) = tokio::join!(late, expiring);
    assert!(winners(&late, &["OFFER_EXPIRED", "CONFLICT"]).is_empty(), "nothing is accepted after its time");
    assert!(expired.iter().all(Result::is_ok), "an offer that has ended is left alone: {expired:?}");
    assert_eq!(app.count("select count(*) as n from bookings").await, in_time as i64);
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING'").await, 0);
    app.assert_books().await;
}

/// Accept, decline, counter, withdraw, and the job's cancellation: the offer ends once.
async fn one_way_on_of_all_is_taken(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("1000000.00").await;
    for round in 0..arena.rounds {
        let job = app.post_job(&ada).await;
        let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        let counter = json!({ "offerId": id, "amount": usd("12.00"), "idempotencyKey": key() });
        let cancel = json!({ "jobId": job, "idempotencyKey": key() });
        let mut moves = vec![
            (&bob, "offerAccept", keyed(&id)),
            (&bob, "offerDecline", offer(&id)),
            (&bob, "offerCounter", counter),
            (&ada, "offerWithdraw", offer(&id)),
            (&ada, "jobCancel", cancel),
        ];
        moves.rotate_left(round % 5);
        let names: Vec<_> = moves.iter().map(|(_, name, _)| *name).collect();
        let done = arena.at_once(moves).await;
        let won: Vec<_> = winners(&done, &["CONFLICT"]).into_iter().map(|turn| names[turn]).collect();
        // The job may be cancelled behind an offer that ended without a booking.
        let ends = won.iter().filter(|name| **name != "jobCancel").count();
        assert!(ends == 1 || (ends == 0 && won == ["jobCancel"]), "round {round}: {won:?} {done:#?}");
        assert!(!(won.contains(&"offerAccept") && won.contains(&"jobCancel")), "round {round}: {won:?}");
        for lost in done.iter().filter(|done| done.refusal().is_some() && done.payload["offer"].is_object()) {
            assert_ne!(lost.payload["offer"]["status"], "PENDING", "a loser sees what became of it");
        }
    }
    assert_eq!(app.count("select count(*) as n from offers where status <> 'PENDING' and version <> 2").await, 0);
    app.assert_books().await;
}

async fn a_job_is_cancelled_or_assigned(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("1000000.00").await;
    for round in 0..arena.rounds {
        let job = app.post_job(&ada).await;
        let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        let send = json!({ "jobId": job, "amount": usd("9.00"), "idempotencyKey": key() });
        let mut moves = vec![
            (&bob, "offerAccept", keyed(&id)),
            (&ada, "jobCancel", json!({ "jobId": job, "idempotencyKey": key() })),
            (&eve, "offerSend", send),
        ];
        moves.rotate_left(round % 3);
        let done = arena.at_once(moves).await;
        let won = winners(&done, &["CONFLICT"]);
        let ends = won
            .iter()
            .filter(|turn| !done[**turn].payload["job"].is_null() || !done[**turn].payload["booking"].is_null());
        assert_eq!(ends.count(), 1, "round {round}: {done:#?}");
    }
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING'").await, 0);
    app.assert_books().await;
}

async fn a_job_expires_once(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("1000000.00").await;
    let mut jobs = Vec::new();
    for _ in 0..arena.rounds {
        jobs.push(app.post_job(&ada).await);
    }
    app.clock.advance(27 * DAY);
    let (ada, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&bob.email, PASSWORD).await);
    let eve = app.sign_in(&eve.email, PASSWORD).await;
    let mut ids = Vec::new();
    for job in &jobs {
        ids.push(id_of(&app.offer_to(&ada, job, &bob, "10.00").await.ok(), "offer"));
        app.offer(&eve, job, "11.00").await.ok();
    }
    app.clock.advance(3 * DAY);
    let (ada, caller) = (app.sign_in(&ada.email, PASSWORD).await, Caller::system("test"));
    let withdraws = arena.at_once(ids.iter().map(|id| (&ada, "offerWithdraw", offer(id))).collect());
    let platform = &app.on(arena.instances - 1).server.platform;
    let by_offer = join_all(ids.iter().map(|id| expire(platform, &caller, uuid(id))));
    let by_job = join_all(jobs.iter().map(|job| expire_job(&app.server.platform, &caller, uuid(job))));
    let (done, by_offer, by_job) = tokio::join!(withdraws, by_offer, by_job);
    let withdrawn = winners(&done, &["CONFLICT"]).len() as i64;
    assert!(by_offer.iter().chain(&by_job).all(Result::is_ok), "{by_offer:?} {by_job:?}");
    assert_eq!(
        app.count("select count(*) as n from jobs where status = 'EXPIRED' and version = 2").await,
        jobs.len() as i64
    );
    assert_eq!(app.count("select count(*) as n from offers where status = 'WITHDRAWN'").await, withdrawn);
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING' or version <> 2").await, 0);
    app.assert_books().await;
}

async fn the_last_balance_is_spent_once(arena: Arena) {
    let app = &arena.app;
    for _ in 0..arena.rounds.min(10) {
        let (ada, bob, eve) = arena.people("105.00").await;
        let mut moves = Vec::new();
        for turn in 0..6 {
            let job = app.post_job(&ada).await;
            let contractor = if turn % 2 == 0 { &bob } else { &eve };
            moves.push(match turn % 3 {
                0 => (&ada, "offerAccept", keyed(&id_of(&app.offer(contractor, &job, "100.00").await.ok(), "offer"))),
                _ => {
                    let input = json!({ "jobId": job, "contractorId": contractor.id, "amount": usd("100.00"),
                        "idempotencyKey": key() });
                    (&ada, "offerSend", input)
                }
            });
        }
        let done = arena.at_once(moves).await;
        assert_eq!(winners(&done, &["INSUFFICIENT_FUNDS"]).len(), 1, "{done:#?}");
        assert_eq!(app.money(&ada).await[0], "0.00");
    }
    app.assert_books().await;
}

async fn a_withdrawal_meets_the_next_offer(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("100000.00").await;
    let job = app.post_job(&ada).await;
    for _ in 0..arena.rounds {
        let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        let next = json!({ "jobId": job, "contractorId": bob.id, "amount": usd("20.00"), "idempotencyKey": key() });
        let done = arena.at_once(vec![(&ada, "offerWithdraw", offer(&id)), (&ada, "offerSend", next)]).await;
        let won = winners(&done, &["OFFER_EXISTS"]);
        assert_eq!(won[0], 0, "withdrawing always succeeds: {done:#?}");
        if won.len() == 2 {
            app.answer(&bob, "offerDecline", &id_of(&done[1].payload, "offer")).await.ok();
        }
    }
    assert_eq!(app.money(&ada).await, ["100000.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn a_completion_meets_a_cancellation(arena: Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("100000.00").await;
    for round in 0..arena.rounds * 4 {
        let booking = app.book(&ada, &bob).await;
        let plain = json!({ "bookingId": booking });
        let cancel = || json!({ "bookingId": booking, "reason": "No time", "idempotencyKey": key() });
        let complete = || json!({ "bookingId": booking, "idempotencyKey": key() });
        let begun = vec![
            (&bob, "bookingStart", plain.clone()),
            (&ada, "bookingCancel", cancel()),
            (&bob, "bookingCancel", cancel()),
        ];
        let done = arena.at_once(begun).await;
        assert_eq!(winners(&done, &["CONFLICT"]).len(), 1, "round {round}: {done:#?}");
        if done[0].refusal().is_some() {
            continue;
        }
        app.step(&bob, "bookingDeliver", &booking).await.ok();
        let ends = vec![
            (&ada, "bookingComplete", complete()),
            (&bob, "bookingCancel", cancel()),
            (&ada, "bookingComplete", complete()),
        ];
        let done = arena.at_once(ends).await;
        assert_eq!(winners(&done, &["CONFLICT"]).len(), 1, "round {round}: {done:#?}");
        assert!(done[1].refusal().is_some(), "what is delivered is not cancelled");
    }
    app.assert_books().await;
}

/// Money goes both ways between the same two people, and nobody hears of a deadlock.
async fn opposite_directions_do_not_block_each_other(arena: Arena) {
    let app = &arena.app;
    let (ada, bob) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await);
    app.deposit(&ada, "100000.00").await;
    app.deposit(&bob, "100000.00").await;
    let arena = &arena;
    let (pair, other) = ([&ada, &bob], [&bob, &ada]);
    let flows = (0..8).map(|turn| {
        let (customer, contractor) = (pair[turn % 2], other[turn % 2]);
        let on = app.on(turn % arena.instances);
        async move {
            for round in 0..arena.rounds / 5 {
                let booking = on.book(customer, contractor).await;
                if round % 3 == 2 {
                    on.step(contractor, "bookingCancel", &booking).await.ok();
                    continue;
                }
                on.step(contractor, "bookingStart", &booking).await.ok();
                on.step(contractor, "bookingDeliver", &booking).await.ok();
                on.step(customer, "bookingComplete", &booking).await.ok();
            }
        }
    });
    join_all(flows).await;
    app.assert_books().await;
}
