//! Disputes through the API: what they freeze, how they end, and who gets what to the last cent.

mod chat;
mod evidence;
mod races;

use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::features::{bookings, disputes};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::platform::db::q;
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::{Done, id_of, key, usd, uuid};

on_both_engines! {
    a_dispute_freezes_everything,
    an_agreement_splits_the_escrow,
    both_agree_to_what_staff_propose,
    proposals_expire_and_go_to_staff,
    proposals_do_not_keep_staff_away_for_ever,
    a_lost_task_is_made_good_by_the_sweep,
    an_administrator_decides_to_the_last_cent,
    a_decision_for_the_customer_cancels,
    a_withdrawn_dispute_lets_the_booking_go_on,
    what_has_ended_is_not_disputed,
    only_those_concerned_take_part,
    each_step_is_audited_and_told,
}

/// Two people, their booking for 100 dollars and a dispute about it.
struct Deal {
    ada: TestUser,
    bob: TestUser,
    booking: String,
    dispute: String,
}

impl Deal {
    /// Ada had 200 dollars; she opens the dispute after these steps.
    async fn new(app: &TestApp, steps: &[&str]) -> Self {
        let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, "200.00").await;
        let booking = app.book(&ada, &bob).await;
        for step in steps {
            app.step(&bob, step, &booking).await.ok();
        }
        let dispute = id_of(&open(app, &ada, &booking).await.ok(), "dispute");
        Deal { ada, bob, booking, dispute }
    }

    async fn propose(&self, app: &TestApp, who: &TestUser, amount: &str) -> Done {
        app.act(who, "disputePropose", json!({ "disputeId": self.dispute, "toCustomer": usd(amount) })).await
    }

    async fn accept(&self, app: &TestApp, who: &TestUser, number: i64) -> Done {
        let input = json!({ "disputeId": self.dispute, "proposalNumber": number, "idempotencyKey": key() });
        app.act(who, "disputeAcceptProposal", input).await
    }

    async fn withdraw(&self, app: &TestApp, who: &TestUser) -> Done {
        app.act(who, "disputeWithdraw", json!({ "disputeId": self.dispute })).await
    }

    /// What Ada may spend and has in escrow, what Bob may spend, and the fees.
    async fn money(&self, app: &TestApp) -> [String; 4] {
        let [available, _, escrow] = app.money(&self.ada).await;
        let [earned, ..] = app.money(&self.bob).await;
        let fees = "select cast(coalesce(sum(credits_posted - debits_posted), 0) as bigint) as n from purses
            where class = 'FEES'";
        let fees = app.count(fees).await;
        [available, escrow, earned, format!("{}.{:02}", fees / 100, fees % 100)]
    }

    async fn again(&mut self, app: &TestApp) {
        for user in [&mut self.ada, &mut self.bob] {
            *user = app.sign_in(&user.email, PASSWORD).await;
        }
    }
}

async fn open(app: &TestApp, who: &TestUser, booking: &str) -> Done {
    let input =
        json!({ "bookingId": booking, "reason": "NOT_AS_AGREED", "evidence": "It is green.", "idempotencyKey": key() });
    app.act(who, "disputeOpen", input).await
}

/// A decision: customer, contractor, platform.
fn decision(dispute: &str, parts: [&str; 3], fee: &str) -> Value {
    let [customer, contractor, platform] = parts.map(usd);
    json!({ "disputeId": dispute, "toCustomer": customer, "toContractor": contractor, "toPlatform": platform,
        "platformFee": fee, "reason": "Green is not white.", "idempotencyKey": key() })
}

async fn status(app: &TestApp, who: &TestUser, dispute: &str) -> String {
    let text = "query ($id: ID!) { dispute(id: $id) { status booking { status dispute { id } } } }";
    let answer = app.gql(who, text, json!({ "id": dispute })).await;
    let found = &answer["data"]["dispute"];
    assert_eq!(found["booking"]["dispute"]["id"], dispute, "{answer}");
    format!("{} {}", found["status"].as_str().unwrap(), found["booking"]["status"].as_str().unwrap())
}

