//! Answers as GraphQL wants them, whatever is asked: the order of fields, conditions, what is not of a type.

use std::sync::Arc;

use async_graphql::{Data, Variables};
use gigwire::kernel::Timestamp;
use gigwire::loaders::Loaders;
use gigwire::resolvers::live::{Item, Notice};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::inprocess::InProcess;

#[tokio::test]
async fn fields_stand_in_the_order_of_the_document() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    // What needs a look stands first, and is done last.
    let query = "query ($id: ID!) { jobs(first: 1) { totalCount pageInfo { hasNextPage } edges { cursor } }
        viewer { mine: jobs { totalCount nodes { id } } user { displayName id } } kind: __typename
        ...User } fragment User on Query { node(id: $id) { ... on User { name: displayName } id __typename } }";
    let sent = json!({ "id": ada.id.to_string() });
    for _ in 0..2 {
        let seen = server.text(&ada.caller, query, sent.clone()).await;
        let expected = format!(
            r#"{{"jobs":{{"totalCount":0,"pageInfo":{{"hasNextPage":false}},"edges":[]}},"viewer":{{"mine":{{"totalCount":0,"nodes":[]}},"user":{{"displayName":"Ada","id":"{id}"}}}},"kind":"Query","node":{{"name":"Ada","id":"{id}","__typename":"User"}}}}"#,
            id = ada.id
        );
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn conditions_hold_with_what_was_sent_and_with_defaults() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    let query = "query ($with: Boolean = true, $without: Boolean! = false) { viewer { user {
        a: displayName @include(if: $with) b: displayName @skip(if: $with) c: displayName @skip(if: $without)
        ... @include(if: $without) { d: displayName } ...E @skip(if: $with) f: displayName @skip(if: true) } } }
        fragment E on User { e: displayName }";
    for (sent, seen) in [
        (json!({}), json!({ "a": "Ada", "c": "Ada" })),
        (json!({ "with": false }), json!({ "b": "Ada", "c": "Ada", "e": "Ada" })),
        (json!({ "without": true }), json!({ "a": "Ada", "d": "Ada" })),
        (json!({ "with": true, "without": false }), json!({ "a": "Ada", "c": "Ada" })),
    ] {
        let data = server.data(&ada.caller, query, sent.clone()).await;
        assert_eq!(data["viewer"]["user"], seen, "{sent}");
    }
    let query = "query ($all: Boolean! = false) { viewer @include(if: $all) { user { id } } }";
    assert_eq!(server.text(&ada.caller, query, json!({})).await, "{}");
}

#[tokio::test]
async fn what_is_of_another_type_selects_nothing() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    let query = "query ($id: ID!) { node(id: $id) { ... on Job { title } } }";
    assert_eq!(server.text(&ada.caller, query, json!({ "id": ada.id.to_string() })).await, r#"{"node":{}}"#);
}

#[tokio::test]
async fn live_answers_keep_order_and_conditions() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    let query = "subscription ($with: Boolean! = true) { announcementPublished { cursor __typename
        ... on StreamResumed @include(if: $with) { occurredAt a: id @skip(if: $with) }
        ... on StreamGap { reason } ...F @skip(if: $with) } } fragment F on AnnouncementEvent { id }";
    let view = server.probe(&ada.caller, query).await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let item = Item::Resumed(Notice { id: Uuid::nil(), cursor: None, at: Timestamp(0) });
    let document = async_graphql::parser::parse_query(query).unwrap();
    let shown = async |sent: Value| {
        let mut data = Data::default();
        data.insert(ada.caller.clone());
        data.insert(Arc::new(Loaders::new(server.server.readers.clone())));
        let variables = Variables::from_json(sent);
        let shown = server.server.engine.show(&document, variables, data, (view.shape, &item)).await.unwrap();
        assert_eq!(shown.errors, []);
        serde_json::to_string(&shown.data).unwrap()
    };
    let start = r#"{"announcementPublished":{"cursor":null,"__typename":"StreamResumed","#;
    let at = "1970-01-01T00:00:00.000Z";
    assert_eq!(shown(json!({})).await, format!(r#"{start}"occurredAt":"{at}"}}}}"#));
    let id = gigwire::kernel::id::encode("item", Uuid::nil());
    assert_eq!(shown(json!({ "with": false })).await, format!(r#"{start}"id":"{id}"}}}}"#));
}

#[tokio::test]
async fn what_the_root_selects_twice_runs_once() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    let query = "mutation ($input: JobPostInput!, $no: Boolean! = false) { ...Post ...Post
        jobPost(input: $input) { job { id } } not: jobPost(input: $input) @include(if: $no) { job { id } } }
        fragment Post on Mutation { jobPost(input: $input) { job { title } userErrors { code } } }";
    let input = json!({ "title": "A job", "description": "Words", "budget": { "amount": "10.00", "currency": "EUR" } });
    for count in 1..=2 {
        let answer = server.ask(&ada.caller, query, json!({ "input": input })).await;
        let posted = &answer["data"]["jobPost"];
        assert!(posted["userErrors"] == json!([]) && posted["job"]["id"].is_string(), "{answer}");
        assert_eq!(posted["job"]["title"], "A job");
        let mine = server.data(&ada.caller, "{ viewer { jobs { totalCount } } }", json!({})).await;
        assert_eq!(mine["viewer"]["jobs"]["totalCount"], count);
    }
    let order = "{ jobs { totalCount } kind: __typename jobs { pageInfo { hasNextPage } nodes { title } } }";
    let seen = server.text(&ada.caller, order, json!({})).await;
    let job = r#"{"title":"A job"}"#;
    let jobs = format!(r#"{{"totalCount":2,"pageInfo":{{"hasNextPage":false}},"nodes":[{job},{job}]}}"#);
    assert_eq!(seen, format!(r#"{{"jobs":{jobs},"kind":"Query"}}"#));
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_runs() {
    let server = InProcess::sqlite().await;
    let ada = server.person("Ada").await;
    for query in [
        "{ jobs { totalCount } jobs { nothing } }",
        "{ ...A ...A } fragment A on Query { jobs { totalCount } } fragment B on Query { jobs { totalCount } }",
        "query ($unused: ID) { jobs { totalCount } jobs { totalCount } }",
        "{ jobs(first: 1) { totalCount } jobs(first: 2) { totalCount } }",
    ] {
        for _ in 0..2 {
            let answer = server.ask(&ada.caller, query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{query}: {answer}");
            assert!(answer["data"].is_null(), "{answer}");
        }
    }
}
