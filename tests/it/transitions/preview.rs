//! What would come of a transition: as the mutation does it, and without a trace.

use std::time::Duration;

use gigwire::platform::config::Profile;
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    a_preview_tells_what_the_mutation_then_does,
    a_preview_leaves_no_trace,
    a_preview_is_refused_like_the_mutation,
}

const PREVIEW: &str = "query ($id: ID!, $name: TransitionName!) { transitionPreview(id: $id, name: $name) {
    jobStatus offerStatus bookingStatus changeStatus disputeStatus wallet { available { amount } held { amount } escrow { amount } }
    moneyEffect { customer { amount } held { amount } escrow { amount } contractor { amount } platform { amount } }
    userErrors { code message field } } }";

fn screamed(mutation: &str) -> String {
    let words = |c: char| if c.is_ascii_uppercase() { vec!['_', c] } else { vec![c.to_ascii_uppercase()] };
    mutation.chars().flat_map(words).collect()
}

/// The answer to a preview.
pub(super) async fn preview(app: &TestApp, who: &TestUser, mutation: &str, id: &str) -> Value {
    app.gql(who, PREVIEW, json!({ "id": id, "name": screamed(mutation) })).await
}

/// The preview of something that would be done.
pub(super) async fn foreseen(app: &TestApp, who: &TestUser, mutation: &str, id: &str) -> Value {
    let mut answer = preview(app, who, mutation, id).await;
    let found = answer["data"]["transitionPreview"].take();
    assert_eq!(found["userErrors"], json!([]), "{mutation}: {answer:#} {found:#}");
    found
}

/// Some amounts of an object, by the names of its fields.
pub(super) fn amounts(parts: &Value, names: [&str; 3]) -> [String; 3] {
    names.map(|name| parts[name]["amount"].as_str().unwrap_or_else(|| panic!("{parts}")).to_owned())
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

/// Previews a step, takes it, and compares.
async fn compare(app: &TestApp, who: (&TestUser, &TestUser), by: &TestUser, mutation: &str, id: &str) -> Value {
    let before = (app.money(who.0).await, app.money(who.1).await);
    let found = foreseen(app, by, mutation, id).await;
    assert_eq!((app.money(who.0).await, app.money(who.1).await), before, "{mutation} moved nothing yet");
    let done = if mutation == "offerCounter" {
        app.counter(by, id, "100.00").await.ok()
    } else if mutation == "jobCancel" {
        app.cancel_job(by, id).await.ok()
    } else if mutation.starts_with("offer") {
        app.answer(by, mutation, id).await.ok()
    } else {
        app.step(by, mutation, id).await.ok()
    };
    assert_eq!(amounts(&found["wallet"], ["available", "held", "escrow"]), app.money(by).await, "{mutation}");
    // A counter answers with the new offer.
    for noun in ["offer", "booking"].into_iter().filter(|_| mutation != "offerCounter") {
        assert_eq!(found[format!("{noun}Status")], done[noun]["status"], "{mutation}: {noun}");
    }
    let change = |after: [String; 3], before: &[String; 3]| [0, 1, 2].map(|at| cents(&after[at]) - cents(&before[at]));
    let told = if found["moneyEffect"].is_null() {
        [0; 4]
    } else {
        ["customer", "held", "escrow", "contractor"]
            .map(|part| cents(found["moneyEffect"][part]["amount"].as_str().unwrap()))
    };
    let [available, held, escrow] = change(app.money(who.0).await, &before.0);
    let [earned, ..] = change(app.money(who.1).await, &before.1);
    assert_eq!(told, [available, held, escrow, earned], "{mutation}");
    app.assert_books().await;
    done
}

async fn people(app: &TestApp) -> (TestUser, TestUser) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "500.00").await;
    (ada, bob)
}

async fn a_preview_tells_what_the_mutation_then_does(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let both = (&ada, &bob);
    let job = app.post_job(&ada).await;
    for (mutation, by) in [("offerDecline", &bob), ("offerWithdraw", &ada)] {
        let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
        compare(app, both, by, mutation, &offer).await;
    }
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let answer = id_of(&compare(app, both, &bob, "offerCounter", &offer).await, "offer");
    app.answer(&ada, "offerDecline", &answer).await.ok();
    let dropped = app.post_job(&ada).await;
    app.offer(&bob, &dropped, "100.00").await.ok();
    assert_eq!(foreseen(app, &ada, "jobCancel", &dropped).await["jobStatus"], "CANCELLED");
    compare(app, both, &ada, "jobCancel", &dropped).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let found = foreseen(app, &bob, "offerAccept", &offer).await;
    assert_eq!((&found["jobStatus"], &found["bookingStatus"]), (&json!("ASSIGNED"), &json!("CONFIRMED")));
    let booking = id_of(&compare(app, both, &bob, "offerAccept", &offer).await, "booking");
    for (mutation, by) in [("bookingStart", &bob), ("bookingDeliver", &bob), ("bookingComplete", &ada)] {
        compare(app, both, by, mutation, &booking).await;
    }
    for by in [&ada, &bob] {
        let booking = app.book(&ada, &bob).await;
        let found = foreseen(app, by, "bookingCancel", &booking).await;
        assert_eq!(found["jobStatus"], "CANCELLED");
        compare(app, both, by, "bookingCancel", &booking).await;
    }
    // What a losing offer holds pays for the winner: the wallet shows it, the effect of the deal does not.
    let job = app.post_job(&ada).await;
    app.offer_to(&ada, &job, &bob, "300.00").await.ok();
    let eve = app.sign_up(&["CONTRACTOR"]).await;
    let offer = id_of(&app.offer(&eve, &job, "200.00").await.ok(), "offer");
    let found = foreseen(app, &ada, "offerAccept", &offer).await;
    app.answer(&ada, "offerAccept", &offer).await.ok();
    assert_eq!(amounts(&found["wallet"], ["available", "held", "escrow"]), app.money(&ada).await);
}

