//! Offers through the API: who may make one, what it holds, and how it ends.

mod closing;
mod comparing;
mod countering;
mod ending;
mod losers;
mod standing;
mod timing;

use serde_json::json;

use crate::support::app::{ANONYMOUS, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    a_contractors_offer_costs_nothing_until_it_is_accepted,
    a_customers_offer_holds_price_and_fee_at_once,
    fees_are_frozen_and_round_half_up,
    one_of_a_kind_is_pending,
    a_job_has_fifty_pending_offers_at_most,
    what_cannot_be_offered_is_refused_and_holds_nothing,
    offers_are_sealed,
}

async fn people(app: &TestApp) -> (TestUser, TestUser) {
    (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await)
}

async fn a_contractors_offer_costs_nothing_until_it_is_accepted(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "105.00").await;
    let job = app.post_job(&ada).await;
    let sent = app.offer(&bob, &job, "100.00").await.ok();
    assert_eq!((&sent["offer"]["status"], &sent["offer"]["madeBy"]), (&json!("PENDING"), &json!("CONTRACTOR")));
    assert_eq!(app.money(&ada).await, ["105.00", "0.00", "0.00"]);
    let offer = id_of(&sent, "offer");
    app.answer(&bob, "offerAccept", &offer).await.refused("FORBIDDEN");
    let made = app.answer(&ada, "offerAccept", &offer).await.ok();
    assert_eq!((&made["offer"]["status"], &made["offer"]["version"]), (&json!("ACCEPTED"), &json!(2)));
    assert_eq!(
        (&made["booking"]["status"], &made["booking"]["escrow"]["amount"]),
        (&json!("CONFIRMED"), &json!("100.00"))
    );
    assert!(made["conversation"]["id"].is_string());
    assert_eq!(app.money(&ada).await, ["0.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn a_customers_offer_holds_price_and_fee_at_once(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "150.00").await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "100.00").await.ok(), "offer");
    assert_eq!(app.money(&ada).await, ["45.00", "105.00", "0.00"]);
    app.assert_books().await;
    let eve = app.sign_up(&["CONTRACTOR"]).await;
    let bids = app.offer(&eve, &job, "60.00").await.ok();
    app.answer(&ada, "offerAccept", &offer).await.refused("FORBIDDEN");
    // What the losing hold frees may pay for the winner.
    app.answer(&ada, "offerAccept", &id_of(&bids, "offer")).await.ok();
    assert_eq!(app.money(&ada).await, ["87.00", "0.00", "60.00"]);
    assert_eq!(app.offer_status(&bob, &offer).await, "DECLINED");
    app.assert_books().await;
}

async fn fees_are_frozen_and_round_half_up(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "1.00").await;
    let job = app.post_job(&ada).await;
    for (amount, left) in [("0.01", "0.99"), ("0.09", "0.91"), ("0.10", "0.89"), ("0.29", "0.70"), ("0.30", "0.68")] {
        let offer = id_of(&app.offer_to(&ada, &job, &bob, amount).await.ok(), "offer");
        assert_eq!(app.money(&ada).await[0], left, "{amount} and its fee are held");
        app.assert_books().await;
        app.answer(&ada, "offerWithdraw", &offer).await.ok();
    }
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "0.01").await.ok(), "offer");
    let booking = id_of(&app.answer(&bob, "offerAccept", &offer).await.ok(), "booking");
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    app.step(&ada, "bookingComplete", &booking).await.ok();
    assert_eq!((app.money(&ada).await[0].as_str(), app.money(&bob).await[0].as_str()), ("0.99", "0.01"));
    app.assert_books().await;
}

async fn one_of_a_kind_is_pending(app: &TestApp) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "300.00").await;
    let job = app.post_job(&ada).await;
    let own = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    app.offer(&bob, &job, "80.00").await.refused("OFFER_EXISTS");
    app.offer_to(&ada, &job, &bob, "70.00").await.ok();
    app.offer_to(&ada, &job, &bob, "70.00").await.refused("OFFER_EXISTS");
    assert_eq!(app.money(&ada).await, ["226.50", "73.50", "0.00"], "one hold");
    let eve = app.sign_up(&["CONTRACTOR"]).await;
    app.offer(&eve, &job, "80.00").await.ok();
    app.answer(&bob, "offerWithdraw", &own).await.ok();
    app.offer(&bob, &job, "80.00").await.ok();
    app.assert_books().await;
}

async fn a_job_has_fifty_pending_offers_at_most(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let job = app.post_job(&ada).await;
    let mut first = None;
    for _ in 0..50 {
        let bob = app.sign_up(&["CONTRACTOR"]).await;
        let offer = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
        first.get_or_insert((bob, offer));
    }
    let late = app.sign_up(&["CONTRACTOR"]).await;
    app.offer(&late, &job, "90.00").await.refused("TOO_MANY_OFFERS");
    let (bob, offer) = first.unwrap();
    app.answer(&bob, "offerWithdraw", &offer).await.ok();
    app.offer(&late, &job, "90.00").await.ok();
}

