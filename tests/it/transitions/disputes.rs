//! What would come of a step in a dispute: as the mutation does it, and without a trace.

use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};

use super::preview::{amounts, foreseen, preview};
use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    a_preview_tells_what_the_step_then_does,
    a_step_that_is_refused_is_refused_in_its_preview,
}

const POTS: [&str; 5] = ["customer", "held", "escrow", "contractor", "platform"];

struct Deal {
    ada: TestUser,
    bob: TestUser,
    booking: String,
}

impl Deal {
    async fn new(app: &TestApp) -> Self {
        let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, "500.00").await;
        let booking = app.book(&ada, &bob).await;
        app.step(&bob, "bookingStart", &booking).await.ok();
        Deal { ada, bob, booking }
    }

    async fn open(&self, app: &TestApp) -> String {
        id_of(&app.act(&self.ada, "disputeOpen", opening(&self.booking)).await.ok(), "dispute")
    }
}

fn opening(booking: &str) -> Value {
    json!({ "bookingId": booking, "reason": "OTHER", "evidence": "Look.", "idempotencyKey": key() })
}

fn input(mutation: &str, dispute: &str) -> Value {
    match mutation {
        "disputePropose" => json!({ "disputeId": dispute, "toCustomer": usd("25.00") }),
        "disputeAcceptProposal" => json!({ "disputeId": dispute, "proposalNumber": 1, "idempotencyKey": key() }),
        "disputeDecide" => json!({ "disputeId": dispute, "toCustomer": usd("100.00"), "toContractor": usd("0"),
            "toPlatform": usd("0"), "platformFee": "KEPT", "reason": "So be it.", "idempotencyKey": key() }),
        _ => json!({ "disputeId": dispute }),
    }
}

/// Previews a step, finds that nothing came of it, takes it, and compares. Gives the preview.
async fn compare(app: &TestApp, by: &TestUser, mutation: &str, id: &str) -> Value {
    let before = app.traces().await;
    let found = foreseen(app, by, mutation, id).await;
    assert_eq!(app.traces().await, before, "{mutation} left something");
    let input = if mutation == "disputeOpen" { opening(id) } else { input(mutation, id) };
    let done = app.act(by, mutation, input).await.ok();
    assert_eq!(found["disputeStatus"], done["dispute"]["status"], "{mutation}");
    if mutation != "disputeDecide" {
        assert_eq!(found["bookingStatus"], done["dispute"]["booking"]["status"], "{mutation}");
        assert_eq!(amounts(&found["wallet"], ["available", "held", "escrow"]), app.money(by).await, "{mutation}");
    }
    app.assert_books().await;
    found
}

fn effect(found: &Value) -> Vec<&str> {
    POTS.iter().filter_map(|pot| found["moneyEffect"][pot]["amount"].as_str()).collect()
}