async fn a_dispute_freezes_everything(app: &TestApp) {
    for steps in [&[][..], &["bookingStart"], &["bookingStart", "bookingDeliver"]] {
        let mut deal = Deal::new(app, steps).await;
        let before = deal.money(app).await;
        let admin = app.admin().await;
        for who in [&deal.ada, &deal.bob, &admin] {
            for step in ["bookingStart", "bookingDeliver", "bookingComplete", "bookingCancel"] {
                let done = app.step(who, step, &deal.booking).await;
                assert!(matches!(done.refusal(), Some("CONFLICT" | "FORBIDDEN")), "{step}: {done:?}");
            }
            if who.id != admin.id {
                open(app, who, &deal.booking).await.refused("CONFLICT");
            }
        }
        app.clock.advance(100 * DAY);
        let found = bookings::queries::by_ids(&app.server.platform, &[uuid(&deal.booking)]).await.unwrap();
        for version in 1..=found[0].version {
            let silence = Silence { booking: found[0].id, version };
            end_silence(&app.server.platform, &Caller::system("test"), silence).await.unwrap();
        }
        let overdue = bookings::queries::overdue(&app.server.platform, app.server.platform.clock.now()).await.unwrap();
        assert!(overdue.is_empty(), "no timer waits for it");
        deal.again(app).await;
        assert_eq!(status(app, &deal.ada, &deal.dispute).await, "OPEN DISPUTED");
        assert_eq!(deal.money(app).await, before);
        app.assert_books().await;
    }
}

async fn an_agreement_splits_the_escrow(app: &TestApp) {
    let deal = Deal::new(app, &["bookingStart", "bookingDeliver"]).await;
    deal.accept(app, &deal.bob, 1).await.refused("CONFLICT");
    for (amount, code) in [("100.01", "SPLIT_MISMATCH"), ("-0.01", "SPLIT_MISMATCH"), ("1.001", "EXCESS_DIGITS")] {
        deal.propose(app, &deal.ada, amount).await.refused(code);
    }
    let euros = json!({ "disputeId": deal.dispute, "toCustomer": { "amount": "1", "currency": "EUR" } });
    app.act(&deal.ada, "disputePropose", euros).await.refused("CURRENCY_MISMATCH");
    deal.propose(app, &deal.ada, "100.00").await.ok();
    deal.accept(app, &deal.ada, 1).await.refused("CONFLICT");
    // One third: the fee of the rest is rounded, and the contractor gets what remains.
    let made = deal.propose(app, &deal.bob, "33.33").await.ok();
    let split = &made["dispute"]["proposal"]["split"];
    assert_eq!((&split["toCustomer"]["amount"], &split["toContractor"]["amount"]), (&json!("33.33"), &json!("53.34")));
    deal.accept(app, &deal.ada, 1).await.refused("CONFLICT");
    let input = json!({ "disputeId": deal.dispute, "proposalNumber": 2, "idempotencyKey": "yes" });
    let done = app.act(&deal.ada, "disputeAcceptProposal", input.clone()).await;
    let again = app.act(&deal.ada, "disputeAcceptProposal", input.clone()).await;
    assert!(again.replayed && !done.replayed);
    let other = json!({ "disputeId": deal.dispute, "proposalNumber": 1, "idempotencyKey": "yes" });
    app.act(&deal.ada, "disputeAcceptProposal", other).await.refused("IDEMPOTENCY_MISMATCH");
    assert_eq!(status(app, &deal.bob, &deal.dispute).await, "AGREED COMPLETED");
    assert_eq!(deal.money(app).await, ["128.33", "0.00", "53.34", "18.33"]);
    let earned = "select gross * 1000000 + service_fee as n from earnings";
    assert_eq!(app.count(earned).await, 6_667_000_000 + 1_333, "what was left, and the fee out of it");
    app.assert_books().await;
}

