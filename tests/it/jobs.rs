//! Lists of open jobs, and who sees one that is not open any more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::{TestApp, on_both_engines};
use crate::support::market::{id_of, key, usd};

on_both_engines! {
    a_budget_is_looked_for_in_its_currency,
    those_with_an_offer_go_on_seeing_a_job,
    totals_below_a_list_cost_no_statement_for_each_row,
}

async fn a_budget_is_looked_for_in_its_currency(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    for (title, amount, currency) in [("Small", "10.00", "USD"), ("Large", "500.00", "USD"), ("Far", "5000", "JPY")] {
        let budget = json!({ "amount": amount, "currency": currency });
        app.act(&ada, "jobPost", json!({ "title": title, "description": "Paint it.", "budget": budget })).await.ok();
    }
    let text = "query ($filter: JobFilter) { jobs(filter: $filter, orderBy: { field: BUDGET, direction: ASC }) { nodes { title } } }";
    let found = async |filter: Value| app.gql(&ada, text, json!({ "filter": filter })).await;
    let titles = async |filter: Value| {
        let found = found(filter).await;
        let nodes = found["data"]["jobs"]["nodes"].as_array().unwrap_or_else(|| panic!("{found:#}"));
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(json!({ "currency": "USD" })).await, ["Small", "Large"]);
    assert_eq!(titles(json!({ "budgetAtLeast": usd("10.01") })).await, ["Large"]);
    assert_eq!(titles(json!({ "budgetAtMost": usd("499.99"), "currency": "USD" })).await, ["Small"]);
    let yen = json!({ "amount": "1000", "currency": "JPY" });
    assert_eq!(titles(json!({ "budgetAtLeast": yen })).await, ["Far"]);
    for mixed in [
        json!({ "currency": "USD", "budgetAtLeast": yen }),
        json!({ "budgetAtLeast": usd("1.00"), "budgetAtMost": yen }),
    ] {
        let refused = found(mixed).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
    }
}

async fn those_with_an_offer_go_on_seeing_a_job(app: &TestApp) {
    let (ada, winner) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let (bob, eve) = (app.sign_up(&["CONTRACTOR"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "1000.00").await;
    let text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Job { status } } }";
    let (mut jobs, mut spent) = (Vec::new(), BTreeSet::new());
    for more in [1, 4] {
        for _ in 0..more {
            let job = app.post_job(&ada).await;
            app.offer(&bob, &job, "120.00").await.ok();
            let won = id_of(&app.offer(&winner, &job, "100.00").await.ok(), "offer");
            app.act(&ada, "offerAccept", json!({ "offerId": won, "idempotencyKey": key() })).await.ok();
            jobs.push(job);
        }
        let before = app.round_trips();
        let seen = app.gql(&bob, text, json!({ "ids": jobs })).await;
        spent.insert(app.round_trips() - before);
        let nodes = seen["data"]["nodes"].as_array().unwrap_or_else(|| panic!("{seen:#}"));
        assert!(nodes.iter().all(|node| node["status"] == "ASSIGNED"), "{seen:#}");
        let seen = app.gql(&eve, text, json!({ "ids": jobs })).await;
        assert!(seen["data"]["nodes"].as_array().unwrap().iter().all(Value::is_null), "{seen:#}");
    }
    assert_eq!(spent.len(), 1, "round trips: {spent:?}");
}

async fn totals_below_a_list_cost_no_statement_for_each_row(app: &TestApp) {
    let bob = app.sign_up(&["CONTRACTOR"]).await;
    let moderator = app.moderator().await;
    let text = "{ jobs(first: 20, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { customer { reviews { totalCount } }
        offers(first: 1) { totalCount } own: offers(first: 1, filter: { status: PENDING }) { totalCount } } } }";
    // Now it is known who asks.
    app.gql(&moderator, text, json!({})).await;
    let mut spent = BTreeSet::new();
    for more in [1, 4] {
        for _ in 0..more {
            let ada = app.sign_up(&["CUSTOMER"]).await;
            let job = app.post_job(&ada).await;
            app.offer(&bob, &job, "120.00").await.ok();
            app.post_job(&ada).await;
        }
        let before = app.round_trips();
        let seen = app.gql(&moderator, text, json!({})).await;
        spent.insert(app.round_trips() - before);
        let nodes = seen["data"]["jobs"]["nodes"].as_array().unwrap_or_else(|| panic!("{seen:#}"));
        for (row, node) in nodes.iter().enumerate() {
            let wanted = i64::from(row % 2 == 0);
            assert_eq!(node["offers"]["totalCount"], wanted, "{seen:#}");
            assert_eq!(node["own"]["totalCount"], wanted, "{seen:#}");
            assert_eq!(node["customer"]["reviews"]["totalCount"], 0, "{seen:#}");
        }
    }
    assert_eq!(spent.len(), 1, "round trips: {spent:?}");
}
