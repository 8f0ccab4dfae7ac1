//! What people are told that they may do next.

use std::collections::BTreeSet;

use gigwire::features::lives;
use gigwire::kernel::clock::DAY;
use gigwire::schema::transitions::TransitionName;
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    each_side_of_an_offer_sees_its_own_way_on,
    each_party_of_a_booking_sees_its_own_way_on,
    what_is_expected_and_refused_says_why,
    a_list_costs_no_statement_for_each_row,
}

/// A state of a life: what is done to get there, and what the customer and the contractor may do there.
type State<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

const OPEN: &str = "availableTransitions { name label deadline refusedBecause { code message }
    moneyEffect { customer { amount } held { amount } escrow { amount } contractor { amount } platform { amount } } }";

/// The transitions of an offer, a booking or a job, for somebody who may see it.
async fn open(app: &TestApp, who: &TestUser, id: &str) -> Vec<Value> {
    let text = format!(
        "query ($id: ID!) {{ node(id: $id) {{ id ... on Offer {{ {OPEN} }} ... on Booking {{ {OPEN} }} ... on Job {{ {OPEN} }} }} }}"
    );
    let mut answer = app.gql(who, &text, json!({ "id": id })).await;
    match answer["data"]["node"]["availableTransitions"].take() {
        Value::Array(found) => found,
        _ => panic!("{answer:#}"),
    }
}

/// The names of what is possible, and with a `!` of what is refused.
fn names(found: &[Value]) -> Vec<String> {
    let name = |it: &Value| {
        let mark = if it["refusedBecause"].is_null() { "" } else { "!" };
        format!("{}{mark}", it["name"].as_str().unwrap())
    };
    found.iter().map(name).collect()
}

/// Customer, held, escrow, contractor and platform.
fn effect(found: &Value) -> Vec<&str> {
    let parts = ["customer", "held", "escrow", "contractor", "platform"];
    parts.iter().filter_map(|part| found["moneyEffect"][part]["amount"].as_str()).collect()
}

async fn people(app: &TestApp) -> (TestUser, TestUser, String) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    (ada, bob, job)
}

async fn each_side_of_an_offer_sees_its_own_way_on(app: &TestApp) {
    let (ada, bob, job) = people(app).await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.admin().await);
    let own = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    let theirs = id_of(&app.offer(&bob, &job, "50.00").await.ok(), "offer");
    let (to_ada, to_bob) = (open(app, &ada, &theirs).await, open(app, &bob, &own).await);
    assert_eq!(names(&to_ada), ["OFFER_ACCEPT", "OFFER_DECLINE", "OFFER_COUNTER"]);
    assert_eq!(names(&to_bob), ["OFFER_ACCEPT", "OFFER_DECLINE", "OFFER_COUNTER"]);
    assert_eq!(names(&open(app, &ada, &own).await), ["OFFER_WITHDRAW"]);
    assert_eq!(names(&open(app, &bob, &theirs).await), ["OFFER_WITHDRAW"]);
    assert_eq!(effect(&to_ada[0]), ["-52.50", "0.00", "50.00", "0.00", "2.50"]);
    assert_eq!(effect(&to_bob[0]), ["0.00", "-105.00", "100.00", "0.00", "5.00"], "what is held is spent");
    assert_eq!(effect(&to_bob[1]), ["105.00", "-105.00", "0.00", "0.00", "0.00"]);
    assert!(to_ada[1]["moneyEffect"].is_null(), "nothing was held for it");
    assert_eq!((&to_ada[0]["label"], to_ada[0]["deadline"].is_string()), (&json!("Accept"), true));
    // A balance decides nothing: whoever cannot pay hears so from the preview and the mutation.
    app.act(
        &ada,
        "offerSend",
        json!({ "jobId": job, "contractorId": eve.id,
        "amount": { "amount": "300.00", "currency": "USD" }, "idempotencyKey": "all" }),
    )
    .await
    .ok();
    assert_eq!(names(&open(app, &ada, &theirs).await), ["OFFER_ACCEPT", "OFFER_DECLINE", "OFFER_COUNTER"]);
    for stranger in [&eve, &admin] {
        assert!(open(app, stranger, &job).await.is_empty());
    }
    assert!(open(app, &admin, &own).await.is_empty(), "staff have no transitions of their own yet");
    assert_eq!(names(&open(app, &ada, &job).await), ["JOB_CANCEL"]);
    assert_eq!(effect(&to_bob[2]), ["105.00", "-105.00", "0.00", "0.00", "0.00"], "a counter frees it as well");
    app.answer(&ada, "offerAccept", &theirs).await.ok();
    assert_eq!(names(&open(app, &ada, &job).await), ["JOB_CANCEL!"], "its booking is cancelled instead");
    for offer in [&own, &theirs] {
        assert!(open(app, &ada, offer).await.is_empty() && open(app, &bob, offer).await.is_empty());
    }
}