async fn both_agree_to_what_staff_propose(app: &TestApp) {
    let deal = Deal::new(app, &["bookingStart"]).await;
    let moderator = app.moderator().await;
    deal.propose(app, &moderator, "50.00").await.ok();
    let half = deal.accept(app, &deal.bob, 1).await.ok();
    assert_eq!(half["dispute"]["status"], "OPEN");
    assert_eq!(half["dispute"]["proposal"]["hasContractorAgreed"], true);
    deal.accept(app, &deal.bob, 1).await.refused("CONFLICT");
    deal.accept(app, &moderator, 1).await.refused("FORBIDDEN");
    let whole = deal.accept(app, &deal.ada, 1).await.ok();
    assert_eq!(whole["dispute"]["booking"]["status"], "COMPLETED");
    assert_eq!(deal.money(app).await, ["145.00", "0.00", "40.00", "15.00"]);
    let told = "select count(*) as n from events where kind = 'DisputeProposalAccepted'";
    assert_eq!(app.count(told).await, 2);
    app.assert_books().await;
}

async fn proposals_expire_and_go_to_staff(app: &TestApp) {
    let mut deal = Deal::new(app, &[]).await;
    app.work();
    app.clock.advance(2 * DAY);
    deal.again(app).await;
    deal.propose(app, &deal.bob, "10.00").await.ok();
    app.clock.advance(2 * DAY);
    deal.again(app).await;
    let text = "query ($id: ID!) { dispute(id: $id) { status availableTransitions { name refusedBecause { code } } } }";
    assert_eq!(status(app, &deal.ada, &deal.dispute).await, "OPEN DISPUTED", "the proposal put it off");
    app.clock.advance(DAY + 1);
    deal.again(app).await;
    eventually("it goes to staff", async || status(app, &deal.ada, &deal.dispute).await == "ESCALATED DISPUTED").await;
    deal.accept(app, &deal.ada, 1).await.refused("PROPOSAL_EXPIRED");
    let seen = app.gql(&deal.ada, text, json!({ "id": deal.dispute })).await;
    let wanted = json!([
        { "name": "DISPUTE_PROPOSE", "refusedBecause": null },
        { "name": "DISPUTE_ACCEPT_PROPOSAL", "refusedBecause": { "code": "PROPOSAL_EXPIRED" } },
        { "name": "DISPUTE_ADD_EVIDENCE", "refusedBecause": null },
        { "name": "DISPUTE_WITHDRAW", "refusedBecause": null },
    ]);
    assert_eq!(seen["data"]["dispute"]["availableTransitions"], wanted);
    let admin = app.admin().await;
    let list = "{ disputes { totalCount nodes { id availableTransitions { name } } } }";
    let seen = app.gql(&admin, list, json!({})).await;
    let own = json!([{ "name": "DISPUTE_PROPOSE" }, { "name": "DISPUTE_DECIDE" }]);
    assert_eq!(seen["data"]["disputes"]["nodes"], json!([{ "id": deal.dispute, "availableTransitions": own }]));
    // The parties may still agree.
    deal.propose(app, &deal.ada, "0").await.ok();
    deal.accept(app, &deal.bob, 2).await.ok();
    assert_eq!(deal.money(app).await, ["95.00", "0.00", "80.00", "25.00"]);
    app.assert_books().await;
}

async fn proposals_do_not_keep_staff_away_for_ever(app: &TestApp) {
    let mut deal = Deal::new(app, &[]).await;
    app.work();
    for day in [2, 4, 6, 8, 10, 12] {
        app.clock.advance(2 * DAY);
        deal.again(app).await;
        assert_eq!(status(app, &deal.ada, &deal.dispute).await, "OPEN DISPUTED", "day {day}");
        deal.propose(app, &deal.bob, "0").await.ok();
    }
    app.clock.advance(2 * DAY + 1);
    deal.again(app).await;
    eventually("it goes to staff", async || status(app, &deal.ada, &deal.dispute).await == "ESCALATED DISPUTED").await;
    // The last proposal is good for another day.
    deal.accept(app, &deal.ada, 6).await.ok();
    app.assert_books().await;
}

