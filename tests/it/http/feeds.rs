//! Subscriptions over plain HTTP: how they begin, what they bring, and that a cursor goes on.

use std::time::Duration;

use gigwire::server::live::LiveLimits;
use reqwest::Method;
use serde_json::{Value, json};

use super::frames::{EVENTS, PARTS, Pieces, ask};
use super::{STRICT, send};
use crate::support::app::{Instance, TestApp, TestUser, on_both_engines};
use crate::support::live::{App, LISTEN};

const WALLET: &str = "subscription ($after: String) { walletChanged(after: $after) { __typename id cursor } }";

on_both_engines!(events_carry_their_cursor, parts_are_whole_at_once);

fn wallet(app: &Instance, who: &TestUser, accept: &str, after: Value) -> reqwest::RequestBuilder {
    let address = app.url("");
    let request = ask(address.trim_start_matches("http://"), accept, WALLET, json!({ "after": after }));
    request.bearer_auth(&who.token)
}

async fn events_carry_their_cursor(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let mut feed = Pieces::events(wallet(app, &ada, EVENTS, Value::Null)).await;
    app.deposit(&ada, "10.00").await;
    let mut cursors = Vec::new();
    for name in ["PaymentCompleted", "WalletCredited"] {
        let event = feed.event().await;
        assert_eq!(event.name, "next");
        let item = &event.data["data"]["walletChanged"];
        assert_eq!((item["__typename"].as_str(), item["cursor"].as_str()), (Some(name), Some(event.id.as_str())));
        cursors.push(event.id);
    }
    drop(feed);
    app.deposit(&ada, "20.00").await;
    // A browser sends its address again, old cursor and all, and says how far it had come.
    let again = wallet(app, &ada, EVENTS, json!(cursors[0])).header("last-event-id", &cursors[1]);
    let mut feed = Pieces::events(again).await;
    for name in ["StreamResumed", "PaymentCompleted", "WalletCredited"] {
        assert_eq!(feed.event().await.data["data"]["walletChanged"]["__typename"], name);
    }
    assert!(feed.is_quiet(Duration::from_millis(300)).await);
    // Without that the document's cursor counts, and what is none is said to be none.
    let mut feed = Pieces::events(wallet(app, &ada, EVENTS, json!(cursors[0]))).await;
    for name in ["StreamResumed", "WalletCredited", "PaymentCompleted", "WalletCredited"] {
        assert_eq!(feed.event().await.data["data"]["walletChanged"]["__typename"], name);
    }
    let lost = wallet(app, &ada, EVENTS, json!(cursors[0])).header("last-event-id", "nonsense");
    assert_eq!(Pieces::events(lost).await.event().await.data["data"]["walletChanged"]["__typename"], "StreamGap");
}

async fn parts_are_whole_at_once(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let mut feed = Pieces::parts(wallet(app, &ada, PARTS, Value::Null)).await;
    app.deposit(&ada, "10.00").await;
    let mut cursor = Value::Null;
    for name in ["PaymentCompleted", "WalletCredited"] {
        let mut part = feed.part().await;
        let item = part["payload"]["data"]["walletChanged"].take();
        assert_eq!(item["__typename"], name);
        assert_eq!(part, json!({ "payload": { "data": { "walletChanged": null } } }));
        cursor = item["cursor"].clone();
    }
    drop(feed);
    app.deposit(&ada, "20.00").await;
    let mut feed = Pieces::parts(wallet(app, &ada, PARTS, cursor)).await;
    for name in ["StreamResumed", "PaymentCompleted", "WalletCredited"] {
        assert_eq!(feed.part().await["payload"]["data"]["walletChanged"]["__typename"], name);
    }
}

