//! How sockets begin and end. Each close code decides whether a client comes back.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use gigwire::features::accounts::commands;
use gigwire::kernel::{Caller, Role};
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::app::eventually;
use crate::support::live::{App, Client, LISTEN, listen_largely};

const NEW: &str = "graphql-transport-ws";
const OLD: &str = "graphql-ws";

fn subscribe(id: Value) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": LISTEN } })
}

/// Says these messages after the ack and expects the socket to be closed with a code.
async fn closes(app: &App, code: u16, messages: &[Value]) {
    let mut client = app.open(json!({})).await;
    for message in messages {
        client.send(message.clone()).await;
    }
    assert_eq!(client.closed().await, code, "{messages:?}");
}

#[tokio::test]
async fn what_the_client_did_wrong_is_told_by_the_code() {
    let app = App::start().await;
    closes(&app, 4400, &[json!("hello")]).await;
    closes(&app, 4400, &[json!({ "type": "shout" })]).await;
    closes(&app, 4400, &[subscribe(json!(1))]).await;
    closes(&app, 4409, &[subscribe(json!("1")), subscribe(json!("1"))]).await;
    closes(&app, 4429, &[json!({ "type": "connection_init" })]).await;
    closes(&app, 1009, &[json!("#".repeat(1 << 20))]).await;
    let mut early = app.connect(NEW).await;
    early.send(subscribe(json!("1"))).await;
    assert_eq!(early.closed().await, 4401);
    for protocol in [NEW, OLD] {
        let mut refused = app.connect(protocol).await;
        refused.send(json!({ "type": "connection_init", "payload": { "Authorization": "Bearer nonsense" } })).await;
        assert_eq!(refused.closed().await, 4403, "{protocol}");
    }
}

#[tokio::test]
async fn a_large_message_in_pieces_is_too_large_as_well() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    let app = App::start().await;
    let mut client = app.open(json!({})).await;
    for piece in 0..3 {
        let kind = if piece == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message("x".repeat(400_000).into_bytes(), OpCode::Data(kind), piece == 2);
        client.socket.send(Message::Frame(frame)).await.unwrap();
    }
    assert_eq!(client.closed().await, 1009);
}