async fn a_lost_task_is_made_good_by_the_sweep(app: &TestApp) {
    let mut deal = Deal::new(app, &[]).await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    let lost = q("delete from tasks where kind = $1").bind(disputes::model::ESCALATE);
    assert_eq!(lost.execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    app.clock.advance(3 * DAY + 2 * HOUR);
    deal.again(app).await;
    app.work();
    eventually("the sweep hands it to staff", async || {
        status(app, &deal.ada, &deal.dispute).await == "ESCALATED DISPUTED"
    })
    .await;
    app.assert_books().await;
}

async fn an_administrator_decides_to_the_last_cent(app: &TestApp) {
    let deal = Deal::new(app, &["bookingStart", "bookingDeliver"]).await;
    let admin = app.admin().await;
    let before = deal.money(app).await;
    for parts in [["30.00", "60.00", "9.99"], ["30.00", "60.00", "10.01"], ["100.01", "0", "-0.01"]] {
        let done = app.act(&admin, "disputeDecide", decision(&deal.dispute, parts, "KEPT")).await;
        done.refused("SPLIT_MISMATCH");
    }
    let mut input = decision(&deal.dispute, ["30.00", "60.00", "10.00"], "KEPT");
    input["reason"] = json!(" ");
    app.act(&admin, "disputeDecide", input).await.refused_at("INVALID", &["reason"]);
    assert_eq!(deal.money(app).await, before, "nothing moves by halves");
    let input = decision(&deal.dispute, ["30.01", "59.99", "10.00"], "BACK");
    let done = app.act(&admin, "disputeDecide", input.clone()).await.ok();
    assert_eq!(done["dispute"]["split"]["platformFee"], "BACK");
    assert!(app.act(&admin, "disputeDecide", input.clone()).await.replayed);
    let mut other = input;
    other["platformFee"] = json!("KEPT");
    app.act(&admin, "disputeDecide", other).await.refused("IDEMPOTENCY_MISMATCH");
    let late = decision(&deal.dispute, ["30.00", "60.00", "10.00"], "KEPT");
    app.act(&admin, "disputeDecide", late).await.refused("CONFLICT");
    assert_eq!(status(app, &deal.ada, &deal.dispute).await, "DECIDED COMPLETED");
    assert_eq!(deal.money(app).await, ["130.01", "0.00", "59.99", "10.00"]);
    app.assert_books().await;
}

async fn a_decision_for_the_customer_cancels(app: &TestApp) {
    let deal = Deal::new(app, &["bookingStart"]).await;
    let admin = app.admin().await;
    let done = app.act(&admin, "disputeDecide", decision(&deal.dispute, ["100.00", "0", "0"], "BACK")).await.ok();
    assert_eq!(done["dispute"]["decisionReason"], "Green is not white.");
    assert_eq!(status(app, &deal.bob, &deal.dispute).await, "DECIDED CANCELLED");
    assert_eq!(deal.money(app).await, ["200.00", "0.00", "0.00", "0.00"]);
    let text = "query ($id: ID!) { booking(id: $id) { cancelReason job { status } } }";
    let seen = app.gql(&deal.ada, text, json!({ "id": deal.booking })).await;
    let wanted = json!({ "cancelReason": "Green is not white.", "job": { "status": "CANCELLED" } });
    assert_eq!(seen["data"]["booking"], wanted);
    app.assert_books().await;
}

async fn a_withdrawn_dispute_lets_the_booking_go_on(app: &TestApp) {
    let steps = ["bookingStart", "bookingDeliver"];
    for (done, was) in ["CONFIRMED", "IN_PROGRESS", "DELIVERED"].into_iter().enumerate() {
        let mut deal = Deal::new(app, &steps[..done]).await;
        deal.withdraw(app, &deal.bob).await.refused("FORBIDDEN");
        app.clock.advance(2 * DAY);
        deal.again(app).await;
        deal.withdraw(app, &deal.ada).await.ok();
        deal.withdraw(app, &deal.ada).await.refused("CONFLICT");
        assert_eq!(status(app, &deal.ada, &deal.dispute).await, format!("WITHDRAWN {was}"));
        app.clock.advance(13 * DAY);
        let now = app.server.platform.clock.now();
        let overdue = bookings::queries::overdue(&app.server.platform, now).await.unwrap();
        assert!(overdue.iter().all(|(id, _)| *id != uuid(&deal.booking)), "the clock began anew");
        deal.again(app).await;
        for step in &steps[done..] {
            app.step(&deal.bob, step, &deal.booking).await.ok();
        }
        // The same two may disagree again.
        let second = id_of(&open(app, &deal.bob, &deal.booking).await.ok(), "dispute");
        assert_eq!(status(app, &deal.ada, &second).await, "OPEN DISPUTED");
        app.act(&deal.bob, "disputeWithdraw", json!({ "disputeId": second })).await.ok();
        app.step(&deal.ada, "bookingComplete", &deal.booking).await.ok();
        assert_eq!(app.money(&deal.bob).await[0], "80.00");
        app.assert_books().await;
    }
}

async fn what_has_ended_is_not_disputed(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "300.00").await;
    let completed = app.deal(&ada, &bob).await;
    let cancelled = app.book(&ada, &bob).await;
    app.step(&ada, "bookingCancel", &cancelled).await.ok();
    for booking in [&completed, &cancelled] {
        for who in [&ada, &bob] {
            open(app, who, booking).await.refused_at("DISPUTE_TOO_LATE", &["bookingId"]);
        }
    }
    assert_eq!(app.count("select count(*) as n from disputes").await, 0);
    app.assert_books().await;
}

