//! Operations on an open socket: what they bring, what refuses them, and that the socket survives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gigwire::kernel::clock::MINUTE;
use gigwire::kernel::{Clock, Role};
use gigwire::platform::host;
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};

use crate::support::live::{App, LISTEN, listen_largely};

#[tokio::test]
async fn everyone_hears_what_is_announced() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    app.publish(&publisher, "First").await;
    let item = client.item("a").await;
    assert_eq!((&item["__typename"], &item["number"]), (&json!("AnnouncementAdded"), &json!("1")));
    assert_eq!(item["announcement"]["title"], "First");
    client.send(json!({ "id": "a", "type": "complete" })).await;
    client.run("q", "{ __typename }").await;
    app.publish(&publisher, "Second").await;
    assert!(client.is_quiet(Duration::from_millis(300)).await);
    assert_eq!(app.server.platform.hub.streams_watched(), 0);
}

#[tokio::test]
async fn what_cannot_run_is_an_error_and_the_socket_lives() {
    let app = App::start().await;
    let mut client = app.open(json!({})).await;
    let publish = r#"mutation { announcementPublish(input: { title: "a", body: "b" }) { userErrors { code } } }"#;
    let deep = format!("subscription {{ announcementPublished(after: {}) {{ id }} }}", "[".repeat(20_000));
    let cases = [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { user { id }", "GRAPHQL_PARSE_FAILED"),
        ("", "BAD_REQUEST"),
        (&deep, "COMPLEXITY_LIMIT_EXCEEDED"),
        ("subscription { announcementPublished { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { announcementPublished(after: 1) { id } }", "BAD_USER_INPUT"),
        (
            "subscription { a: announcementPublished { id } b: announcementPublished { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (publish, "UNAUTHENTICATED"),
    ];
    for (query, code) in cases {
        client.start("1", query, json!({})).await;
        let message = client.next().await;
        assert_eq!((&message["id"], &message["type"]), (&json!("1"), &json!("error")), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
    }
    client.send(json!({ "id": "1", "type": "subscribe", "payload": { "query": 7 } })).await;
    assert_eq!(client.next().await["type"], "error");
    let variables = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let text =
        format!(r#"{{"id":"1","type":"subscribe","payload":{{"query":"{{a}}","variables":{{"a":{variables}}}}}}}"#);
    client.send_text(&text).await;
    assert_eq!(client.next().await["payload"][0]["extensions"]["code"], "COMPLEXITY_LIMIT_EXCEEDED");
    assert_eq!(client.run("1", "{ __typename }").await["data"], json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn who_may_not_is_told_forbidden() {
    let app = App::start().await;
    let user = app.sign_in(&[Role::Customer]).await;
    let mut client = app
        .connect_with("graphql-transport-ws", &[("authorization", &format!("Bearer {}", user.access_token))])
        .await
        .unwrap();
    client.init(Value::Null).await;
    let publish = r#"mutation { announcementPublish(input: { title: "a", body: "b" }) { userErrors { code } } }"#;
    client.start("1", publish, json!({})).await;
    assert_eq!(client.next().await["payload"][0]["extensions"]["code"], "FORBIDDEN");
    assert!(client.run("1", "{ viewer { user { id } } }").await["data"]["viewer"]["user"]["id"].is_string());
}

#[tokio::test]
async fn old_clients_are_understood() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let mut client = app.connect("graphql-ws").await;
    // Before the ack, and even before the init.
    client.start("early", LISTEN, json!({})).await;
    client.init(json!({})).await;
    assert_eq!(client.next().await["type"], "ka");
    client.start("1", "{ __typename }", json!({})).await;
    let answer = client.next().await;
    assert_eq!((&answer["type"], &answer["payload"]["data"]["__typename"]), (&json!("data"), &json!("Query")));
    assert_eq!(client.next().await, json!({ "id": "1", "type": "complete" }));
    client.start("2", "{ nothing }", json!({})).await;
    let error = client.next().await;
    assert_eq!(
        (&error["type"], &error["payload"]["extensions"]["code"]),
        (&json!("error"), &json!("GRAPHQL_VALIDATION_FAILED"))
    );
    app.publish(&publisher, "Hello").await;
    let event = client.next().await;
    assert_eq!((&event["id"], &event["type"]), (&json!("early"), &json!("data")));
    client.send(json!({ "id": "early", "type": "stop" })).await;
    client.send(json!({ "type": "connection_terminate" })).await;
    assert_eq!(client.closed().await, 1000);
}

#[tokio::test]
async fn old_clients_may_not_queue_without_end() {
    let app = App::start().await;
    let mut client = app.connect("graphql-ws").await;
    for id in 0..9 {
        client.start(&id.to_string(), LISTEN, json!({})).await;
    }
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test]
async fn a_socket_has_so_many_operations() {
    let limits = LiveLimits { operations_per_socket: 3, ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let mut client = app.open(json!({})).await;
    for id in ["1", "2", "3", "4"] {
        client.start(id, LISTEN, json!({})).await;
    }
    let refused = client.next().await;
    assert_eq!((&refused["id"], &refused["type"]), (&json!("4"), &json!("error")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    client.send(json!({ "id": "2", "type": "complete" })).await;
    client.run("4", "{ __typename }").await;
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let app = App::start().await;
    let mut client = app.open(json!({})).await;
    client.send(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(client.next().await, json!({ "type": "pong", "payload": { "n": 1 } }));
}

fn renewal(token: &str) -> String {
    format!(
        r#"mutation {{ connectionRenew(input: {{ accessToken: "{token}" }}) {{ expiresAt userErrors {{ code }} }} }}"#
    )
}

#[tokio::test]
async fn a_renewal_is_for_the_same_user() {
    let app = App::start().await;
    let (user, other) = (app.sign_in(&[Role::Customer]).await, app.sign_in(&[Role::Customer]).await);
    let mut client = app.open(json!({ "token": user.access_token })).await;
    let refused = client.run("1", &renewal(&other.access_token)).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    let mut anonymous = app.open(json!({})).await;
    anonymous.start("1", &renewal(&user.access_token), json!({})).await;
    assert_eq!(anonymous.next().await["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_socket_outlives_its_token_only_when_renewed() {
    let hand = Arc::new(AtomicI64::new(host::clock().now().0));
    let limits = LiveLimits { sweep: Duration::from_millis(200), ..LiveLimits::default() };
    let app = App::at(Clock::manual(hand.clone()), limits, |_| ()).await;
    let (old, account) = app.sign_in_with_password(&[Role::Customer]).await;
    let mut renewed = app.open(json!({ "token": old.access_token })).await;
    let mut forgotten = app.open(json!({ "token": old.access_token })).await;
    renewed.start("a", LISTEN, json!({})).await;
    hand.fetch_add(10 * MINUTE, Ordering::SeqCst);
    let fresh = app.sign_in_again(account).await;
    let answer = renewed.run("1", &renewal(&fresh.access_token)).await;
    assert!(answer["data"]["connectionRenew"]["expiresAt"].is_string(), "{answer}");
    hand.fetch_add(6 * MINUTE, Ordering::SeqCst);
    assert_eq!(forgotten.closed().await, 4403);
    assert!(renewed.run("2", "{ viewer { user { id } } }").await["errors"].is_null());
}

#[tokio::test]
async fn an_event_for_everyone_is_shaped_once() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    app.publish(&publisher, "before").await;
    let mut clients = Vec::new();
    for number in 0..20 {
        let mut client = app.open(json!({})).await;
        // Each begins elsewhere, which makes no difference afterwards.
        client.start("a", LISTEN, json!({ "after": number.to_string() })).await;
        assert_eq!(client.item("a").await["__typename"], "StreamGap");
        clients.push(client);
    }
    let statements = app.server.platform.db.meter().read();
    app.publish(&publisher, "now").await;
    for client in &mut clients {
        assert_eq!(client.titles("a", 1).await, ["now"]);
    }
    let statements = app.server.platform.db.meter().read() - statements;
    assert!(statements < 15, "{statements} statements for one event to 20 sockets");
}

#[tokio::test]
async fn a_slow_reader_slows_only_itself() {
    let limits = LiveLimits { write: Duration::from_secs(2), ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let publisher = app.publisher().await;
    let mut slow = app.open(json!({})).await;
    slow.start("a", &listen_largely(), json!({})).await;
    let mut quick = app.open(json!({})).await;
    quick.start("a", LISTEN, json!({})).await;
    quick.run("q", "{ __typename }").await;
    // Far more than the buffers of a connection hold.
    let text = "x".repeat(5_000);
    for number in 0..200 {
        app.publish_text(&publisher, &number.to_string(), &text).await;
        assert_eq!(quick.titles("a", 1).await, [number.to_string()]);
    }
    let begun = Instant::now();
    while app.server.sockets.len() > 1 {
        assert!(begun.elapsed() < Duration::from_secs(6), "the slow one stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    quick.run("q", "{ __typename }").await;
}
