//! What one socket may take of its server, and that none of its operations keeps the others waiting.

use std::time::Duration;

use gigwire::kernel::id::{AnnouncementId, TypedId};
use gigwire::kernel::{Caller, Role};
use gigwire::platform::config::{Profile, Secret};
use gigwire::platform::streams::{Draft, StreamName};
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};
use uuid::Uuid;

use crate::support::app::{PASSWORD, TestApp};
use crate::support::live::{App, LISTEN};

/// Keeps everybody else from writing, until it is dropped.
async fn writing(app: &App) -> SqliteConnection {
    let file = app.server.platform.config.app.data_dir.join("gigwire.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    connection.execute("begin immediate").await.unwrap();
    connection
}

const SIGN_IN: &str =
    "mutation { accountSignIn(input: { email: \"nobody@example.org\", password: \"correct horse battery\" }) {
    userErrors { code } } }";
/// Writes a session, so it waits for whoever writes.
const SIGN_UP: &str = "mutation ($email: EmailAddress!) { accountSignUp(input: { email: $email, displayName: \"Ada\",
    password: \"correct horse battery\" }) { userErrors { code } } }";

#[tokio::test]
async fn a_slow_mutation_keeps_nothing_else_waiting() {
    let app = App::start().await;
    let mut client = app.open(json!({})).await;
    client.start("live", LISTEN, json!({})).await;
    let block = writing(&app).await;
    client.start("slow", SIGN_UP, json!({ "email": "ada@example.org" })).await;
    for id in ["1", "2", "3"] {
        assert_eq!(client.run(id, "{ __typename }").await["data"]["__typename"], "Query");
    }
    client.send(json!({ "type": "ping" })).await;
    assert_eq!(client.next().await["type"], "pong");
    drop(block);
    let done = client.next().await;
    assert_eq!((&done["id"], &done["payload"]["data"]["accountSignUp"]["userErrors"]), (&json!("slow"), &json!([])));
}

#[tokio::test]
async fn executions_wait_for_their_turn() {
    let app = App::with(LiveLimits { executions_per_socket: 2, ..LiveLimits::default() }, |_| ()).await;
    let mut client = app.open(json!({})).await;
    let block = writing(&app).await;
    for id in ["a", "b"] {
        client.start(id, SIGN_UP, json!({ "email": format!("{id}@example.org") })).await;
    }
    for id in ["c", "d", "e"] {
        client.start(id, "{ __typename }", json!({})).await;
    }
    client.send(json!({ "type": "ping" })).await;
    assert_eq!(client.next().await["type"], "pong");
    assert!(client.is_quiet(Duration::from_millis(300)).await, "the third waits");
    client.send(json!({ "id": "d", "type": "complete" })).await;
    drop(block);
    let mut done = Vec::new();
    while done.len() < 4 {
        let message = client.next().await;
        if message["type"] == "complete" {
            done.push(message["id"].as_str().unwrap().to_owned());
        }
    }
    done.sort_unstable();
    assert_eq!(done, ["a", "b", "c", "e"], "what was given up while it waited is not run");
    assert!(client.is_quiet(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn live_operations_have_so_many_bytes_together() {
    let limits = LiveLimits { document_bytes_per_socket: 3 * LISTEN.len(), ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let mut client = app.open(json!({})).await;
    for id in ["1", "2", "3", "4"] {
        client.start(id, LISTEN, json!({})).await;
    }
    let refused = client.next().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
    let id = refused["id"].as_str().unwrap().to_owned();
    let other = if id == "1" { "2" } else { "1" };
    client.send(json!({ "id": other, "type": "complete" })).await;
    client.start(&id, LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    assert!(client.is_quiet(Duration::from_millis(200)).await, "there is room again");
}

#[tokio::test]
async fn what_waits_has_so_many_bytes() {
    let app = App::with(LiveLimits { executions_per_socket: 1, ..LiveLimits::default() }, |_| ()).await;
    let mut client = app.open(json!({})).await;
    let block = writing(&app).await;
    client.start("slow", SIGN_UP, json!({ "email": "ada@example.org" })).await;
    let filling = "x".repeat(900_000);
    for id in ["1", "2", "3"] {
        client.start(id, "{ __typename }", json!({ "filling": filling })).await;
    }
    let refused = client.next().await;
    assert_eq!((&refused["id"], &refused["type"]), (&json!("3"), &json!("error")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    drop(block);
    client.next().await;
}

#[tokio::test]
async fn a_view_that_catches_up_leaves_the_others_their_turn() {
    let app = App::start().await;
    let caller = Caller::system("test");
    for _ in 0..20 {
        let command = app.server.platform.work.run(&caller, (), |unit, ()| {
            Box::pin(async move {
                unit.act_as(Role::Admin);
                for _ in 0..100 {
                    let object = AnnouncementId::of(Uuid::new_v4());
                    let draft = Draft::new("announcement", "AnnouncementAdded", object, 1);
                    unit.state(draft.to_topic(StreamName::announcements()));
                }
                Ok(())
            })
        });
        command.await.unwrap();
    }
    let reader = app.server.platform.hub.reader();
    let begin = gigwire::platform::streams::Cursor {
        epoch: reader.epoch(),
        places: vec![(StreamName::announcements(), Default::default())],
    };
    let mut client = app.open(json!({})).await;
    client.start("busy", LISTEN, json!({ "after": begin.encode() })).await;
    assert_eq!(client.item("busy").await["__typename"], "StreamResumed");
    client.start("quick", "{ __typename }", json!({})).await;
    let (mut behind, mut count) = (0, 0);
    while count < 2_000 {
        let message = client.next().await;
        match message["id"].as_str() {
            Some("busy") => count += 1,
            _ if message["type"] == "next" => behind = count,
            _ => {}
        }
    }
    assert!((1..1_000).contains(&behind), "answered behind {behind} of 2,000 events");
}

#[tokio::test]
async fn sockets_have_the_rates_of_http() {
    let app = TestApp::sqlite_with(|config| {
        config.app.env = Profile::Production;
        config.tokens.access_secret = Secret::new("a".repeat(32));
    })
    .await;
    let ada = app.sign_up(&[]).await;
    let mut socket = app.socket(&ada, &Value::Null).await;
    assert!(SIGN_IN.contains(PASSWORD));
    for number in 0..10 {
        let answer = socket.run(&number.to_string(), SIGN_IN).await;
        assert_eq!(answer["data"]["accountSignIn"]["userErrors"][0]["code"], "BAD_CREDENTIALS", "{answer}");
    }
    socket.start("x", SIGN_IN, json!({})).await;
    let refused = socket.next().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
    let over_http = app.gql(&ada, SIGN_IN, json!({})).await;
    assert_eq!(over_http["errors"][0]["extensions"]["code"], "RATE_LIMITED", "one count for both");
}

#[tokio::test]
async fn a_page_of_events_loads_its_objects_together() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let start = app.stream_cursor(&ada).await;
    for _ in 0..20 {
        app.deposit(&ada, "1.00").await;
    }
    let wallet = "subscription ($after: String) { walletChanged(after: $after) { __typename
        ... on PaymentCompleted { payment { id status } } ... on WalletCredited { wallet { available { amount } } } } }";
    let mut socket = app.socket(&ada, &Value::Null).await;
    let before = app.round_trips();
    socket.start("1", wallet, json!({ "after": start })).await;
    for _ in 0..41 {
        assert!(socket.next().await["payload"]["errors"].is_null());
    }
    let spent = app.round_trips() - before;
    assert!(spent < 25, "{spent} round trips for 40 events");
}