#[tokio::test]
async fn without_an_init_the_socket_closes_in_time() {
    let app = App::start().await;
    let begun = Instant::now();
    assert_eq!(app.connect(NEW).await.closed().await, 4408);
    assert!(begun.elapsed() > Duration::from_millis(4_500), "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_let_go() {
    let limits = LiveLimits { ping: Duration::from_millis(200), ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let mut client = app.open(json!({})).await;
    // This client's library answers while it is read, so it must not be.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.closed().await, 1013);
}

#[tokio::test]
async fn a_client_that_stops_reading_is_let_go_and_told_so() {
    let app = App::with(LiveLimits { write: Duration::from_millis(500), ..LiveLimits::default() }, |_| ()).await;
    let publisher = app.publisher().await;
    let mut client = app.open(json!({})).await;
    client.start("a", &listen_largely(), json!({})).await;
    client.run("q", "{ __typename }").await;
    // More than the buffers of a connection hold.
    for number in 0..60 {
        app.publish_text(&publisher, &number.to_string(), &"x".repeat(5_000)).await;
    }
    eventually("it is let go", async || app.server.live.operations() == 0).await;
    // It begins to read again while the goodbye is under way.
    assert_eq!(client.closed_because().await, (1013, "Too slow, try again later".to_owned()));
}

#[tokio::test]
async fn upgrades_are_refused_before_they_happen() {
    let app = App::with(LiveLimits::default(), |config| {
        config.cors.allowed_origins = vec!["https://app.example.org".to_owned()];
    })
    .await;
    let with = async |protocol: &str, headers: &[(&'static str, &str)]| {
        app.connect_with(protocol, headers).await.map(|_: Client| ())
    };
    assert_eq!(with("soap", &[]).await, Err(400));
    assert_eq!(with(NEW, &[("origin", "https://evil.example.org")]).await, Err(403));
    assert_eq!(with(NEW, &[("origin", "https://app.example.org")]).await, Ok(()));
    assert_eq!(with("soap, graphql-ws", &[("origin", &format!("http://{}", app.address))]).await, Ok(()));
    app.server.draining.cancel();
    assert_eq!(with(NEW, &[]).await, Err(503));
}

#[tokio::test]
async fn a_drain_closes_so_that_clients_come_back() {
    let app = App::start().await;
    let mut open = Vec::new();
    for protocol in [NEW, OLD, NEW, OLD] {
        let mut client = app.connect(protocol).await;
        client.init(json!({})).await;
        client.start("1", LISTEN, json!({})).await;
        open.push(client);
    }
    app.server.draining.cancel();
    for client in &mut open {
        assert_eq!(client.closed().await, 1012);
    }
    app.server.sockets.close();
    tokio::time::timeout(Duration::from_secs(5), app.server.sockets.wait()).await.expect("a socket stays open");
    assert_eq!(app.server.platform.hub.streams_watched(), 0);
}

#[tokio::test]
async fn a_drain_is_spread_over_its_time_and_the_server_still_answers() {
    let app = App::with(LiveLimits::default(), |config| config.server.drain_seconds = 3).await;
    let mut open = Vec::new();
    for _ in 0..24 {
        open.push(app.open(json!({})).await);
    }
    let begun = Instant::now();
    app.server.draining.cancel();
    let closing = open.into_iter().map(|mut client| async move { (client.closed().await, begun.elapsed()) });
    let answers = async {
        let get = |path: &str| reqwest::get(format!("http://{}{path}", app.address));
        assert_eq!(get("/readyz").await.unwrap().status(), 503, "no balancer sends anybody any more");
        let query = [("query", "{ __typename }")];
        let request = reqwest::Client::new().get(format!("http://{}/graphql", app.address)).query(&query);
        assert_eq!(request.send().await.unwrap().status(), 200, "who is here already is answered");
    };
    let (closed, ()) = tokio::join!(futures_util::future::join_all(closing), answers);
    assert!(closed.iter().all(|(code, _)| *code == 1012), "{closed:?}");
    let (first, last) = (closed.iter().map(|at| at.1).min().unwrap(), closed.iter().map(|at| at.1).max().unwrap());
    assert!(last < Duration::from_secs(4), "{closed:?}");
    assert!(last - first > Duration::from_millis(800), "all at once: {closed:?}");
}

#[tokio::test]
async fn signing_out_closes_the_sockets_of_the_session() {
    let app = App::start().await;
    let (mine, other) = (app.sign_in(&[Role::Customer]).await, app.sign_in(&[Role::Customer]).await);
    let mut socket = app.open(json!({ "authToken": mine.access_token })).await;
    let mut bystander = app.open(json!({ "authToken": other.access_token })).await;
    socket.start("1", LISTEN, json!({})).await;
    let viewer = app.server.sessions.authenticate(&mine.access_token).await.unwrap().viewer;
    let caller = Caller { viewer: Some(viewer), ..Caller::system("test") };
    let begun = Instant::now();
    commands::sign_out(&app.server.platform, &caller, false).await.unwrap();
    assert_eq!(socket.closed().await, 4403);
    assert!(begun.elapsed() < Duration::from_secs(1), "after {:?}", begun.elapsed());
    assert_eq!(bystander.run("1", "{ viewer { user { id } } }").await["errors"], Value::Null);
}

#[tokio::test]
async fn a_user_has_so_many_sockets() {
    let limits = LiveLimits { connections_per_user: 2, ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let user = app.sign_in(&[Role::Customer]).await;
    let payload = json!({ "headers": { "authorization": format!("Bearer {}", user.access_token) } });
    let (one, _two) = (app.open(payload.clone()).await, app.open(payload.clone()).await);
    let mut third = app.connect(NEW).await;
    third.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(third.closed().await, 1013);
    drop(one);
    tokio::time::sleep(Duration::from_millis(200)).await;
    app.open(payload).await;
}

#[tokio::test]
async fn an_address_has_so_many_sockets_of_strangers() {
    let limits = LiveLimits { connections_per_address: 2, ..LiveLimits::default() };
    let app = App::with(limits, |config| config.server.trusted_proxies = vec![[127, 0, 0, 1].into()]).await;
    let user = app.sign_in(&[Role::Customer]).await;
    let from = async |address: &str, payload: &Value| {
        let mut client = app.connect_with(NEW, &[("x-forwarded-for", address)]).await.unwrap();
        client.send(json!({ "type": "connection_init", "payload": payload })).await;
        client
    };
    let stranger = json!({});
    let (one, _two) = (from("192.0.2.1", &stranger).await, from("192.0.2.1", &stranger).await);
    assert_eq!(from("192.0.2.1", &stranger).await.closed().await, 1013);
    // Whoever is signed in, or comes from somewhere else, is not concerned; whoever has one address of a network has all.
    let (_v4, _v6) = (from("192.0.2.2", &stranger).await, from("2001:db8:1:2::1", &stranger).await);
    let _other = from("2001:db8:1:2::2", &stranger).await;
    assert_eq!(from("2001:db8:1:2::3", &stranger).await.closed().await, 1013);
    let mut signed_in = from("192.0.2.1", &json!({ "token": user.access_token })).await;
    assert_eq!(signed_in.next().await["type"], "connection_ack");
    drop(one);
    eventually("its seat is free", async || {
        let mut client = from("192.0.2.1", &stranger).await;
        matches!(client.socket.next().await, Some(Ok(Message::Text(_))))
    })
    .await;
}
