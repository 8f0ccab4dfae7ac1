//! The proof of the ledger: it holds through every story, and finds each kind of tampering.

mod cli;

use std::time::Duration;

use gigwire::features::proof::{Check, Proof, commands, queries, seals};
use gigwire::features::wallet::freezing;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::platform::db::q;
use gigwire::platform::queue::schedule;
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    a_story_is_proved,
    only_an_administrator_may_ask,
    each_tampering_is_found,
    days_are_sealed_and_the_seals_hold,
    a_night_freezes_payouts_on_a_mismatch,
    the_night_comes_once,
    a_proof_holds_while_money_moves,
    the_metrics_tell_of_the_night,
}

/// A deposit, an open hold, a running booking, and one of each end.
pub async fn story(app: &TestApp) -> (TestUser, TestUser) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "1000.00").await;
    let job = app.post_job(&ada).await;
    app.offer_to(&ada, &job, &bob, "50.00").await.ok();
    for end in ["offerDecline", "offerAccept"] {
        let job = app.post_job(&ada).await;
        let offer = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        app.answer(&bob, end, &offer).await.ok();
    }
    let done = app.book(&ada, &bob).await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &done).await.ok();
    }
    app.step(&ada, "bookingComplete", &done).await.ok();
    let cancelled = app.book(&ada, &bob).await;
    app.step(&ada, "bookingCancel", &cancelled).await.ok();
    (ada, bob)
}

async fn prove(app: &TestApp) -> Proof {
    queries::patient(&app.server.platform).await.unwrap()
}

fn wrong(proof: &Proof) -> Vec<(Check, i64)> {
    let wrong = proof.checks.iter().filter(|outcome| outcome.findings > 0);
    wrong.map(|outcome| (outcome.check, outcome.findings)).collect()
}