async fn only_those_concerned_take_part(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let (eve, moderator) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.moderator().await);
    open(app, &eve, &deal.booking).await.refused("NOT_FOUND");
    open(app, &moderator, &deal.booking).await.refused("NOT_FOUND");
    deal.propose(app, &eve, "1.00").await.refused("NOT_FOUND");
    deal.accept(app, &eve, 1).await.refused("NOT_FOUND");
    deal.withdraw(app, &eve).await.refused("NOT_FOUND");
    deal.withdraw(app, &moderator).await.refused("FORBIDDEN");
    for who in [&deal.ada, &eve, &moderator] {
        let input = decision(&deal.dispute, ["100.00", "0", "0"], "BACK");
        app.act(who, "disputeDecide", input).await.refused("FORBIDDEN");
    }
    let text = "query ($id: ID!) { dispute(id: $id) { id } node(id: $id) { id } }";
    let seen = app.gql(&eve, text, json!({ "id": deal.dispute })).await;
    assert_eq!(seen["data"], json!({ "dispute": null, "node": null }));
    for who in [&deal.ada, &eve] {
        let seen = app.gql(who, "{ disputes { totalCount } }", json!({})).await;
        assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let mut input = json!({ "bookingId": deal.booking, "reason": "LATE", "evidence": "", "idempotencyKey": key() });
    app.act(&deal.ada, "disputeOpen", input.clone()).await.refused_at("INVALID", &["evidence"]);
    input["evidence"] = json!("x".repeat(2_001));
    app.act(&deal.ada, "disputeOpen", input).await.refused_at("TOO_LONG", &["evidence"]);
    deal.propose(app, &deal.ada, "abc").await.refused("BAD_USER_INPUT");
    app.assert_books().await;
}

async fn each_step_is_audited_and_told(app: &TestApp) {
    let deal = Deal::new(app, &["bookingStart"]).await;
    deal.propose(app, &deal.bob, "20.00").await.ok();
    let admin = app.admin().await;
    let input = decision(&deal.dispute, ["20.00", "64.00", "16.00"], "KEPT");
    app.act(&admin, "disputeDecide", input).await.ok();
    let sql = "select action || ' ' || actor_role as value from audit where entity_type = 'dispute' order by action";
    let rows: Vec<String> = q(sql).all(&app.server.platform.db).await.unwrap();
    assert_eq!(rows, ["dispute.decide ADMIN", "dispute.open CUSTOMER", "dispute.propose CONTRACTOR"]);
    let sql = "select kind as value from events where stream = $1 and noun in ('dispute', 'booking') order by seq";
    let bob = format!(
        "user:{}",
        gigwire::kernel::id::TypedId::uuid(uuid::<gigwire::kernel::id::UserId>(&deal.bob.id)).simple()
    );
    let rows: Vec<String> = q(sql).bind(bob).all(&app.server.platform.db).await.unwrap();
    let wanted = ["BookingCreated", "BookingStatusChanged", "BookingStatusChanged", "DisputeOpened", "DisputeProposed"];
    assert_eq!(rows, [&wanted[..], &["BookingStatusChanged", "DisputeStatusChanged"]].concat());
    app.assert_books().await;
}