async fn each_party_of_a_booking_sees_its_own_way_on(app: &TestApp) {
    let (ada, bob, _) = people(app).await;
    let booking = app.book(&ada, &bob).await;
    let states: [State<'_>; 4] = [
        (
            "",
            &["BOOKING_COMPLETE!", "BOOKING_CANCEL", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE"],
            &["BOOKING_START", "BOOKING_CANCEL", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE"],
        ),
        (
            "bookingStart",
            &["BOOKING_COMPLETE!", "BOOKING_CANCEL!", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE"],
            &["BOOKING_DELIVER", "BOOKING_CANCEL!", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE"],
        ),
        (
            "bookingDeliver",
            &["BOOKING_COMPLETE", "BOOKING_CANCEL!", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE!"],
            &["BOOKING_CANCEL!", "DISPUTE_OPEN", "BOOKING_CHANGE_PROPOSE!"],
        ),
        ("bookingComplete", &[], &[]),
    ];
    for (step, customers, contractors) in states {
        match step {
            "" => {}
            "bookingComplete" => drop(app.step(&ada, step, &booking).await.ok()),
            _ => drop(app.step(&bob, step, &booking).await.ok()),
        }
        let (to_ada, to_bob) = (open(app, &ada, &booking).await, open(app, &bob, &booking).await);
        assert_eq!(names(&to_ada), customers, "after {step}");
        assert_eq!(names(&to_bob), contractors, "after {step}");
        // What is told is what then happens: everything possible is possible, everything refused is refused.
        for (who, found) in [(&ada, &to_ada), (&bob, &to_bob)] {
            for it in found.iter().filter(|it| !it["refusedBecause"].is_null()) {
                let done = match it["name"].as_str().unwrap() {
                    "BOOKING_CHANGE_PROPOSE" => app.propose(who, &booking, "90.00").await,
                    "BOOKING_CANCEL" => app.step(who, "bookingCancel", &booking).await,
                    _ => app.step(who, "bookingComplete", &booking).await,
                };
                done.refused(it["refusedBecause"]["code"].as_str().unwrap());
                assert!(it["moneyEffect"].is_null() && it["deadline"].is_null(), "{it}");
            }
        }
        if step.is_empty() {
            assert_eq!(effect(&to_ada[1]), ["100.00", "0.00", "-100.00", "0.00", "0.00"]);
            assert_eq!(effect(&to_bob[1]), ["105.00", "0.00", "-100.00", "0.00", "-5.00"]);
            assert!(to_bob[0]["moneyEffect"].is_null(), "work that begins moves nothing");
        }
        if step == "bookingDeliver" {
            assert_eq!(effect(&to_ada[0]), ["0.00", "0.00", "-100.00", "80.00", "20.00"]);
        }
    }
}

async fn what_is_expected_and_refused_says_why(app: &TestApp) {
    let (ada, bob, job) = people(app).await;
    let booking = app.book(&ada, &bob).await;
    app.step(&bob, "bookingStart", &booking).await.ok();
    let found = open(app, &ada, &booking).await;
    let why = &found[1]["refusedBecause"];
    assert_eq!(why["code"], "CONFLICT");
    assert!(why["message"].as_str().unwrap().contains("Work has begun"), "{why}");
    let offer = id_of(&app.offer(&bob, &job, "50.00").await.ok(), "offer");
    // Nobody runs tasks here: it is as if the one that lets the offer expire were late.
    app.clock.advance(6 * DAY + 1);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    let found = open(app, &ada, &offer).await;
    assert_eq!(names(&found), ["OFFER_ACCEPT!", "OFFER_DECLINE", "OFFER_COUNTER!"]);
    assert_eq!(found[0]["refusedBecause"]["code"], "OFFER_EXPIRED");
    app.answer(&ada, "offerAccept", &offer).await.refused("OFFER_EXPIRED");
}

async fn a_list_costs_no_statement_for_each_row(app: &TestApp) {
    let (ada, bob, job) = people(app).await;
    let text = format!(
        "{{ viewer {{ jobs {{ nodes {{ {OPEN} booking {{ {OPEN} }} offers {{ nodes {{ {OPEN} }} }} }} }}
            offers {{ nodes {{ {OPEN} }} }} bookings {{ nodes {{ {OPEN} }} }} }} }}"
    );
    app.offer(&bob, &job, "50.00").await.ok();
    app.book(&ada, &bob).await;
    app.deposit(&ada, "500.00").await;
    let mut spent = BTreeSet::new();
    for rows in [2, 5] {
        let before = app.round_trips();
        let answer = app.gql(&ada, &text, json!({})).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
        assert_eq!(answer["data"]["viewer"]["offers"]["nodes"].as_array().unwrap().len(), rows);
        spent.insert(app.round_trips() - before);
        for _ in 0..3 {
            app.book(&ada, &bob).await;
        }
    }
    assert_eq!(spent.len(), 1, "round trips: {spent:?}");
}

#[tokio::test]
async fn each_row_costs_five() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let text = "{ viewer { jobs(first: 3) { nodes { availableTransitions { name label } } } } }";
    let answer = app.gql(&ada, text, json!({})).await;
    // viewer and jobs, and for each of three rows nodes, the list for 5, and its two fields.
    assert_eq!(answer["extensions"]["cost"]["requested"], 1 + 1 + 3 * (1 + 5 + 2), "{answer:#}");
}

#[test]
fn names_are_those_of_the_tables() {
    let told: BTreeSet<_> = TransitionName::ALL.iter().map(|name| name.mutation()).collect();
    let lines = lives().into_iter().flat_map(|chart| chart.lines);
    let steps = lines.filter(|line| !line.from.is_empty() && line.by.iter().any(|by| by.is_person()));
    assert_eq!(told, steps.map(|line| line.name).collect(), "each step that people take has a name in the API");
    let api = crate::schema::Sdl::api();
    let values: BTreeSet<_> = api
        .values()
        .into_iter()
        .filter(|(ty, ..)| *ty == "TransitionName")
        .map(|(_, value, _)| value.to_owned())
        .collect();
    let screamed = |name: &str| {
        let words =
            name.chars().flat_map(|c| if c.is_ascii_uppercase() { vec!['_', c] } else { vec![c.to_ascii_uppercase()] });
        words.collect::<String>()
    };
    assert_eq!(values, told.into_iter().map(screamed).collect());
}
