//! Many at once, on SQLite and over two instances on PostgreSQL: of those who exclude each other one wins, nobody sees an
//! error of the machinery, and the books hold.

use std::cell::Cell;

use futures_util::future::join_all;
use gigwire::features::offers::commands::expire;
use gigwire::features::offers::settling::expire_job;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::json;

use crate::support::app::{PASSWORD, TestUser};
use crate::support::arena::{Arena, raced, winners};
use crate::support::market::{id_of, key, usd, uuid};

raced! {
    two_accepts_of_one_job_make_one_booking,
    an_accept_meets_a_withdrawal,
    an_accept_meets_a_decline,
    an_accept_meets_the_end_of_time,
    one_way_on_of_all_is_taken,
    one_key_thirty_two_times_at_once_is_one_booking,
    a_job_is_cancelled_or_assigned,
    a_job_expires_once,
    the_last_balance_is_spent_once,
    a_withdrawal_meets_the_next_offer,
    a_completion_meets_a_cancellation,
    opposite_directions_do_not_block_each_other,
}

fn offer(id: &str) -> serde_json::Value {
    json!({ "offerId": id })
}

fn keyed(id: &str) -> serde_json::Value {
    json!({ "offerId": id, "idempotencyKey": key() })
}

async fn two_accepts_of_one_job_make_one_booking(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("10000000.00").await;
    arena
        .each(arena.rounds, async |round| {
            let job = app.post_job(&ada).await;
            let one = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
            let two = match round % 2 {
                0 => (&eve, id_of(&app.offer_to(&ada, &job, &eve, "20.00").await.ok(), "offer")),
                _ => (&ada, id_of(&app.offer(&eve, &job, "20.00").await.ok(), "offer")),
            };
            let done =
                arena.at_once(vec![(&bob, "offerAccept", keyed(&one)), (two.0, "offerAccept", keyed(&two.1))]).await;
            assert_eq!(winners(&done, &["CONFLICT"]).len(), 1, "round {round}");
            let shown = done.iter().find(|done| done.refusal().is_some()).unwrap();
            assert_eq!(shown.payload["offer"]["status"], "DECLINED", "the loser sees what became of its offer");
        })
        .await;
    assert_eq!(app.count("select count(*) as n from bookings").await, arena.rounds as i64);
    app.assert_books().await;
}

async fn accept_against(arena: &Arena, rival: &'static str) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("10000000.00").await;
    let bookings = Cell::new(0);
    arena
        .each(arena.fewer(), async |round| {
            let job = app.post_job(&ada).await;
            let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
            let against = if rival == "offerWithdraw" { &ada } else { &bob };
            let moves = vec![(&bob, "offerAccept", keyed(&id)), (against, rival, offer(&id))];
            let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
            assert_eq!(won.len(), 1, "round {round}: {won:#?}");
            bookings.set(bookings.get() + i64::from(won[0].1.payload["booking"].is_object()));
        })
        .await;
    assert_eq!(app.count("select count(*) as n from bookings").await, bookings.get());
    app.assert_books().await;
}

async fn an_accept_meets_a_withdrawal(arena: &Arena) {
    accept_against(arena, "offerWithdraw").await;
}

async fn an_accept_meets_a_decline(arena: &Arena) {
    accept_against(arena, "offerDecline").await;
}

async fn an_accept_meets_the_end_of_time(arena: &Arena) {
    let app = &arena.app;
    let (mut ada, mut bob, _) = arena.people("10000000.00").await;
    let mut in_time = 0;
    for wave in arena.waves(arena.rounds) {
        let ids = arena.made(wave, async |_| pending(arena, &ada, &bob).await).await;
        // Just before the end, so that some accepts come in time.
        app.clock.advance(6 * DAY - 3_000);
        bob = app.sign_in(&bob.email, PASSWORD).await;
        let (late, rest) = ids.split_at(ids.len() / 2);
        let done = arena.at_once(rest.iter().map(|id| (&bob, "offerAccept", keyed(id))).collect()).await;
        in_time += winners(&done, &["OFFER_EXPIRED", "CONFLICT"]).len() as i64;
        app.clock.advance(DAY);
        bob = app.sign_in(&bob.email, PASSWORD).await;
        let caller = Caller::system("test");
        let late = late.iter().map(|id| (&bob, "offerAccept", keyed(id))).collect();
        let expiring = join_all(ids.iter().map(|id| expire(&app.server.platform, &caller, uuid(id))));
        let (late, expired) = tokio::join!(arena.at_once(late), expiring);
        assert!(winners(&late, &["OFFER_EXPIRED", "CONFLICT"]).is_empty(), "nothing is accepted after its time");
        assert!(expired.iter().all(Result::is_ok), "an offer that has ended is left alone: {expired:?}");
        ada = app.sign_in(&ada.email, PASSWORD).await;
    }
    assert_eq!(app.count("select count(*) as n from bookings").await, in_time);
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING'").await, 0);
    app.assert_books().await;
}

