//! Comparing the offers of a job: filters, orders, pages, and the summary.

use serde_json::{Value, json};

use super::people;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    offers_are_filtered_and_ordered,
    pages_go_on_where_they_stopped,
    the_summary_is_for_who_sees_all,
}

const LIST: &str = "query ($job: ID!, $filter: OfferFilter, $order: OfferOrder, $first: Int, $after: String) {
    job(id: $job) { offers(filter: $filter, orderBy: $order, first: $first, after: $after) {
        totalCount nodes { amount { amount } } pageInfo { hasNextPage endCursor } } } }";

async fn list(app: &TestApp, who: &TestUser, asked: Value) -> Value {
    let mut answer = app.gql(who, LIST, asked).await;
    let found = answer["data"]["job"]["offers"].take();
    assert!(found.is_object(), "{answer}");
    found
}

fn prices(found: &Value) -> Vec<&str> {
    found["nodes"].as_array().unwrap().iter().map(|offer| offer["amount"]["amount"].as_str().unwrap()).collect()
}

/// A job with bids of these prices, each by somebody else.
async fn market(app: &TestApp, bids: &[&str]) -> (TestUser, String, Vec<String>) {
    let (ada, bob) = people(app).await;
    app.deposit(&ada, "500.00").await;
    let job = app.post_job(&ada).await;
    let mut offers = Vec::new();
    for price in bids {
        let bidder = app.sign_up(&["CONTRACTOR"]).await;
        offers.push(id_of(&app.offer(&bidder, &job, price).await.ok(), "offer"));
        app.clock.advance(1_000);
    }
    app.offer_to(&ada, &job, &bob, "55.00").await.ok();
    (ada, job, offers)
}

async fn offers_are_filtered_and_ordered(app: &TestApp) {
    let (ada, job, offers) = market(app, &["60.00", "40.00", "50.00"]).await;
    app.answer(&ada, "offerDecline", &offers[2]).await.ok();
    let ask = |filter: Value, field: &str, direction: &str| json!({ "job": job, "filter": filter, "order": { "field": field, "direction": direction } });
    for (asked, wanted) in [
        (json!({ "job": job }), vec!["55.00", "50.00", "40.00", "60.00"]),
        (ask(json!({}), "AMOUNT", "ASC"), vec!["40.00", "50.00", "55.00", "60.00"]),
        (ask(json!({}), "AMOUNT", "DESC"), vec!["60.00", "55.00", "50.00", "40.00"]),
        (ask(json!({}), "CREATED_AT", "ASC"), vec!["60.00", "40.00", "50.00", "55.00"]),
        (ask(json!({}), "EXPIRES_AT", "DESC"), vec!["55.00", "50.00", "40.00", "60.00"]),
        (ask(json!({ "status": "PENDING" }), "AMOUNT", "ASC"), vec!["40.00", "55.00", "60.00"]),
        (ask(json!({ "status": "DECLINED" }), "AMOUNT", "ASC"), vec!["50.00"]),
        (ask(json!({ "madeBy": "CUSTOMER" }), "AMOUNT", "ASC"), vec!["55.00"]),
        (ask(json!({ "madeBy": "CONTRACTOR", "status": "PENDING" }), "AMOUNT", "DESC"), vec!["60.00", "40.00"]),
    ] {
        let found = list(app, &ada, asked.clone()).await;
        assert_eq!(prices(&found), wanted, "{asked}");
        assert_eq!(found["totalCount"], wanted.len(), "{asked}");
    }
}

async fn pages_go_on_where_they_stopped(app: &TestApp) {
    let (ada, job, _) = market(app, &["60.00", "40.00", "40.00", "50.00"]).await;
    for (field, wanted) in [
        ("AMOUNT", ["40.00", "40.00", "50.00", "55.00", "60.00"]),
        ("CREATED_AT", ["60.00", "40.00", "40.00", "50.00", "55.00"]),
        ("EXPIRES_AT", ["60.00", "40.00", "40.00", "50.00", "55.00"]),
    ] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let order = json!({ "field": field, "direction": "ASC" });
            let page = list(app, &ada, json!({ "job": job, "order": order, "first": 2, "after": after })).await;
            seen.extend(prices(&page).into_iter().map(str::to_owned));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, wanted, "{field}");
    }
}

async fn the_summary_is_for_who_sees_all(app: &TestApp) {
    let text = "query ($id: ID!) { job(id: $id) { offerSummary {
        pendingCount lowest { amount } highest { amount } median { amount } } } }";
    let ask = async |who: &TestUser, job: &str| {
        let mut answer = app.gql(who, text, json!({ "id": job })).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["job"]["offerSummary"].take()
    };
    let amount = |amount: &str| json!({ "amount": amount });
    let (ada, job, offers) = market(app, &["60.00", "40.01", "41.00"]).await;
    let four =
        json!({ "pendingCount": 4, "lowest": amount("40.01"), "highest": amount("60.00"), "median": amount("48.00") });
    assert_eq!(ask(&ada, &job).await, four);
    assert_eq!(ask(&app.admin().await, &job).await, four);
    let bidder = app.sign_up(&["CONTRACTOR"]).await;
    app.offer(&bidder, &job, "40.01").await.ok();
    assert_eq!(ask(&bidder, &job).await, Value::Null, "a contractor sees its own offers only");
    assert_eq!(ask(&ada, &job).await["median"], amount("41.00"), "of five the one in the middle");
    for offer in [&offers[0], &offers[2]] {
        app.answer(&ada, "offerDecline", offer).await.ok();
    }
    let three =
        json!({ "pendingCount": 3, "lowest": amount("40.01"), "highest": amount("55.00"), "median": amount("40.01") });
    assert_eq!(ask(&ada, &job).await, three);
    let empty = app.post_job(&ada).await;
    let none = json!({ "pendingCount": 0, "lowest": null, "highest": null, "median": null });
    assert_eq!(ask(&ada, &empty).await, none);
    app.offer(&bidder, &empty, "10.00").await.ok();
    app.offer(&app.sign_up(&["CONTRACTOR"]).await, &empty, "10.01").await.ok();
    assert_eq!(ask(&ada, &empty).await["median"], amount("10.01"), "half a cent is rounded up");
}
