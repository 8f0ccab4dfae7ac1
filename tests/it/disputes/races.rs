//! Endings at the same moment, on SQLite and over two instances on PostgreSQL: of several one is done.

use futures_util::future::join_all;
use gigwire::features::bookings;
use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::json;

use super::{Deal, decision, open};
use crate::support::app::PASSWORD;
use crate::support::arena::{Arena, raced};
use crate::support::market::{Done, id_of, key, usd, uuid};

raced! {
    decision_agreement_and_withdrawal_are_one_ending,
    the_timer_meets_a_dispute,
    both_open_at_once_and_one_does,
}

/// Three ways to a refund at once: the escrow is emptied once, or not at all.
async fn decision_agreement_and_withdrawal_are_one_ending(arena: &Arena) {
    let app = &arena.app;
    let Deal { ada, bob, dispute, .. } = Deal::new(app, &[]).await;
    let admin = app.admin().await;
    app.act(&ada, "disputeWithdraw", json!({ "disputeId": dispute })).await.ok();
    app.deposit(&ada, "10000000.00").await;
    arena
        .each(arena.rounds, async |round| {
            let booking = app.book(&ada, &bob).await;
            let dispute = id_of(&open(app, &ada, &booking).await.ok(), "dispute");
            let proposal = json!({ "disputeId": dispute, "toCustomer": usd("40.00") });
            app.act(&bob, "disputePropose", proposal).await.ok();
            let accept = json!({ "disputeId": dispute, "proposalNumber": 1, "idempotencyKey": key() });
            let moves = vec![
                (&admin, "disputeDecide", decision(&dispute, ["10.00", "80.00", "10.00"], "KEPT")),
                (&ada, "disputeAcceptProposal", accept),
                (&ada, "disputeWithdraw", json!({ "disputeId": dispute })),
            ];
            let (won, _) = arena.race(round, moves, &["CONFLICT"]).await;
            assert_eq!(won.len(), 1, "round {round}: {won:#?}");
        })
        .await;
    let ended = app.count("select count(*) as n from disputes where ended_at is not null").await;
    assert_eq!(ended, arena.rounds as i64 + 1);
    app.assert_books().await;
}

async fn the_timer_meets_a_dispute(arena: &Arena) {
    let app = &arena.app;
    let (mut ada, bob, _) = arena.people("10000000.00").await;
    for wave in arena.waves(arena.fewer()) {
        let bob = app.sign_in(&bob.email, PASSWORD).await;
        let waiting = arena
            .made(wave, async |_| {
                let booking = app.book(&ada, &bob).await;
                for step in ["bookingStart", "bookingDeliver"] {
                    app.step(&bob, step, &booking).await.ok();
                }
                booking
            })
            .await;
        app.clock.advance(15 * DAY);
        ada = app.sign_in(&ada.email, PASSWORD).await;
        let input = |booking: &String| json!({ "bookingId": booking, "reason": "LATE", "evidence": "Two weeks.", "idempotencyKey": key() });
        let opened = arena.at_once(waiting.iter().map(|id| (&ada, "disputeOpen", input(id))).collect());
        let caller = Caller::system("test");
        let timer = |(turn, id): (usize, &String)| {
            let platform = &app.on(turn % arena.instances).server.platform;
            end_silence(platform, &caller, Silence { booking: uuid(id), version: 3 })
        };
        let timers = join_all(waiting.iter().enumerate().map(timer));
        let (opened, timers) = tokio::join!(opened, timers);
        assert!(timers.iter().all(Result::is_ok), "{timers:?}");
        for (done, booking) in opened.iter().zip(&waiting) {
            let found = bookings::queries::by_ids(&app.server.platform, &[uuid(booking)]).await.unwrap();
            let wanted = match done.refusal() {
                None => "DISPUTED",
                Some("DISPUTE_TOO_LATE") => "COMPLETED",
                _ => panic!("{done:?}"),
            };
            assert_eq!(found[0].status.name(), wanted);
        }
    }
    app.assert_books().await;
}

async fn both_open_at_once_and_one_does(arena: &Arena) {
    let app = &arena.app;
    let deal = Deal::new(app, &[]).await;
    app.deposit(&deal.ada, "10000000.00").await;
    arena
        .each(arena.fewer(), async |round| {
            let booking = app.book(&deal.ada, &deal.bob).await;
            let input =
                || json!({ "bookingId": booking, "reason": "LATE", "evidence": "So.", "idempotencyKey": key() });
            let moves = vec![(&deal.ada, "disputeOpen", input()), (&deal.bob, "disputeOpen", input())];
            let done = arena.at_once(moves).await;
            let mut refusals: Vec<_> = done.iter().map(Done::refusal).collect();
            refusals.sort();
            assert_eq!(refusals, [None, Some("CONFLICT")], "round {round}");
            let proposal = json!({ "disputeId": done.iter().find_map(|done| done.payload["dispute"]["id"].as_str()),
                "toCustomer": usd("1.00") });
            app.act(&deal.bob, "disputePropose", proposal).await.ok();
        })
        .await;
    app.assert_books().await;
}