/// A customer's offer for a new job, which waits for the contractor.
async fn pending(arena: &Arena, customer: &TestUser, contractor: &TestUser) -> String {
    let job = arena.app.post_job(customer).await;
    id_of(&arena.app.offer_to(customer, &job, contractor, "10.00").await.ok(), "offer")
}

/// However often a request arrives, at whichever instance: one booking, and the same answer for all.
async fn one_key_thirty_two_times_at_once_is_one_booking(arena: &Arena) {
    let (ada, bob, _) = arena.people("10000000.00").await;
    let rounds = arena.rounds / 20;
    for round in 0..rounds {
        let id = pending(arena, &ada, &bob).await;
        let done = arena.at_once(vec![(&bob, "offerAccept", keyed(&id)); 32]).await;
        assert_eq!(
            done.iter().filter(|done| !done.replayed).count(),
            1,
            "round {round}: the others say that they repeat"
        );
        let first = done[0].clone().ok();
        assert!(done.into_iter().all(|done| done.ok() == first), "round {round}: equal answers");
    }
    assert_eq!(arena.app.count("select count(*) as n from bookings").await, rounds as i64);
    arena.app.assert_books().await;
}

/// Accept, decline, counter, withdraw, and the job's cancellation: the offer ends once.
async fn one_way_on_of_all_is_taken(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("10000000.00").await;
    arena
        .each(arena.fewer(), async |round| {
            let job = app.post_job(&ada).await;
            let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
            let counter = json!({ "offerId": id, "amount": usd("12.00"), "idempotencyKey": key() });
            let cancel = json!({ "jobId": job, "idempotencyKey": key() });
            let moves = vec![
                (&bob, "offerAccept", keyed(&id)),
                (&bob, "offerDecline", offer(&id)),
                (&bob, "offerCounter", counter),
                (&ada, "offerWithdraw", offer(&id)),
                (&ada, "jobCancel", cancel),
            ];
            let (won, lost) = arena.race(round, moves, &["CONFLICT"]).await;
            let won: Vec<_> = won.into_iter().map(|(name, _)| name).collect();
            // The job may be cancelled behind an offer that ended without a booking.
            let ends = won.iter().filter(|name| **name != "jobCancel").count();
            assert!(ends == 1 || (ends == 0 && won == ["jobCancel"]), "round {round}: {won:?} {lost:#?}");
            assert!(!(won.contains(&"offerAccept") && won.contains(&"jobCancel")), "round {round}: {won:?}");
            for (_, lost) in lost.iter().filter(|(_, lost)| lost.payload["offer"].is_object()) {
                assert_ne!(lost.payload["offer"]["status"], "PENDING", "a loser sees what became of it");
            }
        })
        .await;
    assert_eq!(app.count("select count(*) as n from offers where status <> 'PENDING' and version <> 2").await, 0);
    app.assert_books().await;
}

async fn a_job_is_cancelled_or_assigned(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("10000000.00").await;
    arena
        .each(arena.fewer(), async |round| {
            let job = app.post_job(&ada).await;
            let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
            let send = json!({ "jobId": job, "amount": usd("9.00"), "idempotencyKey": key() });
            let moves = vec![
                (&bob, "offerAccept", keyed(&id)),
                (&ada, "jobCancel", json!({ "jobId": job, "idempotencyKey": key() })),
                (&eve, "offerSend", send),
            ];
            let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
            let ends = won.iter().filter(|(name, _)| ["offerAccept", "jobCancel"].contains(name));
            assert_eq!(ends.count(), 1, "round {round}: {won:#?}");
        })
        .await;
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING'").await, 0);
    app.assert_books().await;
}

