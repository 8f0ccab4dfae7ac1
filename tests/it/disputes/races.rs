//! Endings at the same moment, on SQLite and over two instances on PostgreSQL: of several one is done.

use std::sync::Arc;

use futures_util::future::join_all;
use gigwire::features::bookings;
use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{Deal, decision, open};
use crate::support::app::{PASSWORD, TestApp, TestUser};
use crate::support::market::{Done, id_of, key, usd, uuid};

/// Runs each case on one SQLite and on two instances.
macro_rules! raced {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&super::TestApp::sqlite().await, 1).await;
            })*
        }
        mod scaled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&super::TestApp::scaled(2).await, 2).await;
            })*
        }
    };
}
raced! {
    decision_agreement_and_withdrawal_are_one_ending,
    the_timer_meets_a_dispute,
    both_open_at_once_and_one_does,
}

const ROUNDS: usize = 12;

async fn at_once(app: &TestApp, instances: usize, moves: Vec<(&TestUser, &str, Value)>) -> Vec<Done> {
    let barrier = Arc::new(Barrier::new(moves.len()));
    let run = moves.into_iter().enumerate().map(|(turn, (who, mutation, input))| {
        let (barrier, on) = (barrier.clone(), app.on(turn % instances));
        async move {
            barrier.wait().await;
            on.act(who, mutation, input).await
        }
    });
    join_all(run).await
}

async fn decision_agreement_and_withdrawal_are_one_ending(app: &TestApp, instances: usize) {
    let mut deal = Deal::new(app, &[]).await;
    let admin = app.admin().await;
    app.deposit(&deal.ada, "5000.00").await;
    for round in 0..ROUNDS {
        deal.propose(app, &deal.bob, "40.00").await.ok();
        let accept = json!({ "disputeId": deal.dispute, "proposalNumber": 1, "idempotencyKey": key() });
        let withdraw = json!({ "disputeId": deal.dispute });
        let mut moves = vec![
            (&admin, "disputeDecide", decision(&deal.dispute, ["10.00", "80.00", "10.00"], "KEPT")),
            (&deal.ada, "disputeAcceptProposal", accept),
            (&deal.ada, "disputeWithdraw", withdraw),
        ];
        moves.rotate_left(round % 3);
        let done = at_once(app, instances, moves).await;
        assert_eq!(done.iter().filter(|done| done.refusal().is_none()).count(), 1, "round {round}: {done:#?}");
        assert!(done.iter().all(|done| matches!(done.refusal(), None | Some("CONFLICT"))), "{done:#?}");
        app.assert_books().await;
        deal.booking = app.book(&deal.ada, &deal.bob).await;
        deal.dispute = id_of(&open(app, &deal.ada, &deal.booking).await.ok(), "dispute");
    }
    assert_eq!(app.count("select count(*) as n from disputes where ended_at is not null").await, ROUNDS as i64);
}

async fn the_timer_meets_a_dispute(app: &TestApp, instances: usize) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "5000.00").await;
    let mut waiting = Vec::new();
    for _ in 0..ROUNDS {
        let booking = app.book(&ada, &bob).await;
        for step in ["bookingStart", "bookingDeliver"] {
            app.step(&bob, step, &booking).await.ok();
        }
        waiting.push(booking);
    }
    app.clock.advance(15 * DAY);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    let input = |booking: &String| json!({ "bookingId": booking, "reason": "LATE", "evidence": "Two weeks.", "idempotencyKey": key() });
    let opened = at_once(app, instances, waiting.iter().map(|id| (&ada, "disputeOpen", input(id))).collect());
    let caller = Caller::system("test");
    let timer = |(turn, id): (usize, &String)| {
        let platform = &app.on(turn % instances).server.platform;
        end_silence(platform, &caller, Silence { booking: uuid(id), version: 3 })
    };
    let timers = join_all(waiting.iter().enumerate().map(timer));
    let (opened, timers) = tokio::join!(opened, timers);
    assert!(timers.iter().all(Result::is_ok), "{timers:?}");
    let platform = &app.server.platform;
    for (done, booking) in opened.iter().zip(&waiting) {
        let found = bookings::queries::by_ids(platform, &[uuid(booking)]).await.unwrap();
        let wanted = match done.refusal() {
            None => "DISPUTED",
            Some("DISPUTE_TOO_LATE") => "COMPLETED",
            _ => panic!("{done:?}"),
        };
        assert_eq!(found[0].status.name(), wanted);
    }
    app.assert_books().await;
}

async fn both_open_at_once_and_one_does(app: &TestApp, instances: usize) {
    let deal = Deal::new(app, &[]).await;
    app.deposit(&deal.ada, "5000.00").await;
    for round in 0..ROUNDS {
        let booking = app.book(&deal.ada, &deal.bob).await;
        let input = || json!({ "bookingId": booking, "reason": "LATE", "evidence": "So.", "idempotencyKey": key() });
        let done =
            at_once(app, instances, vec![(&deal.ada, "disputeOpen", input()), (&deal.bob, "disputeOpen", input())]);
        let done = done.await;
        let mut refusals: Vec<_> = done.iter().map(Done::refusal).collect();
        refusals.sort();
        assert_eq!(refusals, [None, Some("CONFLICT")], "round {round}");
        let proposal = json!({ "disputeId": done.iter().find_map(|done| done.payload["dispute"]["id"].as_str()),
            "toCustomer": usd("1.00") });
        app.act(&deal.bob, "disputePropose", proposal).await.ok();
    }
    app.assert_books().await;
}