#[tokio::test]
async fn queries_and_mutations_come_in_pieces_to_whoever_takes_nothing_else() {
    let app = TestApp::sqlite().await;
    let address = app.url("").trim_start_matches("http://").to_owned();
    let text = async |accept: &str| {
        let response = ask(&address, accept, "{ __typename }", json!({})).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    };
    let events = text(EVENTS).await;
    let data = events.strip_prefix(":\n\nevent: next\ndata: ").unwrap();
    let data = data.strip_suffix("\n\nevent: complete\ndata:\n\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap()["data"], json!({ "__typename": "Query" }));
    let parts = text("multipart/mixed").await;
    let part = parts.strip_prefix("--graphql\r\nContent-Type: application/json\r\n\r\n").unwrap();
    let part: Value = serde_json::from_str(part.strip_suffix("\r\n--graphql--\r\n").unwrap()).unwrap();
    assert_eq!(part["payload"]["data"], json!({ "__typename": "Query" }));
    // Whoever takes a whole answer gets one.
    for accept in [PARTS, "text/event-stream, application/json"] {
        assert_eq!(send(ask(&address, accept, "{ __typename }", json!({}))).await.body["data"]["__typename"], "Query");
    }
    let bad = text_of(ask(&address, EVENTS, "{ nothing }", json!({}))).await;
    assert!(bad.contains("GRAPHQL_VALIDATION_FAILED") && bad.ends_with("event: complete\ndata:\n\n"), "{bad}");
}

async fn text_of(request: reqwest::RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_refused_subscription_is_told_in_what_its_client_reads() {
    let app = TestApp::sqlite().await;
    let address = app.url("").trim_start_matches("http://").to_owned();
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let foreign = ada.id.replace("user_", "conversation_");
    let foreign = format!("subscription {{ conversationChanged(conversationId: \"{foreign}\") {{ id }} }}");
    for (document, token, code) in [
        ("subscription { nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", None, "GRAPHQL_PARSE_FAILED"),
        ("subscription { walletChanged { id } }", None, "UNAUTHENTICATED"),
        (
            "subscription { a: announcementPublished { id } b: announcementPublished { id } }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { walletChanged { id } }", Some("nonsense"), "UNAUTHENTICATED"),
        (foreign.as_str(), Some(ada.token.as_str()), "NOT_FOUND"),
    ] {
        let request = |accept| {
            let request = ask(&address, accept, document, json!({}));
            if let Some(token) = token { request.bearer_auth(token) } else { request }
        };
        let mut feed = Pieces::events(request(EVENTS)).await;
        let event = feed.event().await;
        assert_eq!(event.data["errors"][0]["extensions"]["code"], code, "{document}: {event:?}");
        assert_eq!(feed.event().await.name, "complete");
        assert_eq!(feed.rest().await, "");
        let mut feed = Pieces::parts(request("multipart/mixed")).await;
        let part = feed.part().await;
        assert_eq!(part["payload"]["errors"][0]["extensions"]["code"], code, "{document}: {part}");
        assert_eq!(feed.rest().await, "--\r\n");
    }
    // What is about the transport has its status.
    let listen = || ask(&address, EVENTS, LISTEN, json!({}));
    let get = |method, query: &str| app.request(method, "/graphql").query(&[("query", query)]).header("accept", EVENTS);
    let typed = app.request(Method::POST, "/graphql").header("accept", EVENTS).header("content-type", "text/plain");
    assert_eq!(send(typed.body("{}")).await.status, 415);
    let refresh = "mutation { sessionRefresh(input: { refreshToken: \"x\" }) { userErrors { code } } }";
    let answer = send(get(Method::GET, refresh)).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, POST"));
    assert_eq!(get(Method::HEAD, LISTEN).send().await.unwrap().status(), 405);
    assert_eq!(send(ask(&address, STRICT, LISTEN, json!({}))).await.code(), "BAD_REQUEST");
    let stranger = text_of(listen().header("origin", "https://evil.test")).await;
    assert!(stranger.contains("FORBIDDEN") && stranger.ends_with("event: complete\ndata:\n\n"), "{stranger}");
    assert_eq!(app.server.sockets.len(), 0, "nothing of all that goes on");
    app.server.draining.cancel();
    let answer = send(listen()).await;
    assert_eq!((answer.status, answer.code()), (503, "SERVICE_UNAVAILABLE"));
}

#[tokio::test]
async fn a_browser_listens_without_an_account() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let url = format!("http://{}/graphql", app.address);
    let request = reqwest::Client::new().get(url).query(&[("query", LISTEN)]).header("accept", EVENTS);
    let mut feed = Pieces::events(request).await;
    app.publish(&publisher, "Hello").await;
    let event = feed.event().await;
    assert_eq!(event.data["data"]["announcementPublished"]["announcement"]["title"], "Hello");
}

#[tokio::test]
async fn an_event_for_everyone_is_shaped_once_for_feeds_and_sockets() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let mut socket = app.open(json!({})).await;
    socket.start("a", LISTEN, json!({})).await;
    socket.run("q", "{ __typename }").await;
    let mut feeds = Vec::new();
    for accept in [EVENTS, PARTS].repeat(8) {
        let request = ask(app.address, accept, LISTEN, json!({}));
        feeds.push(if accept == EVENTS { Pieces::events(request).await } else { Pieces::parts(request).await });
    }
    let statements = app.server.platform.db.meter().read();
    app.publish(&publisher, "now").await;
    assert_eq!(socket.titles("a", 1).await, ["now"]);
    for (number, feed) in feeds.iter_mut().enumerate() {
        let answer = if number % 2 == 0 { feed.event().await.data } else { feed.part().await["payload"].take() };
        assert_eq!(answer["data"]["announcementPublished"]["announcement"]["title"], "now");
    }
    let statements = app.server.platform.db.meter().read() - statements;
    assert!(statements < 15, "{statements} statements for one event to 16 feeds and a socket");
}

#[tokio::test]
async fn quiet_feeds_show_that_they_live() {
    let short = Duration::from_millis(100);
    let app = App::with(LiveLimits { comment: short, heartbeat: short, ..LiveLimits::default() }, |_| ()).await;
    let mut events = Pieces::events(ask(app.address, EVENTS, LISTEN, json!({}))).await;
    let mut parts = Pieces::parts(ask(app.address, PARTS, LISTEN, json!({}))).await;
    for _ in 0..3 {
        assert_eq!(events.up_to("\n\n").await, ":");
        assert_eq!(parts.part().await, json!({}));
    }
}