async fn a_preview_tells_what_the_step_then_does(app: &TestApp) {
    let deal = Deal::new(app).await;
    let admin = app.admin().await;
    let found = compare(app, &deal.ada, "disputeOpen", &deal.booking).await;
    assert_eq!((&found["disputeStatus"], &found["bookingStatus"]), (&json!("OPEN"), &json!("DISPUTED")));
    let text = "query ($id: ID!) { booking(id: $id) { dispute { id availableTransitions { name
        moneyEffect { customer { amount } held { amount } escrow { amount } contractor { amount } platform { amount } } } } } }";
    let seen = async |who: &TestUser| {
        app.gql(who, text, json!({ "id": deal.booking })).await["data"]["booking"]["dispute"].take()
    };
    let dispute = id_of(&json!({ "dispute": seen(&deal.ada).await }), "dispute");
    let found = compare(app, &deal.ada, "disputeWithdraw", &dispute).await;
    assert_eq!((&found["disputeStatus"], &found["bookingStatus"]), (&json!("WITHDRAWN"), &json!("IN_PROGRESS")));
    let dispute = deal.open(app).await;
    compare(app, &admin, "disputePropose", &dispute).await;
    let found = foreseen(app, &deal.bob, "disputeAddEvidence", &dispute).await;
    assert_eq!(found["disputeStatus"], "OPEN", "which files it will be plays no part");
    // Both agree to what staff propose: the first of them moves nothing yet.
    assert!(effect(&seen(&deal.bob).await["availableTransitions"][1]).is_empty());
    assert!(effect(&compare(app, &deal.bob, "disputeAcceptProposal", &dispute).await).is_empty());
    let quarter = ["25.00", "0.00", "-100.00", "60.00", "15.00"];
    let told = seen(&deal.ada).await;
    assert_eq!(told["availableTransitions"][1]["name"], "DISPUTE_ACCEPT_PROPOSAL");
    assert_eq!(effect(&told["availableTransitions"][1]), quarter, "the list knows what the preview knows");
    let found = compare(app, &deal.ada, "disputeAcceptProposal", &dispute).await;
    assert_eq!((effect(&found), &found["jobStatus"]), (quarter.to_vec(), &json!("COMPLETED")));
    // Where a booking goes that staff decide about is theirs to say.
    let second = Deal::new(app).await;
    let dispute = second.open(app).await;
    let found = compare(app, &admin, "disputeDecide", &dispute).await;
    assert_eq!(found["disputeStatus"], "DECIDED");
    assert!(found["bookingStatus"].is_null() && found["jobStatus"].is_null() && found["moneyEffect"].is_null());
}

async fn a_step_that_is_refused_is_refused_in_its_preview(app: &TestApp) {
    let mut deal = Deal::new(app).await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.admin().await);
    let over = app.deal(&deal.ada, &deal.bob).await;
    let dispute = deal.open(app).await;
    let refused = async |who: &TestUser, mutation: &str, id: &str, code: &str| {
        let before = app.traces().await;
        let answer = preview(app, who, mutation, id).await;
        let found = &answer["data"]["transitionPreview"];
        let told = found["userErrors"][0]["code"].as_str().or(answer["errors"][0]["extensions"]["code"].as_str());
        assert_eq!(told, Some(code), "{mutation}: {answer:#}");
        assert!(found["disputeStatus"].is_null() && found["wallet"].is_null(), "{answer:#}");
        let input = if mutation == "disputeOpen" { opening(id) } else { input(mutation, id) };
        app.act(who, mutation, input).await.refused(code);
        assert_eq!(app.traces().await, before, "{mutation} left something");
    };
    refused(&deal.ada, "disputeOpen", &over, "DISPUTE_TOO_LATE").await;
    refused(&deal.bob, "disputeOpen", &deal.booking, "CONFLICT").await;
    refused(&admin, "disputeOpen", &deal.booking, "NOT_FOUND").await;
    refused(&deal.bob, "disputeWithdraw", &dispute, "FORBIDDEN").await;
    refused(&deal.bob, "disputeAcceptProposal", &dispute, "CONFLICT").await;
    refused(&deal.ada, "disputeDecide", &dispute, "FORBIDDEN").await;
    for mutation in ["disputeOpen", "disputePropose", "disputeAcceptProposal", "disputeWithdraw"] {
        let id = if mutation == "disputeOpen" { &deal.booking } else { &dispute };
        refused(&eve, mutation, id, "NOT_FOUND").await;
    }
    refused(&deal.ada, "disputePropose", &deal.booking, "BAD_USER_INPUT").await;
    app.act(&deal.ada, "disputePropose", input("disputePropose", &dispute)).await.ok();
    refused(&deal.ada, "disputeAcceptProposal", &dispute, "CONFLICT").await;
    app.clock.advance(4 * DAY);
    for user in [&mut deal.ada, &mut deal.bob] {
        *user = app.sign_in(&user.email, PASSWORD).await;
    }
    refused(&deal.bob, "disputeAcceptProposal", &dispute, "PROPOSAL_EXPIRED").await;
    app.act(&deal.ada, "disputeWithdraw", json!({ "disputeId": dispute })).await.ok();
    for mutation in ["disputePropose", "disputeAcceptProposal", "disputeWithdraw"] {
        refused(&deal.ada, mutation, &dispute, "CONFLICT").await;
    }
    app.assert_books().await;
}
