//! What would come of a step of a change: as the mutation does it, and without a trace.

use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};

use super::preview::{amounts, foreseen, preview};
use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    a_preview_tells_what_the_step_then_does,
    a_step_that_is_refused_is_refused_in_its_preview,
}

async fn people(app: &TestApp, money: &str) -> (TestUser, TestUser, String) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, money).await;
    let booking = app.book(&ada, &bob).await;
    (ada, bob, booking)
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

/// Previews a step, finds that nothing came of it, takes it, and compares. Gives what it moved.
async fn compare(app: &TestApp, by: &TestUser, mutation: &str, id: &str) -> Value {
    let before = (app.traces().await, app.money(by).await);
    let found = foreseen(app, by, mutation, id).await;
    assert_eq!(app.traces().await, before.0, "{mutation} left something");
    let done = match mutation {
        "bookingChangePropose" => app.propose(by, id, "120.00").await.ok(),
        _ => app.settle(by, mutation, id).await.ok(),
    };
    assert_eq!(found["changeStatus"], done["change"]["status"], "{mutation}");
    assert_eq!(found["bookingStatus"], done["booking"]["status"], "{mutation}");
    let after = app.money(by).await;
    assert_eq!(amounts(&found["wallet"], ["available", "held", "escrow"]), after, "{mutation}");
    let moved = cents(&after[0]) - cents(&before.1[0]);
    let told = found["moneyEffect"]["customer"]["amount"].as_str().map_or(0, cents);
    assert_eq!(moved, told, "{mutation}: {found:#}");
    found["moneyEffect"].clone()
}

async fn a_preview_tells_what_the_step_then_does(app: &TestApp) {
    let (ada, bob, booking) = people(app, "500.00").await;
    let ends = [("bookingChangeDecline", &ada), ("bookingChangeWithdraw", &bob), ("bookingChangeAccept", &ada)];
    for (mutation, by) in ends {
        assert!(compare(app, &bob, "bookingChangePropose", &booking).await.is_null());
        let text = "query ($id: ID!) { booking(id: $id) { pendingChange { id } } }";
        let found = app.gql(&bob, text, json!({ "id": booking })).await;
        let change = found["data"]["booking"]["pendingChange"]["id"].as_str().unwrap();
        let effect = compare(app, by, mutation, change).await;
        if mutation == "bookingChangeAccept" {
            assert_eq!(amounts(&effect, ["customer", "escrow", "platform"]), ["-21.00", "20.00", "1.00"]);
        } else {
            assert!(effect.is_null(), "{mutation}");
        }
    }
    app.assert_books().await;
}

async fn a_step_that_is_refused_is_refused_in_its_preview(app: &TestApp) {
    let (ada, bob, booking) = people(app, "110.00").await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await);
    let change = id_of(&app.propose(&bob, &booking, "120.00").await.ok(), "change");
    let refused = async |who: &TestUser, mutation: &str, id: &str, code: &str| {
        let answer = preview(app, who, mutation, id).await;
        let found = answer["data"]["transitionPreview"]["userErrors"][0]["code"].as_str();
        let top = answer["errors"][0]["extensions"]["code"].as_str();
        assert_eq!(found.or(top), Some(code), "{mutation}: {answer:#}");
    };
    refused(&ada, "bookingChangeAccept", &change, "INSUFFICIENT_FUNDS").await;
    refused(&eve, "bookingChangeAccept", &change, "NOT_FOUND").await;
    refused(&eve, "bookingChangePropose", &booking, "NOT_FOUND").await;
    refused(&admin, "bookingChangePropose", &booking, "FORBIDDEN").await;
    refused(&bob, "bookingChangeAccept", &change, "FORBIDDEN").await;
    refused(&ada, "bookingChangeAccept", &booking, "BAD_USER_INPUT").await;
    assert_eq!(foreseen(app, &admin, "bookingChangeDecline", &change).await["changeStatus"], "DECLINED");
    app.clock.advance(3 * DAY + 1);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    refused(&ada, "bookingChangeAccept", &change, "PROPOSAL_EXPIRED").await;
    let bob = app.sign_in(&bob.email, PASSWORD).await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    refused(&ada, "bookingChangeDecline", &change, "CONFLICT").await;
    refused(&ada, "bookingChangePropose", &booking, "CONFLICT").await;
}