async fn a_job_expires_once(arena: &Arena) {
    let app = &arena.app;
    let (mut ada, mut bob, mut eve) = arena.people("10000000.00").await;
    let mut withdrawn = 0;
    for wave in arena.waves(arena.rounds) {
        let jobs = arena.made(wave, async |_| app.post_job(&ada).await).await;
        app.clock.advance(27 * DAY);
        for user in [&mut ada, &mut bob, &mut eve] {
            *user = app.sign_in(&user.email, PASSWORD).await;
        }
        let offers = arena.made(0..jobs.len(), async |turn| {
            app.offer(&eve, &jobs[turn], "11.00").await.ok();
            id_of(&app.offer_to(&ada, &jobs[turn], &bob, "10.00").await.ok(), "offer")
        });
        let ids = offers.await;
        app.clock.advance(3 * DAY);
        ada = app.sign_in(&ada.email, PASSWORD).await;
        let caller = Caller::system("test");
        let withdraws = arena.at_once(ids.iter().map(|id| (&ada, "offerWithdraw", offer(id))).collect());
        let platform = &app.on(arena.instances - 1).server.platform;
        let by_offer = join_all(ids.iter().map(|id| expire(platform, &caller, uuid(id))));
        let by_job = join_all(jobs.iter().map(|job| expire_job(&app.server.platform, &caller, uuid(job))));
        let (done, by_offer, by_job) = tokio::join!(withdraws, by_offer, by_job);
        withdrawn += winners(&done, &["CONFLICT"]).len() as i64;
        assert!(by_offer.iter().chain(&by_job).all(Result::is_ok), "{by_offer:?} {by_job:?}");
    }
    let expired = "select count(*) as n from jobs where status = 'EXPIRED' and version = 2";
    assert_eq!(app.count(expired).await, arena.rounds as i64);
    assert_eq!(app.count("select count(*) as n from offers where status = 'WITHDRAWN'").await, withdrawn);
    assert_eq!(app.count("select count(*) as n from offers where status = 'PENDING' or version <> 2").await, 0);
    app.assert_books().await;
}

async fn the_last_balance_is_spent_once(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, eve) = arena.people("105.00").await;
    for _ in 0..arena.rounds / 10 {
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
        app.deposit(&ada, "105.00").await;
    }
    app.assert_books().await;
}

async fn a_withdrawal_meets_the_next_offer(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("10000000.00").await;
    arena
        .each(arena.fewer(), async |_| {
            let job = app.post_job(&ada).await;
            let id = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
            let next = json!({ "jobId": job, "contractorId": bob.id, "amount": usd("20.00"), "idempotencyKey": key() });
            let done = arena.at_once(vec![(&ada, "offerWithdraw", offer(&id)), (&ada, "offerSend", next)]).await;
            let won = winners(&done, &["OFFER_EXISTS"]);
            assert_eq!(won[0], 0, "withdrawing always succeeds: {done:#?}");
            if won.len() == 2 {
                app.answer(&bob, "offerDecline", &id_of(&done[1].payload, "offer")).await.ok();
            }
        })
        .await;
    assert_eq!(app.money(&ada).await, ["10000000.00", "0.00", "0.00"]);
    app.assert_books().await;
}

async fn a_completion_meets_a_cancellation(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("10000000.00").await;
    arena
        .each(arena.rounds, async |round| {
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
                return;
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
        })
        .await;
    app.assert_books().await;
}

/// Money goes both ways between the same two people, and nobody hears of a deadlock.
async fn opposite_directions_do_not_block_each_other(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await);
    app.deposit(&ada, "10000000.00").await;
    app.deposit(&bob, "10000000.00").await;
    let arena = &arena;
    let (pair, other) = ([&ada, &bob], [&bob, &ada]);
    let flows = (0..8).map(|turn| {
        let (customer, contractor) = (pair[turn % 2], other[turn % 2]);
        let on = app.on(turn % arena.instances);
        async move {
            for round in 0..arena.rounds / 20 {
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