async fn a_preview_leaves_no_trace(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    let own = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let theirs = id_of(&app.offer(&bob, &job, "50.00").await.ok(), "offer");
    let delivered = app.book(&ada, &bob).await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &delivered).await.ok();
    }
    let before = app.traces().await;
    let mut wakes = app.server.platform.bus.subscribe();
    let mut last = Value::Null;
    for _ in 0..2 {
        foreseen(app, &bob, "offerAccept", &own).await;
        foreseen(app, &ada, "offerAccept", &theirs).await;
        foreseen(app, &ada, "offerWithdraw", &own).await;
        last = foreseen(app, &ada, "bookingComplete", &delivered).await;
        preview(app, &ada, "bookingCancel", &delivered).await;
    }
    assert_eq!(last["bookingStatus"], "COMPLETED");
    assert_eq!(app.traces().await, before);
    let silence = tokio::time::timeout(Duration::from_millis(200), wakes.next()).await;
    assert!(silence.is_err(), "nobody is woken");
    app.assert_books().await;
    app.step(&ada, "bookingComplete", &delivered).await.ok();
    assert_ne!(app.traces().await, before, "the real one leaves some");
    app.assert_books().await;
}

#[tokio::test]
async fn one_user_rehearses_sixty_times_a_minute() {
    let app = TestApp::sqlite_with(|config| config.app.env = Profile::Production).await;
    let (ada, bob) = people(&app).await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "50.00").await.ok(), "offer");
    let four = "query ($id: ID!) { a: transitionPreview(id: $id, name: OFFER_ACCEPT) { bookingStatus }
        b: transitionPreview(id: $id, name: OFFER_DECLINE) { offerStatus }
        c: transitionPreview(id: $id, name: OFFER_ACCEPT) { jobStatus }
        d: transitionPreview(id: $id, name: OFFER_DECLINE) { offerStatus } }";
    for _ in 0..15 {
        let answer = app.gql(&ada, four, json!({ "id": offer })).await;
        assert_eq!(answer["data"]["a"]["bookingStatus"], "CONFIRMED", "{answer:#}");
    }
    // One more is allowed each second, so that a slow machine needs some more to be refused.
    let mut is_refused = false;
    for _ in 0..20 {
        let answer = app.gql(&ada, four, json!({ "id": offer })).await;
        is_refused |= answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED";
    }
    assert!(is_refused, "nobody may rehearse for ever");
    let other = preview(&app, &bob, "offerWithdraw", &offer).await;
    assert_eq!(other["data"]["transitionPreview"]["offerStatus"], "WITHDRAWN", "others are not counted: {other:#}");
}

async fn a_preview_is_refused_like_the_mutation(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let eve = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let job = app.post_job(&ada).await;
    let dear = id_of(&app.offer(&bob, &job, "900.00").await.ok(), "offer");
    let booking = app.book(&ada, &bob).await;
    app.step(&bob, "bookingStart", &booking).await.ok();
    for (who, mutation, id, code) in [
        (&ada, "offerAccept", &dear, "INSUFFICIENT_FUNDS"),
        (&ada, "bookingCancel", &booking, "CONFLICT"),
        (&ada, "bookingComplete", &booking, "CONFLICT"),
        (&eve, "offerAccept", &dear, "NOT_FOUND"),
        (&eve, "bookingCancel", &booking, "NOT_FOUND"),
    ] {
        let answer = preview(app, who, mutation, id).await;
        let found = &answer["data"]["transitionPreview"];
        assert_eq!(found["userErrors"][0]["code"], code, "{mutation}: {answer:#}");
        assert!(found["bookingStatus"].is_null() && found["wallet"].is_null(), "{found:#}");
        let done = match mutation {
            "offerAccept" => app.answer(who, mutation, id).await,
            _ => app.step(who, mutation, id).await,
        };
        done.refused(code);
    }
    for (who, mutation, id, code) in [
        (&bob, "offerAccept", &dear, "FORBIDDEN"),
        (&ada, "bookingStart", &booking, "FORBIDDEN"),
        (&ada, "bookingCancel", &dear, "BAD_USER_INPUT"),
        (&ada, "offerAccept", &job, "BAD_USER_INPUT"),
    ] {
        let answer = preview(app, who, mutation, id).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{mutation}: {answer:#}");
    }
    let nobody = app.gql(ANONYMOUS, PREVIEW, json!({ "id": dear, "name": "OFFER_ACCEPT" })).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{nobody:#}");
}
