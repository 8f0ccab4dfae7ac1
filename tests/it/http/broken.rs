//! How feeds end, whoever ends them, and that nothing of them is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gigwire::features::accounts::commands;
use gigwire::kernel::{Caller, Clock, Role};
use gigwire::platform::host;
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::frames::{EVENTS, PARTS, Pieces, ask};
use super::send;
use crate::support::live::{App, LISTEN, listen_largely};

const WALLET: &str = "subscription { walletChanged { id } }";

/// Waits until the server has so many feeds and sockets left.
async fn left(app: &App, open: usize, within: Duration) {
    let begun = Instant::now();
    while app.server.sockets.len() != open {
        assert!(begun.elapsed() < within, "{} are open", app.server.sockets.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn whoever_hangs_up_takes_the_feed_along() {
    let app = App::start().await;
    let mut feeds = Vec::new();
    for accept in [EVENTS, PARTS, EVENTS] {
        let request = ask(app.address, accept, LISTEN, json!({}));
        feeds.push(if accept == EVENTS { Pieces::events(request).await } else { Pieces::parts(request).await });
    }
    assert_eq!((app.server.sockets.len(), app.server.platform.hub.streams_watched()), (3, 1));
    drop(feeds);
    left(&app, 0, Duration::from_secs(1)).await;
    assert_eq!(app.server.platform.hub.streams_watched(), 0);
}

#[tokio::test]
async fn feeds_and_sockets_share_the_seats() {
    let limits = LiveLimits { connections_per_user: 2, connections_per_address: 2, ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let user = app.sign_in(&[Role::Customer]).await;
    let wallet = || ask(app.address, EVENTS, WALLET, json!({})).bearer_auth(&user.access_token);
    let listen = || ask(app.address, EVENTS, LISTEN, json!({}));
    let token = json!({ "token": user.access_token });
    let (_socket, feed) = (app.open(token.clone()).await, Pieces::events(wallet()).await);
    let (_stranger, _other) = (app.open(json!({})).await, Pieces::events(listen()).await);
    for crowded in [send(wallet()).await, send(listen()).await] {
        assert_eq!((crowded.status, crowded.code()), (429, "RATE_LIMITED"), "{}", crowded.body);
        assert_eq!(crowded.header("retry-after"), "5");
    }
    let mut refused = app.connect("graphql-transport-ws").await;
    refused.send(json!({ "type": "connection_init", "payload": {} })).await;
    assert_eq!(refused.closed().await, 1013);
    drop((feed, refused));
    left(&app, 3, Duration::from_secs(1)).await;
    Pieces::events(wallet()).await;
}

#[tokio::test]
async fn signing_out_ends_the_feeds_of_the_session() {
    let app = App::start().await;
    let user = app.sign_in(&[Role::Customer]).await;
    let wallet = |accept| ask(app.address, accept, WALLET, json!({})).bearer_auth(&user.access_token);
    let (mut events, mut parts) = (Pieces::events(wallet(EVENTS)).await, Pieces::parts(wallet(PARTS)).await);
    let viewer = app.server.sessions.authenticate(&user.access_token).await.unwrap().viewer;
    let caller = Caller { viewer: Some(viewer), ..Caller::system("test") };
    let begun = Instant::now();
    commands::sign_out(&app.server.platform, &caller, false).await.unwrap();
    let part = parts.part().await;
    assert_eq!(
        (&part["payload"], part["errors"][0]["extensions"]["code"].as_str()),
        (&Value::Null, Some("UNAUTHENTICATED"))
    );
    assert_eq!(parts.rest().await, "--\r\n");
    assert_eq!(events.rest().await, ": UNAUTHENTICATED\n\n", "no `complete`: the client comes back with another token");
    assert!(begun.elapsed() < Duration::from_secs(1), "after {:?}", begun.elapsed());
    left(&app, 0, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_feed_ends_with_its_token() {
    let hand = Arc::new(AtomicI64::new(host::clock().now().0));
    let limits = LiveLimits { sweep: Duration::from_millis(200), ..LiveLimits::default() };
    let app = App::at(Clock::manual(hand.clone()), limits, |_| ()).await;
    let user = app.sign_in(&[Role::Customer]).await;
    let wallet = |accept| ask(app.address, accept, WALLET, json!({})).bearer_auth(&user.access_token);
    let (mut events, mut parts) = (Pieces::events(wallet(EVENTS)).await, Pieces::parts(wallet(PARTS)).await);
    hand.fetch_add(16 * 60_000, Ordering::SeqCst);
    assert_eq!(events.rest().await, ": TOKEN_EXPIRED\n\n");
    assert_eq!(parts.part().await["errors"][0]["extensions"]["code"], "TOKEN_EXPIRED");
    let again = Pieces::events(wallet(EVENTS)).await.event().await;
    assert_eq!(again.data["errors"][0]["extensions"]["code"], "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_drain_ends_feeds_so_that_clients_come_back() {
    let app = App::start().await;
    let mut events = Pieces::events(ask(app.address, EVENTS, LISTEN, json!({}))).await;
    let mut parts = Pieces::parts(ask(app.address, PARTS, LISTEN, json!({}))).await;
    let url = format!("http://{}/graphql", app.address);
    let browser = reqwest::Client::new().get(url).query(&[("query", LISTEN)]).header("accept", EVENTS);
    let mut browser = Pieces::events(browser).await;
    app.server.draining.cancel();
    assert_eq!(events.rest().await, ": SERVICE_UNAVAILABLE\n\n");
    let part = parts.part().await;
    assert_eq!(part["payload"], Value::Null);
    assert_eq!(part["errors"][0]["extensions"]["retryable"], true);
    let last = browser.rest().await;
    let wait = last.strip_prefix("retry: ").and_then(|last| last.strip_suffix("\n: SERVICE_UNAVAILABLE\n\n"));
    assert!(wait.unwrap_or_else(|| panic!("{last:?}")).parse::<u64>().unwrap() < 3_000);
    app.server.sockets.close();
    tokio::time::timeout(Duration::from_secs(2), app.server.sockets.wait()).await.expect("a feed stays open");
}

#[tokio::test]
async fn a_reader_who_takes_nothing_is_let_go_and_slows_nobody() {
    let limits = LiveLimits { write: Duration::from_millis(500), ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let publisher = app.publisher().await;
    let body = json!({ "query": listen_largely() }).to_string();
    let mut slow = TcpStream::connect(app.address).await.unwrap();
    let head = format!("POST /graphql HTTP/1.1\r\nHost: a\r\nAccept: {EVENTS}\r\nContent-Type: application/json\r\n");
    slow.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    let mut quick = Pieces::events(ask(app.address, EVENTS, LISTEN, json!({}))).await;
    left(&app, 2, Duration::from_secs(5)).await;
    // Far more than the buffers of a connection hold.
    let text = "x".repeat(5_000);
    for number in 0..200 {
        app.publish_text(&publisher, &number.to_string(), &text).await;
        let event = quick.event().await;
        assert_eq!(event.data["data"]["announcementPublished"]["announcement"]["title"], number.to_string());
    }
    left(&app, 1, Duration::from_secs(6)).await;
    app.publish(&publisher, "and on").await;
    assert_eq!(quick.event().await.data["data"]["announcementPublished"]["announcement"]["title"], "and on");
}
