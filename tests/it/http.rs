//! GraphQL over HTTP: statuses, headers, media types, limits. Whatever is refused leaves nothing behind.

mod broken;
mod feeds;
mod frames;

use gigwire::platform::config::{Profile, Secret};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp};
use crate::support::live::LISTEN;

/// The media type whose statuses tell what became of the request.
const STRICT: &str = "application/graphql-response+json";
/// The media type that gets 200 for every well-formed request.
const LENIENT: &str = "application/json";

const SIGN_UP: &str = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { userErrors { code } } }";

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
    }
}

async fn send(request: RequestBuilder) -> Answer {
    let response: Response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} without JSON: {text}"));
    Answer { status, headers, body }
}

async fn post(app: &Instance, accept: &str, body: impl ToString) -> Answer {
    send(app.post(body.to_string()).header("accept", accept)).await
}

#[tokio::test]
async fn each_outcome_has_its_status() {
    let app = TestApp::sqlite().await;
    let sign_up = |input: Value| json!({ "query": SIGN_UP, "variables": { "input": input } });
    let long = format!("{{ {} }}", "a ".repeat(10_000));
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (body, strict, lenient, code) in [
        (json!({ "query": "{ __typename }" }), 200, 200, "none"),
        (json!({ "query": "{" }), 400, 200, "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), 400, 200, "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ __typename }", "operationName": "A" }), 400, 200, "OPERATION_RESOLUTION_FAILURE"),
        (json!({ "query": "query A { __typename } query B { __typename }" }), 400, 200, "OPERATION_RESOLUTION_FAILURE"),
        (json!({ "query": long }), 400, 200, "COMPLEXITY_LIMIT_EXCEEDED"),
        (json!({ "query": SIGN_UP }), 400, 200, "BAD_USER_INPUT"),
        (json!({ "query": SIGN_UP, "variables": { "input": null } }), 400, 200, "BAD_USER_INPUT"),
        (
            sign_up(json!({ "email": "ada@example.org", "password": 5, "displayName": "Ada" })),
            400,
            200,
            "BAD_USER_INPUT",
        ),
        (sign_up(json!({ "email": "ada@example.org", "password": PASSWORD })), 400, 200, "BAD_USER_INPUT"),
        (sign_up(json!({ "email": "a", "password": "b", "displayName": "c", "more": 1 })), 400, 200, "BAD_USER_INPUT"),
        (json!({ "query": "mutation { sessionSignOut(input: {}) { endedCount } }" }), 401, 200, "UNAUTHENTICATED"),
        (json!({ "query": "subscription { announcementPublished { id } }" }), 400, 400, "BAD_REQUEST"),
        (json!({ "extensions": { "persistedQuery": { "version": 1 } } }), 400, 200, "PERSISTED_QUERY_NOT_SUPPORTED"),
        (json!({ "query": "{ __typename }", "variables": [] }), 400, 400, "BAD_REQUEST"),
        (json!({ "query": "{ __typename }", "extensions": "a" }), 400, 400, "BAD_REQUEST"),
        (json!({ "query": 5 }), 400, 400, "BAD_REQUEST"),
        (json!({ "query": " " }), 400, 400, "BAD_REQUEST"),
        (json!({}), 400, 400, "BAD_REQUEST"),
        (json!([{ "query": "{ __typename }" }]), 400, 400, "BAD_REQUEST"),
        (json!("text"), 400, 400, "BAD_REQUEST"),
    ] {
        let answers = [(STRICT, strict), (LENIENT, lenient), ("*/*", lenient)];
        for (accept, status) in answers {
            let answer = post(&app, accept, &body).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{accept}: {body}: {}", answer.body);
            assert_eq!(answer.body.get("data").is_some(), code == "none", "{}", answer.body);
        }
    }
    for (body, code) in
        [("{ \"not JSON".to_owned(), "BAD_REQUEST"), (nested, "BAD_REQUEST"), (String::new(), "BAD_REQUEST")]
    {
        let answer = post(&app, LENIENT, &body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{}", answer.body);
    }
    let deep = format!(
        "{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":{}1{}}}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let answer = post(&app, STRICT, deep).await;
    assert_eq!((answer.status, answer.code()), (400, "COMPLEXITY_LIMIT_EXCEEDED"));
    assert_eq!(app.count("select count(*) as n from users").await, 0, "nothing was half done");
}

