//! Changes at the same moment as what excludes them, on SQLite and over two instances on PostgreSQL: a change ends once, its
//! money moves once, and whatever ends the booking finds the price that holds.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use gigwire::features::changes::commands::expire;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};

use super::Deal;
use crate::support::app::PASSWORD;
use crate::support::arena::{Arena, Turn, raced, winners};
use crate::support::market::{id_of, key, usd, uuid};

raced! {
    of_all_ways_to_end_it_one_is_taken,
    an_agreement_meets_a_cancellation,
    an_agreement_meets_delivery_and_completion,
    an_agreement_meets_the_end_of_time,
    the_last_balance_is_spent_once,
    one_key_agrees_once,
}

fn settle(change: &str) -> Value {
    json!({ "changeId": change, "idempotencyKey": key() })
}

fn names(turns: &[Turn]) -> Vec<&'static str> {
    turns.iter().map(|(name, _)| *name).collect()
}

async fn of_all_ways_to_end_it_one_is_taken(arena: &Arena) {
    let app = &arena.app;
    let deal = Deal::new(app, "100000.00").await;
    let mut ends = BTreeSet::new();
    for round in 0..arena.fewer() {
        let change = deal.proposed(app, &format!("{}.00", 101 + round)).await;
        let moves = vec![
            (&deal.ada, "bookingChangeAccept", settle(&change)),
            (&deal.ada, "bookingChangeAccept", settle(&change)),
            (&deal.ada, "bookingChangeDecline", settle(&change)),
            (&deal.bob, "bookingChangeWithdraw", settle(&change)),
        ];
        let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
        assert_eq!(won.len(), 1, "round {round}: {won:#?}");
        ends.extend(names(&won));
    }
    assert_eq!(app.count("select count(*) as n from booking_changes where version <> 2").await, 0);
    let agreed = app.count("select count(*) as n from booking_changes where status = 'ACCEPTED'").await;
    assert_eq!(app.count("select version - 1 as n from bookings").await, agreed, "the booking changed as often");
    assert!(ends.len() > 1, "each has its turn: {ends:?}");
    app.assert_books().await;
}

async fn an_agreement_meets_a_cancellation(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("1000.00").await;
    for round in 0..arena.fewer() {
        let booking = app.book(&ada, &bob).await;
        let price = if round % 2 == 0 { "150.00" } else { "50.00" };
        let change = id_of(&app.propose(&ada, &booking, price).await.ok(), "change");
        let cancel = json!({ "bookingId": booking, "reason": "No time.", "idempotencyKey": key() });
        let moves = vec![(&bob, "bookingChangeAccept", settle(&change)), (&bob, "bookingCancel", cancel)];
        let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
        assert!(names(&won).contains(&"bookingCancel"), "it is given up at whichever price: {won:#?}");
        assert_eq!(app.money(&ada).await, ["1000.00", "0.00", "0.00"], "all comes back, whichever was first");
    }
    let open = "select count(*) as n from booking_changes where status not in ('ACCEPTED', 'CLOSED')";
    assert_eq!(app.count(open).await, 0);
    app.assert_books().await;
}

async fn an_agreement_meets_delivery_and_completion(arena: &Arena) {
    let app = &arena.app;
    let (ada, bob, _) = arena.people("100000.00").await;
    arena
        .each(arena.fewer(), async |round| {
            let booking = app.book(&ada, &bob).await;
            app.step(&bob, "bookingStart", &booking).await.ok();
            let change = id_of(&app.propose(&bob, &booking, "150.00").await.ok(), "change");
            let complete = json!({ "bookingId": booking, "idempotencyKey": key() });
            let moves = vec![
                (&ada, "bookingChangeAccept", settle(&change)),
                (&bob, "bookingDeliver", json!({ "bookingId": booking })),
                (&ada, "bookingComplete", complete),
            ];
            let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
            let won = names(&won);
            assert!(won.contains(&"bookingDeliver"), "{won:?}");
            if !won.contains(&"bookingComplete") {
                app.step(&ada, "bookingComplete", &booking).await.ok();
            }
            let status = if won.contains(&"bookingChangeAccept") { "ACCEPTED" } else { "CLOSED" };
            let text =
                "query ($id: ID!) { node(id: $id) { ... on BookingChange { status booking { amount { amount } } } } }";
            let found = app.gql(&ada, text, json!({ "id": change })).await;
            assert_eq!(found["data"]["node"]["status"], status, "{found}");
            let price = if status == "ACCEPTED" { "150.00" } else { "100.00" };
            assert_eq!(found["data"]["node"]["booking"]["amount"]["amount"], price, "round {round}");
        })
        .await;
    let wrong = "select count(*) as n from earnings e join bookings b on b.id = e.booking_id where e.gross <> b.amount";
    assert_eq!(app.count(wrong).await, 0, "what is earned is what was agreed");
    app.assert_books().await;
}

