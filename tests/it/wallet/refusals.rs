//! Bad input, over all mutations that move money: each kind has its own code, and nothing moves.

use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    bad_amounts_move_nothing,
    what_is_not_ones_own_is_not_moved,
    a_key_that_was_used_moves_nothing_else,
    what_comes_too_late_moves_nothing,
}

/// An offer or a proposal is past its time after so long; a job is not.
const TOO_LONG_MS: i64 = 7 * DAY;

/// A market on which everything that can be moved is there once.
struct Town {
    ada: TestUser,
    bob: TestUser,
    eve: TestUser,
    admin: TestUser,
    /// An open job of Ada's.
    job: String,
    /// Bob's pending offer for it.
    offer: String,
    /// Bob's offer for another job, past its time.
    expired: String,
    confirmed: String,
    delivered: String,
    completed: String,
    cancelled: String,
    /// A booking with a dispute, and a proposal of Bob's that can be accepted.
    disputed: String,
    dispute: String,
    /// A dispute whose proposal is past its time.
    stale: String,
    /// A dispute that was withdrawn.
    ended: String,
}

impl Town {
    async fn new(app: &TestApp) -> Self {
        let (mut ada, mut bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, "1000.00").await;
        let old = app.post_job(&ada).await;
        let expired = id_of(&app.offer(&bob, &old, "50.00").await.ok(), "offer");
        let (_, stale) = quarrel(app, &ada, &bob).await;
        app.clock.advance(TOO_LONG_MS);
        for user in [&mut ada, &mut bob] {
            *user = app.sign_in(&user.email, PASSWORD).await;
        }
        let job = app.post_job(&ada).await;
        let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
        let delivered = app.book(&ada, &bob).await;
        for step in ["bookingStart", "bookingDeliver"] {
            app.step(&bob, step, &delivered).await.ok();
        }
        let cancelled = app.book(&ada, &bob).await;
        app.step(&ada, "bookingCancel", &cancelled).await.ok();
        let (disputed, dispute) = quarrel(app, &ada, &bob).await;
        let (_, ended) = quarrel(app, &ada, &bob).await;
        app.act(&ada, "disputeWithdraw", json!({ "disputeId": ended })).await.ok();
        Town {
            job,
            offer,
            expired,
            confirmed: app.book(&ada, &bob).await,
            delivered,
            completed: app.deal(&ada, &bob).await,
            cancelled,
            disputed,
            dispute,
            stale,
            ended,
            eve: app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await,
            admin: app.admin().await,
            ada,
            bob,
        }
    }

    /// The input of a mutation that would be done if it came from the right person.
    fn input(&self, mutation: &str) -> Value {
        let mut input = match mutation {
            "depositCreate" => json!({ "amount": usd("5.00") }),
            "offerSend" => json!({ "jobId": self.job, "contractorId": self.bob.id, "amount": usd("5.00") }),
            "offerCounter" => json!({ "offerId": self.offer, "amount": usd("5.00") }),
            "offerAccept" | "offerDecline" | "offerWithdraw" => json!({ "offerId": self.offer }),
            "jobCancel" => json!({ "jobId": self.job }),
            "bookingComplete" => json!({ "bookingId": self.delivered }),
            "bookingCancel" => json!({ "bookingId": self.confirmed, "reason": "No time." }),
            "disputeOpen" => opening(&self.confirmed),
            "disputePropose" => json!({ "disputeId": self.dispute, "toCustomer": usd("5.00") }),
            "disputeAcceptProposal" => json!({ "disputeId": self.dispute, "proposalNumber": 1 }),
            "disputeDecide" => decision(&self.dispute, ["30.00", "60.00", "10.00"].map(usd)),
            _ => json!({ "disputeId": self.dispute }),
        };
        if KEYED.contains(&mutation) {
            input["idempotencyKey"] = json!(key());
        }
        input
    }
}

/// The mutations that take a key.
const KEYED: [&str; 10] = [
    "depositCreate",
    "offerSend",
    "offerCounter",
    "offerAccept",
    "jobCancel",
    "bookingComplete",
    "bookingCancel",
    "disputeOpen",
    "disputeAcceptProposal",
    "disputeDecide",
];

/// A booking that is in progress, a dispute about it, and a proposal.
async fn quarrel(app: &TestApp, ada: &TestUser, bob: &TestUser) -> (String, String) {
    let booking = app.book(ada, bob).await;
    app.step(bob, "bookingStart", &booking).await.ok();
    let mut input = opening(&booking);
    input["idempotencyKey"] = json!(key());
    let dispute = id_of(&app.act(ada, "disputeOpen", input).await.ok(), "dispute");
    app.act(bob, "disputePropose", json!({ "disputeId": dispute, "toCustomer": usd("40.00") })).await.ok();
    (booking, dispute)
}