#[tokio::test]
async fn once_executed_the_status_is_200() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&[]).await;
    let id = ada.id.replace("user_", "job_");
    for (query, code) in [
        (format!("{{ job(id: \"{id}\") {{ id }} }}"), "none"),
        (format!("{{ job(id: \"{}\") {{ id }} }}", ada.id), "BAD_USER_INPUT"),
        ("{ job(id: \"nonsense\") { id } }".to_owned(), "BAD_USER_INPUT"),
    ] {
        let request = app.post(json!({ "query": query }).to_string()).header("accept", STRICT).bearer_auth(&ada.token);
        let answer = send(request).await;
        assert_eq!((answer.status, answer.code()), (200, code), "{query}: {}", answer.body);
        assert!(answer.body.get("data").is_some() && answer.body["data"]["job"].is_null(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_field_that_may_not_be_null_takes_its_parent_along() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&[]).await;
    let ask = async |text: &str| {
        let request = app.post(json!({ "query": text }).to_string()).header("accept", STRICT).bearer_auth(&ada.token);
        let answer = send(request).await;
        assert_eq!((answer.status, answer.code()), (200, "BAD_USER_INPUT"), "{}", answer.body);
        answer.body["data"].clone()
    };
    // Null may stand in the field itself, in the object around it, or nowhere above it.
    assert_eq!(ask("{ __typename job(id: \"?\") { id } }").await, json!({ "__typename": "Query", "job": null }));
    let viewer = "{ __typename viewer { user { id } bookings(first: 1000) { nodes { id } } } }";
    assert_eq!(ask(viewer).await, json!({ "__typename": "Query", "viewer": null }));
    assert_eq!(ask("{ __typename jobs(first: 1000) { nodes { id } } }").await, Value::Null);
}

#[tokio::test]
async fn a_bad_literal_is_refused_before_anything_runs() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let text = "mutation { jobPost(input: { title: \"T\", description: \"D\", budget: { amount: \"1e3\", currency: \"USD\" } }) { job { id } } }";
    let answer =
        send(app.post(json!({ "query": text }).to_string()).header("accept", STRICT).bearer_auth(&ada.token)).await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_USER_INPUT"), "{}", answer.body);
    let with = "mutation ($input: JobPostInput!) { jobPost(input: $input) { job { id } } }";
    let input = json!({ "title": "T", "description": "D", "budget": { "amount": "1", "currency": "dollars" } });
    let answer = app.gql(&ada, with, json!({ "input": input })).await;
    assert!(answer.get("data").is_none(), "{answer}");
    assert_eq!(app.count("select count(*) as n from jobs").await, 0);
}

#[tokio::test]
async fn a_refused_token_is_told_apart_from_none() {
    let app = TestApp::sqlite().await;
    let query = json!({ "query": "{ __typename }" }).to_string();
    let ada = app.sign_up(&[]).await;
    let (head, signature) = ada.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for token in ["nonsense", "null", &ada.refresh_token, &forged] {
        for (accept, status) in [(STRICT, 401), (LENIENT, 200)] {
            let answer = send(app.post(query.clone()).header("accept", accept).bearer_auth(token)).await;
            assert_eq!((answer.status, answer.code()), (status, "UNAUTHENTICATED"), "{token}");
            assert!(answer.body.get("data").is_none());
        }
    }
    let strict = send(app.post(query.clone()).header("accept", STRICT).bearer_auth("x")).await;
    assert_eq!(strict.header("www-authenticate"), "Bearer");
    for header in ["Bearer ", "Basic YTpi", ""] {
        let answer = send(app.post(query.clone()).header("authorization", header)).await;
        assert_eq!((answer.status, answer.code()), (200, "none"), "{header}");
    }
    app.clock.advance(3_600_000);
    let answer = send(app.post(query).header("accept", STRICT).bearer_auth(&ada.token)).await;
    assert_eq!((answer.status, answer.code()), (401, "TOKEN_EXPIRED"));
}