async fn an_agreement_meets_the_end_of_time(arena: &Arena) {
    let app = &arena.app;
    let (mut ada, mut bob, _) = arena.people("100000.00").await;
    let mut won = 0;
    for wave in arena.waves(arena.fewer()) {
        let proposed = arena.made(wave, async |_| {
            let booking = app.book(&ada, &bob).await;
            id_of(&app.propose(&bob, &booking, "150.00").await.ok(), "change")
        });
        let changes = proposed.await;
        // A little before the end: some come in time.
        app.clock.advance(3 * DAY - 2_000);
        ada = app.sign_in(&ada.email, PASSWORD).await;
        let agreed = arena.at_once(changes.iter().map(|id| (&ada, "bookingChangeAccept", settle(id))).collect());
        let caller = Caller::system("test");
        let timers = async {
            app.clock.advance(2_000);
            let timer = |(turn, id): (usize, &String)| {
                let (platform, caller) = (&app.on(turn % arena.instances).server.platform, &caller);
                let id = uuid(id);
                async move { expire(platform, caller, id).await }
            };
            join_all(changes.iter().enumerate().map(timer)).await
        };
        let (agreed, timers) = tokio::join!(agreed, timers);
        won += winners(&agreed, &["CONFLICT", "PROPOSAL_EXPIRED"]).len() as i64;
        for early in timers.iter().filter_map(|timer| timer.as_ref().err()) {
            assert!(early.code.retryable(), "{early}");
        }
        bob = app.sign_in(&bob.email, PASSWORD).await;
    }
    assert_eq!(app.count("select count(*) as n from booking_changes where status = 'ACCEPTED'").await, won);
    assert_eq!(app.count("select count(*) as n from bookings where amount = 15000").await, won);
    app.assert_books().await;
}

async fn the_last_balance_is_spent_once(arena: &Arena) {
    let app = &arena.app;
    for round in 0..arena.rounds.div_ceil(20) {
        let deal = Deal::new(app, "157.50").await;
        let change = deal.proposed(app, "150.00").await;
        let job = app.post_job(&deal.ada).await;
        let send =
            json!({ "jobId": job, "contractorId": deal.bob.id, "amount": usd("50.00"), "idempotencyKey": key() });
        let moves = vec![(&deal.ada, "bookingChangeAccept", settle(&change)), (&deal.ada, "offerSend", send)];
        let (won, _) = arena.race(round, moves, &["INSUFFICIENT_FUNDS"]).await;
        assert_eq!(won.len(), 1, "{won:#?}");
        assert_eq!(app.money(&deal.ada).await[0], "0.00");
    }
    app.assert_books().await;
}

async fn one_key_agrees_once(arena: &Arena) {
    let app = &arena.app;
    let deal = Deal::new(app, "100000.00").await;
    let rounds = arena.rounds.div_ceil(20);
    for round in 0..rounds {
        let change = deal.proposed(app, &format!("{}.00", 101 + round)).await;
        let input = settle(&change);
        let moves = (0..8).map(|_| (&deal.ada, "bookingChangeAccept", input.clone())).collect();
        let done = arena.at_once(moves).await;
        assert_eq!(winners(&done, &[]).len(), 8);
        assert_eq!(done.iter().filter(|done| !done.replayed).count(), 1, "one effect: {done:#?}");
    }
    assert_eq!(app.count("select version - 1 as n from bookings").await, rounds as i64);
    app.assert_books().await;
}