async fn what_cannot_be_offered_is_refused_and_holds_nothing(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let both = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    app.deposit(&ada, "104.99").await;
    app.deposit(&both, "500.00").await;
    let (job, own) = (app.post_job(&ada).await, app.post_job(&both).await);
    app.offer(&both, &own, "90.00").await.refused_at("OWN_JOB", &["jobId"]);
    app.offer_to(&both, &own, &both, "90.00").await.refused_at("OWN_JOB", &["contractorId"]);
    app.offer_to(&both, &job, &bob, "90.00").await.refused("FORBIDDEN");
    app.offer(&ada, &job, "90.00").await.refused("FORBIDDEN");
    app.offer_to(&bob, &job, &both, "90.00").await.refused("FORBIDDEN");
    app.offer_to(&both, &own, &ada, "90.00").await.refused_at("NOT_FOUND", &["contractorId"]);
    app.offer_to(&ada, &job, &bob, "100.00").await.refused("INSUFFICIENT_FUNDS");
    let euros = json!({ "amount": "90.00", "currency": "EUR" });
    let input = json!({ "jobId": job, "amount": euros, "idempotencyKey": key() });
    app.act(&bob, "offerSend", input).await.refused_at("CURRENCY_MISMATCH", &["amount", "currency"]);
    for (amount, code) in [
        ("0", "AMOUNT_NOT_POSITIVE"),
        ("-5", "AMOUNT_NOT_POSITIVE"),
        ("1.001", "EXCESS_DIGITS"),
        ("10000000000.01", "AMOUNT_TOO_LARGE"),
    ] {
        app.offer(&bob, &job, amount).await.refused_at(code, &["amount", "amount"]);
    }
    let long = json!({ "jobId": job, "amount": usd("90.00"), "message": "x".repeat(1001), "idempotencyKey": key() });
    app.act(&bob, "offerSend", long).await.refused_at("TOO_LONG", &["message"]);
    app.offer(&bob, "job_00000000000000000000000007", "90.00").await.refused("NOT_FOUND");
    app.offer(&bob, &bob.id, "90.00").await.refused("BAD_USER_INPUT");
    assert_eq!(app.count("select count(*) as n from offers").await, 0);
    assert_eq!(app.money(&ada).await, ["104.99", "0.00", "0.00"]);
    let offer = id_of(&app.offer(&bob, &job, "99.99").await.ok(), "offer");
    app.answer(&ada, "offerAccept", &offer).await.ok();
    let eve = app.sign_up(&["CONTRACTOR"]).await;
    app.offer(&bob, &job, "90.00").await.refused("CONFLICT");
    // Everybody saw the job while it was open, and may hear that it is taken.
    app.offer(&eve, &job, "90.00").await.refused("CONFLICT");
    app.offer_to(&ada, &job, &eve, "0.01").await.refused("CONFLICT");
    app.assert_books().await;
}

async fn offers_are_sealed(app: &TestApp) {
    let (ada, bob) = people(app).await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.admin().await);
    let job = app.post_job(&ada).await;
    let bobs = id_of(&app.offer(&bob, &job, "90.00").await.ok(), "offer");
    let dan = app.sign_up(&["CONTRACTOR"]).await;
    app.offer(&dan, &job, "80.00").await.ok();
    let text = "query ($job: ID!, $offer: ID!) { job(id: $job) { offers { totalCount nodes { id } } }
        node(id: $offer) { ... on Offer { id amount { amount } contractor { id } } } }";
    let ids = json!({ "job": job, "offer": bobs });
    for (who, count, sees) in [(&ada, 2, true), (&bob, 1, true), (&dan, 1, false), (&eve, 0, false), (&admin, 2, true)]
    {
        let answer = app.gql(who, text, ids.clone()).await;
        let offers = &answer["data"]["job"]["offers"];
        assert_eq!(
            (&offers["totalCount"], offers["nodes"].as_array().unwrap().len()),
            (&json!(count), count),
            "{answer}"
        );
        assert_eq!(answer["data"]["node"].is_object(), sees, "{answer}");
    }
    let answer = app.gql(ANONYMOUS, text, ids).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    for mutation in ["offerAccept", "offerDecline", "offerWithdraw"] {
        for stranger in [&eve, &dan, &admin] {
            let done = app.answer(stranger, mutation, &bobs).await;
            assert!(done.refused("NOT_FOUND")["offer"].is_null(), "a stranger is shown nothing");
        }
    }
    assert_eq!(app.offer_status(&ada, &bobs).await, "PENDING");
}