#[tokio::test]
async fn methods_and_media_types() {
    let app = TestApp::sqlite().await;
    let query = "{ __typename }";
    let get = |pairs: &[(&str, &str)]| app.request(Method::GET, "/graphql").query(pairs);
    let answer = send(get(&[("query", query)])).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json; charset=utf-8"));
    let typed = "query ($name: String!) { __type(name: $name) { name } }";
    let answer = send(get(&[("query", typed), ("variables", "{\"name\":\"Query\"}")]).header("accept", STRICT)).await;
    assert_eq!(answer.body["data"]["__type"]["name"], "Query");
    assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
    assert_eq!(send(get(&[("query", typed), ("variables", "{")])).await.status, 400);
    for text in ["mutation { __typename }", "subscription { announcementPublished { id } }"] {
        let answer = send(get(&[("query", text)]).header("accept", LENIENT)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, POST"), "{}", answer.body);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = send(app.request(method, "/graphql")).await;
        assert_eq!((answer.status, answer.header("allow"), answer.code()), (405, "GET, POST", "METHOD_NOT_ALLOWED"));
    }
    let body = json!({ "query": query }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = app.request(Method::POST, "/graphql").header("content-type", kind).body(body.clone());
        assert_eq!(send(request).await.status, 415, "{kind}");
    }
    assert_eq!(send(app.request(Method::POST, "/graphql").body(body.clone())).await.status, 415);
    assert_eq!(send(app.post(body).header("accept", "image/png")).await.status, 406);
}

#[tokio::test]
async fn a_browser_gets_the_playground() {
    let app = TestApp::sqlite().await;
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = app.request(Method::GET, "/graphql").header("accept", accept).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    let html = page.text().await.unwrap();
    let asset = html.split('"').find(|part| part.starts_with("/playground/assets/")).unwrap();
    assert_eq!(app.request(Method::GET, asset).send().await.unwrap().status(), 200);
    assert_eq!(app.request(Method::GET, "/playground/none.js").send().await.unwrap().status(), 404);
    let query = [("query", "{ __typename }")];
    let answer = send(app.request(Method::GET, "/graphql").header("accept", accept).query(&query)).await;
    assert_eq!(answer.body["data"]["__typename"], "Query");
}

#[tokio::test]
async fn every_answer_has_an_id_and_careful_headers() {
    let app = TestApp::sqlite().await;
    for (request, status) in [
        (app.post("{\"query\":\"{ __typename }\"}"), 200),
        (app.post("nonsense"), 400),
        (app.request(Method::GET, "/nowhere"), 404),
        (app.request(Method::GET, "/healthz"), 200),
    ] {
        let answer = send(request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-request-id").len(), 32, "made here");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let answer = send(app.post("nonsense").header("x-request-id", "from-a-proxy-1")).await;
    assert_eq!(answer.header("x-request-id"), "from-a-proxy-1");
    assert_eq!(answer.body["errors"][0]["extensions"]["requestId"], "from-a-proxy-1");
    assert_eq!(answer.body["extensions"]["requestId"], "from-a-proxy-1");
    let answer = send(app.post("nonsense").header("x-request-id", "no good; id")).await;
    assert_eq!(answer.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn long_answers_are_packed_for_whoever_takes_that() {
    let app = TestApp::sqlite().await;
    let ask = async |query: &str, packed: bool| {
        let request = app.post(json!({ "query": query }).to_string());
        let request = if packed { request.header("accept-encoding", "br, gzip") } else { request };
        let response = request.send().await.unwrap();
        let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, response.bytes().await.unwrap())
    };
    let long = "{ __schema { types { name fields { name description } } } }";
    let (plain, bytes) = ask(long, false).await;
    assert_eq!(plain, None);
    let (encoding, packed) = ask(long, true).await;
    assert_eq!(encoding.as_deref(), Some("gzip"));
    assert!(packed.len() * 3 < bytes.len(), "{} bytes of {}", packed.len(), bytes.len());
    let unpacked: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap();
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(unpacked["data"], whole["data"]);
    assert_eq!(ask("{ __typename }", true).await.0, None);
    let feed = frames::ask(app.url("").trim_start_matches("http://"), frames::EVENTS, LISTEN, json!({}));
    frames::Pieces::events(feed.header("accept-encoding", "gzip")).await;
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let app = TestApp::sqlite().await;
    let body = |length: usize| {
        let rest = json!({ "query": "{ __typename }", "operationName": null, "more": "" }).to_string().len();
        json!({ "query": "{ __typename }", "operationName": null, "more": "x".repeat(length - rest) }).to_string()
    };
    assert_eq!(post(&app, STRICT, body(1024 * 1024)).await.status, 200);
    let answer = post(&app, STRICT, body(1024 * 1024 + 1)).await;
    assert_eq!((answer.status, answer.code()), (413, "PAYLOAD_TOO_LARGE"));
}

#[tokio::test]
async fn pages_of_other_origins_are_not_let_in() {
    let app = TestApp::sqlite_with(|config| config.cors.allowed_origins = vec!["https://app.example.org".into()]).await;
    let asked = |origin: &'static str| {
        let request = app.request(Method::OPTIONS, "/graphql").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request.header("access-control-request-headers", "authorization,content-type").send()
    };
    for (origin, allowed) in [
        ("https://app.example.org", true),
        ("http://localhost:3000", true),
        ("https://evil.test", false),
        ("null", false),
    ] {
        let response = asked(origin).await.unwrap();
        let named = response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(named, allowed.then_some(origin));
        assert!(response.headers().get("access-control-allow-credentials").is_none());
    }
}

#[tokio::test]
async fn whoever_asks_too_often_must_wait() {
    let app = TestApp::sqlite_with(|config| {
        config.app.env = Profile::Production;
        config.tokens.access_secret = Secret::new("a".repeat(32));
    })
    .await;
    let text = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { userErrors { code } } }";
    let variables = json!({ "input": { "email": "nobody@example.org", "password": PASSWORD } });
    for _ in 0..10 {
        let answer = app.gql(ANONYMOUS, text, variables.clone()).await;
        assert_eq!(answer["data"]["accountSignIn"]["userErrors"][0]["code"], "BAD_CREDENTIALS", "{answer}");
    }
    for accept in [STRICT, LENIENT] {
        let answer = post(&app, accept, json!({ "query": text, "variables": variables })).await;
        assert_eq!((answer.status, answer.code()), (429, "RATE_LIMITED"), "{}", answer.body);
        let extensions = &answer.body["errors"][0]["extensions"];
        assert_eq!(extensions["retryable"], true);
        let ms = extensions["retryAfterMs"].as_u64().unwrap();
        assert!((1..=6_000).contains(&ms), "{ms}");
        assert_eq!(answer.header("retry-after"), ms.div_ceil(1_000).to_string());
    }
    assert!(app.gql(ANONYMOUS, "{ __typename }", json!({})).await["errors"].is_null(), "other things go on");
    app.clock.advance(6_000);
    assert!(app.gql(ANONYMOUS, text, variables).await["errors"].is_null());
}

#[tokio::test]
async fn health_tells_what_is_the_matter() {
    let app = TestApp::sqlite().await;
    let ready = || send(app.request(Method::GET, "/readyz"));
    let answer = ready().await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("ready")));
    assert_eq!(answer.body["degraded"], false);
    let metrics = app.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(metrics.status(), 200);
    app.server.draining.cancel();
    let answer = ready().await;
    assert_eq!((answer.status, &answer.body["status"]), (503, &json!("draining")));
    app.server.platform.db.close().await;
    assert_eq!(ready().await.body["database"], false);
    assert_eq!(send(app.request(Method::GET, "/healthz")).await.status, 200);
    let answer = post(&app, STRICT, json!({ "query": "{ job(id: \"job_00000000000000000000000000\") { id } }" })).await;
    assert!(!answer.body.to_string().to_lowercase().contains("pool"), "the cause is not shown: {}", answer.body);
}