fn opening(booking: &str) -> Value {
    json!({ "bookingId": booking, "reason": "LATE", "evidence": "It is June." })
}

fn decision(dispute: &str, [customer, contractor, platform]: [Value; 3]) -> Value {
    json!({ "disputeId": dispute, "toCustomer": customer, "toContractor": contractor, "toPlatform": platform,
        "platformFee": "KEPT", "reason": "So be it." })
}

fn money(amount: &str, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

/// Tries it, and finds it refused for this reason and nothing moved.
async fn refused(app: &TestApp, who: &TestUser, mutation: &str, input: Value, code: &str) {
    let before = app.traces().await;
    let done = app.act(who, mutation, input.clone()).await;
    assert_eq!(done.refusal(), Some(code), "{mutation} with {input}: {done:#?}");
    assert_eq!(app.traces().await, before, "{mutation} with {input} left something");
}

async fn bad_amounts_move_nothing(app: &TestApp) {
    let town = Town::new(app).await;
    // An amount that is shared may be nothing, and has a bound of its own on either side.
    let amounts = [
        ("-0.01", "USD", "AMOUNT_NOT_POSITIVE", "SPLIT_MISMATCH"),
        ("-10000000000.00", "USD", "AMOUNT_NOT_POSITIVE", "SPLIT_MISMATCH"),
        ("0", "USD", "AMOUNT_NOT_POSITIVE", ""),
        ("-0.00", "USD", "AMOUNT_NOT_POSITIVE", ""),
        ("1.001", "USD", "EXCESS_DIGITS", "EXCESS_DIGITS"),
        ("1.000", "USD", "EXCESS_DIGITS", "EXCESS_DIGITS"),
        ("1.5", "JPY", "EXCESS_DIGITS", "EXCESS_DIGITS"),
        ("5.00", "EUR", "CURRENCY_MISMATCH", "CURRENCY_MISMATCH"),
        ("5", "JPY", "CURRENCY_MISMATCH", "CURRENCY_MISMATCH"),
        ("10000000000.01", "USD", "AMOUNT_TOO_LARGE", "AMOUNT_TOO_LARGE"),
        ("99999999999999999999", "USD", "AMOUNT_TOO_LARGE", "AMOUNT_TOO_LARGE"),
        ("-99999999999999999999", "USD", "AMOUNT_TOO_LARGE", "AMOUNT_TOO_LARGE"),
        ("100.01", "USD", "", "SPLIT_MISMATCH"),
        ("10000000000.00", "USD", "INSUFFICIENT_FUNDS", "SPLIT_MISMATCH"),
        ("1e3", "USD", "BAD_USER_INPUT", "BAD_USER_INPUT"),
        ("NaN", "USD", "BAD_USER_INPUT", "BAD_USER_INPUT"),
        (" 5", "USD", "BAD_USER_INPUT", "BAD_USER_INPUT"),
        ("", "USD", "BAD_USER_INPUT", "BAD_USER_INPUT"),
        ("5", "XXX", "BAD_USER_INPUT", "BAD_USER_INPUT"),
    ];
    for (amount, currency, code, shared) in amounts {
        for mutation in ["depositCreate", "offerSend", "offerCounter"] {
            // Any currency may be brought in, and no balance is needed for it.
            let is_fine = mutation == "depositCreate" && matches!(code, "CURRENCY_MISMATCH" | "INSUFFICIENT_FUNDS");
            if !is_fine && !code.is_empty() {
                let mut input = town.input(mutation);
                input["amount"] = money(amount, currency);
                refused(app, &town.ada, mutation, input, code).await;
            }
        }
        if shared.is_empty() {
            continue;
        }
        let mut input = town.input("disputePropose");
        input["toCustomer"] = money(amount, currency);
        refused(app, &town.bob, "disputePropose", input, shared).await;
        for part in ["toCustomer", "toContractor", "toPlatform"] {
            let mut input = town.input("disputeDecide");
            input[part] = money(amount, currency);
            refused(app, &town.admin, "disputeDecide", input, shared).await;
        }
    }
    // Parts that are the escrow together, and are not for another reason.
    let all = |parts: [&str; 3], currency: &str| {
        let mut input = decision(&town.dispute, parts.map(|part| money(part, currency)));
        input["idempotencyKey"] = json!(key());
        input
    };
    refused(app, &town.admin, "disputeDecide", all(["100.01", "0", "-0.01"], "USD"), "SPLIT_MISMATCH").await;
    refused(app, &town.admin, "disputeDecide", all(["30.00", "60.00", "10.00"], "EUR"), "CURRENCY_MISMATCH").await;
    refused(app, &town.admin, "disputeDecide", all(["33.33", "33.33", "33.33"], "USD"), "SPLIT_MISMATCH").await;
    app.assert_books().await;
}

async fn what_is_not_ones_own_is_not_moved(app: &TestApp) {
    let town = Town::new(app).await;
    app.deposit(&town.eve, "1000.00").await;
    let Town { ada, bob, eve, admin, .. } = &town;
    let cases = [
        ("offerSend", eve, "FORBIDDEN"),
        ("offerSend", bob, "FORBIDDEN"),
        ("offerCounter", eve, "NOT_FOUND"),
        ("offerCounter", bob, "FORBIDDEN"),
        ("offerAccept", eve, "NOT_FOUND"),
        ("offerAccept", bob, "FORBIDDEN"),
        ("offerAccept", admin, "NOT_FOUND"),
        ("offerDecline", eve, "NOT_FOUND"),
        ("offerWithdraw", eve, "NOT_FOUND"),
        ("offerWithdraw", ada, "FORBIDDEN"),
        ("jobCancel", eve, "FORBIDDEN"),
        ("jobCancel", bob, "FORBIDDEN"),
        ("bookingComplete", eve, "NOT_FOUND"),
        ("bookingComplete", bob, "FORBIDDEN"),
        ("bookingComplete", admin, "INVALID"),
        ("bookingCancel", eve, "NOT_FOUND"),
        ("disputeOpen", eve, "NOT_FOUND"),
        ("disputeOpen", admin, "NOT_FOUND"),
        ("disputePropose", eve, "NOT_FOUND"),
        ("disputeAcceptProposal", eve, "NOT_FOUND"),
        ("disputeAcceptProposal", bob, "CONFLICT"),
        ("disputeAcceptProposal", admin, "FORBIDDEN"),
        ("disputeWithdraw", eve, "NOT_FOUND"),
        ("disputeWithdraw", bob, "FORBIDDEN"),
        ("disputeWithdraw", admin, "FORBIDDEN"),
        ("disputeDecide", eve, "FORBIDDEN"),
        ("disputeDecide", ada, "FORBIDDEN"),
        ("disputeDecide", bob, "FORBIDDEN"),
    ];
    for (mutation, who, code) in cases {
        refused(app, who, mutation, town.input(mutation), code).await;
    }
    app.assert_books().await;
}

async fn a_key_that_was_used_moves_nothing_else(app: &TestApp) {
    let town = Town::new(app).await;
    let other = app.post_job(&town.ada).await;
    let offer = id_of(&app.offer(&town.bob, &other, "20.00").await.ok(), "offer");
    let moved = |mutation: &str| {
        let mut input = town.input(mutation);
        match mutation {
            "depositCreate" | "offerSend" => input["amount"] = usd("5.01"),
            "offerCounter" => input["amount"] = usd("4.99"),
            "offerAccept" => input["offerId"] = json!(offer),
            "jobCancel" => input["jobId"] = json!(other),
            "bookingComplete" => input["bookingId"] = json!(town.confirmed),
            "bookingCancel" => input["reason"] = json!("No money."),
            "disputeOpen" => input["reason"] = json!("OTHER"),
            "disputeAcceptProposal" => input["proposalNumber"] = json!(2),
            _ => input["platformFee"] = json!("BACK"),
        }
        input
    };
    // Each is done once, in an order in which each may be.
    let order = [
        ("depositCreate", &town.ada),
        ("disputeAcceptProposal", &town.ada),
        ("bookingComplete", &town.ada),
        ("offerSend", &town.ada),
        ("offerCounter", &town.bob),
        ("offerAccept", &town.ada),
        ("disputeOpen", &town.ada),
        ("disputeDecide", &town.admin),
        ("bookingCancel", &town.ada),
        ("jobCancel", &town.ada),
    ];
    for (mutation, who) in order {
        let mut input = town.input(mutation);
        let used = input["idempotencyKey"].clone();
        match mutation {
            // Ada's own offer from the step before, answered by Bob.
            "offerCounter" => {
                let own = "query ($id: ID!) { job(id: $id) { offers(filter: { madeBy: CUSTOMER }) { nodes { id } } } }";
                let found = app.gql(&town.ada, own, json!({ "id": town.job })).await;
                input["offerId"] = found["data"]["job"]["offers"]["nodes"][0]["id"].clone();
                app.answer(&town.bob, "offerWithdraw", &town.offer).await.ok();
            }
            "offerAccept" => {
                input["offerId"] =
                    json!(id_of(&app.offer(&town.bob, &app.post_job(&town.ada).await, "9.00").await.ok(), "offer"))
            }
            "disputeDecide" | "disputeOpen" | "bookingCancel" => {
                let booking = app.book(&town.ada, &town.bob).await;
                input["bookingId"] = json!(booking);
                if mutation == "disputeDecide" {
                    let mut open = opening(&booking);
                    open["idempotencyKey"] = json!(key());
                    let made = app.act(&town.ada, "disputeOpen", open).await.ok();
                    input.as_object_mut().unwrap().remove("bookingId");
                    input["disputeId"] = json!(id_of(&made, "dispute"));
                }
            }
            _ => {}
        }
        app.act(who, mutation, input.clone()).await.ok();
        let before = app.traces().await;
        let again = app.act(who, mutation, input).await;
        assert!(again.replayed, "{mutation}: {again:#?}");
        assert_eq!(app.traces().await, before, "a repetition of {mutation} left something");
        let mut wrong = moved(mutation);
        wrong["idempotencyKey"] = used;
        refused(app, who, mutation, wrong, "IDEMPOTENCY_MISMATCH").await;
    }
    app.assert_books().await;
}

async fn what_comes_too_late_moves_nothing(app: &TestApp) {
    let town = Town::new(app).await;
    let at = |mutation: &str, field: &str, id: &str| {
        let mut input = town.input(mutation);
        input[field] = json!(id);
        input
    };
    let Town { ada, bob, admin, .. } = &town;
    let cases = [
        (ada, "offerAccept", at("offerAccept", "offerId", &town.expired), "OFFER_EXPIRED"),
        (ada, "offerCounter", at("offerCounter", "offerId", &town.expired), "OFFER_EXPIRED"),
        (ada, "bookingComplete", at("bookingComplete", "bookingId", &town.completed), "CONFLICT"),
        (ada, "bookingComplete", at("bookingComplete", "bookingId", &town.cancelled), "CONFLICT"),
        (ada, "bookingComplete", at("bookingComplete", "bookingId", &town.confirmed), "CONFLICT"),
        (ada, "bookingComplete", at("bookingComplete", "bookingId", &town.disputed), "CONFLICT"),
        (ada, "bookingCancel", at("bookingCancel", "bookingId", &town.completed), "CONFLICT"),
        (ada, "bookingCancel", at("bookingCancel", "bookingId", &town.cancelled), "CONFLICT"),
        (ada, "bookingCancel", at("bookingCancel", "bookingId", &town.delivered), "CONFLICT"),
        (bob, "bookingCancel", at("bookingCancel", "bookingId", &town.disputed), "CONFLICT"),
        (admin, "bookingCancel", at("bookingCancel", "bookingId", &town.completed), "CONFLICT"),
        (ada, "disputeOpen", at("disputeOpen", "bookingId", &town.completed), "DISPUTE_TOO_LATE"),
        (bob, "disputeOpen", at("disputeOpen", "bookingId", &town.completed), "DISPUTE_TOO_LATE"),
        (ada, "disputeOpen", at("disputeOpen", "bookingId", &town.cancelled), "DISPUTE_TOO_LATE"),
        (bob, "disputeOpen", at("disputeOpen", "bookingId", &town.disputed), "CONFLICT"),
        (ada, "disputeAcceptProposal", at("disputeAcceptProposal", "disputeId", &town.stale), "PROPOSAL_EXPIRED"),
        (ada, "disputeAcceptProposal", at("disputeAcceptProposal", "disputeId", &town.ended), "CONFLICT"),
        (bob, "disputePropose", at("disputePropose", "disputeId", &town.ended), "CONFLICT"),
        (ada, "disputeWithdraw", at("disputeWithdraw", "disputeId", &town.ended), "CONFLICT"),
        (admin, "disputeDecide", at("disputeDecide", "disputeId", &town.ended), "CONFLICT"),
        (ada, "disputeAcceptProposal", at("disputeAcceptProposal", "proposalNumber", "2"), "BAD_USER_INPUT"),
    ];
    for (who, mutation, input, code) in cases {
        refused(app, who, mutation, input, code).await;
    }
    for number in [0, 2, -1, i32::MAX] {
        let mut input = town.input("disputeAcceptProposal");
        input["proposalNumber"] = json!(number);
        refused(app, ada, "disputeAcceptProposal", input, "CONFLICT").await;
    }
    app.assert_books().await;
}