/// Changes tables behind the program's back, past the triggers that forbid it.
async fn tamper(app: &TestApp, statements: &[&'static str]) {
    let db = &app.server.platform.db;
    let open: &[&str] = if db.is_postgres() {
        &["set local session_replication_role = replica"]
    } else {
        &[
            "drop trigger if exists transfers_no_update",
            "drop trigger if exists transfers_no_delete",
            "drop trigger if exists ledger_seals_no_update",
            "drop trigger if exists ledger_seals_no_delete",
            "pragma defer_foreign_keys = on",
        ]
    };
    let mut tx = db.begin().await.unwrap();
    for sql in open.iter().chain(statements) {
        q(sql).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn night(app: &TestApp) -> Proof {
    commands::nightly(&app.server.platform, &Caller::system("night")).await.unwrap()
}

const ASK: &str = "{ ledgerProof { isProved provedAt durationMs checks { name findings examples }
    currencies { currency available { amount } held { amount } escrow { amount } fees { amount } gateway { amount }
        balance { amount } } openHolds { age count amount { amount } oldestAt }
    chain { days lastDayAt lastHash unsealed } payoutFreeze { reason createdAt } } }";

async fn a_story_is_proved(app: &TestApp) {
    let empty = prove(app).await;
    assert!(empty.is_proved() && empty.currencies.is_empty(), "nothing is in order: {empty:?}");
    story(app).await;
    app.assert_books().await;
    let admin = app.admin().await;
    let answer = app.gql(&admin, ASK, json!({})).await;
    let proof = &answer["data"]["ledgerProof"];
    assert_eq!(proof["isProved"], true, "{answer}");
    assert_eq!(proof["checks"].as_array().unwrap().len(), 10);
    let usd = &proof["currencies"][0];
    let money = |amount: &str| json!({ "amount": amount });
    assert_eq!((&usd["currency"], &usd["balance"]), (&json!("USD"), &money("0.00")));
    // Fees: 0.50 and 5.00 on top, 20.00 inside, and 5.00 kept of what the customer cancelled.
    assert_eq!((&usd["escrow"], &usd["held"], &usd["fees"]), (&money("10.00"), &money("52.50"), &money("30.50")));
    assert_eq!(usd["gateway"], money("-1000.00"));
    let holds = &proof["openHolds"][0];
    assert_eq!((&holds["age"], &holds["count"], &holds["amount"]), (&json!("DAY"), &json!(1), &money("52.50")));
    assert_eq!(proof["chain"]["days"], 0);
    assert_eq!(proof["chain"]["unsealed"], app.count("select count(*) as n from transfers").await);
    assert_eq!(proof["payoutFreeze"], json!(null));
    app.clock.advance(5 * DAY);
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    let answer = app.gql(&admin, ASK, json!({})).await;
    assert_eq!(answer["data"]["ledgerProof"]["openHolds"][0]["age"], "WEEK", "{answer}");
}

async fn only_an_administrator_may_ask(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let answer = app.gql(&ada, ASK, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let answer = app.gql(crate::support::app::ANONYMOUS, ASK, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

async fn each_tampering_is_found(app: &TestApp) {
    use Check::{Balance, Chain, Currencies, Escrows, Floors, Holds, Offers, Resolutions, Totals, Wallets};
    story(app).await;
    app.clock.advance(2 * DAY);
    assert!(night(app).await.is_proved());
    let db = &app.server.platform.db;
    // What is done, what undoes it, and which checks see it.
    let cases: [(&str, &str, &[Check]); 9] = [
        (
            "update purses set credits_posted = credits_posted + 5 where class = 'FEES'",
            "update purses set credits_posted = credits_posted - 5 where class = 'FEES'",
            &[Balance, Totals],
        ),
        (
            "update purses set debits_pending = debits_pending + 1 where class = 'AVAILABLE' and debits_pending > 0",
            "update purses set debits_pending = debits_pending - 1 where class = 'AVAILABLE' and debits_pending > 0",
            &[Balance, Totals, Holds],
        ),
        (
            "update purses set escrowed = escrowed + 1 where class = 'AVAILABLE' and escrowed > 0",
            "update purses set escrowed = escrowed - 1 where class = 'AVAILABLE' and escrowed > 0",
            &[Wallets],
        ),
        (
            "update transfers set amount = amount + 1 where kind = 'DEPOSIT'",
            "update transfers set amount = amount - 1 where kind = 'DEPOSIT'",
            &[Totals, Chain],
        ),
        (
            "update transfers set currency = 'EUR' where kind = 'DEPOSIT'",
            "update transfers set currency = 'USD' where kind = 'DEPOSIT'",
            &[Currencies, Chain],
        ),
        (
            "update transfers set cause = 'booking' where kind = 'DEPOSIT'",
            "update transfers set cause = 'payment' where kind = 'DEPOSIT'",
            &[Chain],
        ),
        (
            "update transfers set kind = 'REFUND' where phase = 'POSTED' and kind = 'ESCROW'",
            "update transfers set kind = 'ESCROW' where phase = 'POSTED' and kind = 'REFUND'",
            &[Resolutions, Chain],
        ),
        (
            "update offers set amount = amount + 1 where status = 'PENDING'",
            "update offers set amount = amount - 1 where status = 'PENDING'",
            &[Offers],
        ),
        (
            "update bookings set status = 'COMPLETED' where status = 'CONFIRMED'",
            "update bookings set status = 'CONFIRMED' where status = 'COMPLETED' and ended_at is null",
            &[Escrows],
        ),
    ];
    for (harm, cure, seen) in cases {
        tamper(app, &[harm]).await;
        let found: Vec<Check> = wrong(&prove(app).await).into_iter().map(|(check, _)| check).collect();
        assert_eq!(found, seen, "{harm}");
        tamper(app, &[cure]).await;
        let healed = prove(app).await;
        assert!(healed.is_proved(), "after {cure}: {}", healed.summary());
    }
    assert!(wrong(&prove(app).await).iter().all(|(check, _)| *check != Floors), "the CHECK of the table keeps it");
    tamper(app, &["delete from transfers where kind = 'RELEASE'"]).await;
    let found: Vec<Check> = wrong(&prove(app).await).into_iter().map(|(check, _)| check).collect();
    assert_eq!(found, [Totals, Chain]);
    assert!(!db.is_postgres() || prove(app).await.findings() > 0);
}

async fn days_are_sealed_and_the_seals_hold(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "1.00").await;
    assert_eq!(night(app).await.chain.days, 0, "today is not over");
    let begun = app.server.platform.clock.now();
    let next_day = begun.day().plus(DAY);
    app.clock.advance(next_day.0 - begun.0 + seals::SEALED_AFTER_MS - 60_000);
    assert_eq!(night(app).await.chain.days, 0, "nor is it over for an hour");
    app.clock.advance(60_000 + 1_000);
    let first = night(app).await.chain;
    assert_eq!((first.days, first.last_day, first.unsealed), (1, Some(begun.day()), 0));
    assert_eq!(night(app).await.chain.last_hash, first.last_hash, "a second time changes nothing");
    // A day with a transfer, one without, and one more with one.
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    app.deposit(&ada, "2.00").await;
    app.clock.advance(2 * DAY);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    app.deposit(&ada, "3.00").await;
    app.clock.advance(DAY);
    let chain = night(app).await.chain;
    assert_eq!((chain.days, chain.unsealed), (4, 0));
    assert_eq!(app.count("select count(*) as n from ledger_seals where transfers = 0").await, 1);
    let refused = ["update ledger_seals set hash = ''", "delete from ledger_seals", "delete from ledger_proofs"];
    for sql in refused {
        let mut tx = app.server.platform.db.begin().await.unwrap();
        let error = q(sql).execute(&mut tx).await.unwrap_err();
        assert!(error.message.contains("append-only"), "{sql}: {error}");
        tx.rollback().await.unwrap();
    }
    // A row more in a sealed day, with totals that fit it.
    let copy = "insert into transfers (id, debit_purse, credit_purse, amount, currency, kind, phase, group_id, cause,
            cause_id, created_at)
        select payments.id, debit_purse, credit_purse, transfers.amount, transfers.currency, kind, phase, group_id, cause,
            cause_id, transfers.created_at
        from transfers join payments on payments.id = cause_id where transfers.amount = 200";
    let fit = "update purses set debits_posted = debits_posted + 200 where class = 'GATEWAY'";
    let fit_too = "update purses set credits_posted = credits_posted + 200 where class = 'AVAILABLE'";
    tamper(app, &[copy, fit, fit_too]).await;
    let proof = prove(app).await;
    assert_eq!(wrong(&proof), [(Check::Chain, 1)], "only the chain can tell");
    assert!(proof.checks[9].examples[0].contains("sealed with 1 transfers, now 2"), "{:?}", proof.checks[9]);
    // Whoever removes the seals as well is told by the proofs that saw them.
    tamper(app, &["delete from ledger_seals"]).await;
    let proof = prove(app).await;
    assert!(wrong(&proof).iter().any(|(check, findings)| (*check, *findings) == (Check::Chain, 2)), "{proof:?}");
}

async fn a_night_freezes_payouts_on_a_mismatch(app: &TestApp) {
    story(app).await;
    let platform = &app.server.platform;
    assert!(night(app).await.is_proved());
    assert!(freezing::frozen(&platform.db).await.unwrap().is_none());
    tamper(app, &["update purses set credits_posted = credits_posted + 5 where class = 'FEES'"]).await;
    for _ in 0..2 {
        assert!(!night(app).await.is_proved());
    }
    let freeze = freezing::frozen(&platform.db).await.unwrap().unwrap();
    assert_eq!(freeze.reason, "The proof of the ledger failed: BALANCE 1, TOTALS 1.");
    assert_eq!(app.count("select count(*) as n from payout_freezes").await, 1, "the first reason stays");
    assert_eq!(app.count("select count(*) as n from audit where action = 'payouts.freeze'").await, 1);
    assert_eq!(app.count("select count(*) as n from audit where action = 'ledger.mismatch'").await, 2);
    let admin = app.admin().await;
    let answer = app.gql(&admin, ASK, json!({})).await;
    assert_eq!(answer["data"]["ledgerProof"]["payoutFreeze"]["reason"], freeze.reason);
    assert_eq!(answer["data"]["ledgerProof"]["isProved"], false);
    tamper(app, &["update purses set credits_posted = credits_posted - 5 where class = 'FEES'"]).await;
    assert!(night(app).await.is_proved());
    assert!(freezing::frozen(&platform.db).await.unwrap().is_some(), "a person lifts it");
    freezing::lift(platform, &Caller::system("test"), "A typing error in a repair").await.unwrap();
    assert!(freezing::frozen(&platform.db).await.unwrap().is_none());
    assert_eq!(app.count("select count(*) as n from audit where action = 'payouts.lift'").await, 1);
    let again = freezing::lift(platform, &Caller::system("test"), "Twice").await.unwrap_err();
    assert_eq!(again.code.name(), "CONFLICT");
}

async fn the_night_comes_once(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "1.00").await;
    for _ in 0..3 {
        app.work();
    }
    let planned = "select count(*) as n from schedules where name = 'ledger.nightly'";
    eventually("the night is planned", async || app.count(planned).await == 1).await;
    assert_eq!(app.count("select count(*) as n from ledger_proofs").await, 0);
    app.clock.advance(DAY + HOUR);
    eventually("the night came", async || app.count("select count(*) as n from ledger_proofs").await > 0).await;
    eventually("and is planned anew", async || {
        app.count("select count(*) as n from schedules where name = 'ledger.nightly' and leased_until is null").await
            == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(app.count("select count(*) as n from ledger_proofs").await, 1);
    assert_eq!(app.count("select count(*) as n from ledger_seals").await, 1);
    // Of many who ask at once one gets it, and after a failure nobody for a while.
    let (db, now) = (&app.server.platform.db, app.server.platform.clock.now());
    let asked = futures_util::future::join_all((0..8).map(|_| schedule::take(db, "other", now, now))).await;
    assert_eq!(asked.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
    schedule::failed(db, "other", now).await.unwrap();
    assert!(!schedule::take(db, "other", now.plus(60_000), now).await.unwrap());
    assert!(schedule::take(db, "other", now.plus(HOUR), now).await.unwrap());
    assert!(schedule::take(db, "other", now.plus(4 * HOUR), now).await.unwrap(), "a lease that is over");
}

async fn a_proof_holds_while_money_moves(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "900.00").await;
    let work = async {
        for _ in 0..8 {
            let job = app.post_job(&ada).await;
            app.offer_to(&ada, &job, &bob, "30.00").await.ok();
            app.deposit(&ada, "0.01").await;
        }
    };
    let look = async {
        for _ in 0..20 {
            let proof = prove(app).await;
            assert!(proof.is_proved(), "{proof:?}");
        }
    };
    futures_util::future::join(work, look).await;
}

async fn the_metrics_tell_of_the_night(app: &TestApp) {
    story(app).await;
    night(app).await;
    let metrics = || async {
        let answer = app.request(reqwest::Method::GET, "/metrics").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let text = metrics().await;
    for line in
        ["gigwire_ledger_proof_ok 1", "gigwire_ledger_findings 0", "gigwire_open_holds 1", "gigwire_payouts_frozen 0"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    tamper(app, &["update purses set credits_posted = credits_posted + 5 where class = 'FEES'"]).await;
    night(app).await;
    app.clock.advance(HOUR);
    let text = metrics().await;
    for line in ["gigwire_ledger_proof_ok 0", "gigwire_ledger_findings 2", "gigwire_payouts_frozen 1"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let age = text.lines().find_map(|line| line.strip_prefix("gigwire_ledger_proof_age_seconds ")).unwrap();
    assert!(age.parse::<f64>().unwrap() >= 3_600.0, "{age}");
}

#[tokio::test]
async fn metrics_are_not_for_everybody() {
    let open = TestApp::sqlite().await;
    let forwarded = open.request(reqwest::Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(forwarded.send().await.unwrap().status(), 403);
    let app = TestApp::sqlite_with(|config| {
        config.server.metrics_token = gigwire::platform::config::Secret::new("a token of mine");
    })
    .await;
    let ask = || app.request(reqwest::Method::GET, "/metrics");
    assert_eq!(ask().send().await.unwrap().status(), 403);
    assert_eq!(ask().bearer_auth("another token").send().await.unwrap().status(), 403);
    assert_eq!(ask().bearer_auth("a token of mine").send().await.unwrap().status(), 200);
}
