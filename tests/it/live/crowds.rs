//! Sockets by the hundred: clients that vanish leave nothing behind, clients that are cut come back whole, and clients
//! that stop reading are let go. `scripts/siege` does the same by the thousand, and measures.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use gigwire::features::accounts::SignedIn;
use gigwire::kernel::Role;
use gigwire::platform::streams::{Cursor, Place, StreamName};
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_tungstenite::tungstenite::Message;

use crate::support::app::eventually;
use crate::support::live::{App, Client, LISTEN, listen_largely};

/// Clients that are on their way at once.
const AT_ONCE: usize = 40;
/// Hashing a password for each client would be most of the work, so one user has all the sockets.
const LIMITS: fn() -> LiveLimits = || LiveLimits { connections_per_user: 500, ..LiveLimits::default() };

/// What an instance keeps of its clients: sockets, users, strangers, operations, streams, topics of signals, and last the
/// tasks.
fn kept(app: &App) -> [usize; 7] {
    let (live, platform) = (&app.server.live, &app.server.platform);
    let users = usize::try_from(platform.presence.users_here()).unwrap();
    let watched = (platform.hub.streams_watched(), platform.hub.signals.topics_watched());
    let tasks = Handle::current().metrics().num_alive_tasks();
    [app.server.sockets.len(), users, live.networks(), live.operations(), watched.0, watched.1, tasks]
}

/// Whether nothing is kept but the tasks of the instance itself.
fn is_empty(app: &App) -> bool {
    kept(app)[..6] == [0; 6]
}

/// A client that goes as far as a stage, of which there are ten, and is gone.
async fn come_and_go(app: &App, user: &SignedIn, stage: usize) {
    if stage < 2 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(&b"GET /graphql HTTP/1.1\r\nUpgr"[..stage * 20]).await.unwrap();
        stream.set_zero_linger().unwrap();
        return;
    }
    let mut client = app.connect("graphql-transport-ws").await;
    let payload = json!({ "authorization": user.access_token });
    match stage {
        2 => {}
        3 => client.send(json!({ "type": "connection_init", "payload": payload })).await,
        _ => client.init(payload).await,
    }
    if stage >= 5 {
        client.start("a", "subscription { eventAppended { __typename } }", json!({})).await;
    }
    if stage >= 6 {
        client.run("q", "{ __typename }").await;
    }
    if stage >= 7 {
        client.start("b", LISTEN, json!({ "after": "?" })).await;
    }
    if stage >= 8 {
        assert_eq!(client.item("b").await["__typename"], "StreamGap");
    }
    if stage == 9 {
        client.send(json!({ "id": "a", "type": "complete" })).await;
    }
    client.vanish();
}

#[tokio::test]
async fn who_vanishes_leaves_nothing_behind() {
    let app = App::with(LIMITS(), |_| ()).await;
    let user = app.sign_in(&[Role::Customer]).await;
    // What is made once is made by the first.
    join_all((0..10).map(|stage| come_and_go(&app, &user, stage))).await;
    eventually("the first leave nothing", async || is_empty(&app)).await;
    // Their connections end a little later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = kept(&app);
    let coming = (0..300).map(|number| come_and_go(&app, &user, number % 10));
    stream::iter(coming).buffer_unordered(AT_ONCE).collect::<()>().await;
    eventually("everything is as before", async || kept(&app) == before).await;
}

/// Reads the announcements behind a number up to the last, in order and without a gap.
async fn read_on(client: &mut Client, mut behind: i64, last: i64) {
    while behind < last {
        let item = client.item("a").await;
        behind += 1;
        assert_eq!(item["number"], behind.to_string(), "{item}");
    }
}

/// Comes back with a cursor, and reads everything up to the last event or what is there after a reset.
async fn come_back(app: &App, user: &SignedIn, (behind, cursor): (i64, Value), last: i64) -> &'static str {
    let mut client = app.open(json!({ "authorization": user.access_token, "resume": cursor })).await;
    client.start("a", LISTEN, json!({})).await;
    let first = client.item("a").await;
    if first["__typename"] == "StreamGap" {
        return "reset";
    }
    assert_eq!(first["__typename"], "StreamResumed");
    read_on(&mut client, behind, last).await;
    "whole"
}

#[tokio::test]
async fn who_is_cut_comes_back_whole_or_is_told() {
    let app = App::with(LIMITS(), |_| ()).await;
    let (user, publisher) = (app.sign_in(&[Role::Customer]).await, app.publisher().await);
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = app.open(json!({ "authorization": user.access_token })).await;
        client.start("a", LISTEN, json!({})).await;
        client.run("q", "{ __typename }").await;
        clients.push(client);
    }
    let mut cursors = Vec::new();
    for number in 1..=40 {
        app.publish(&publisher, "before").await;
        let item = clients[0].item("a").await;
        cursors.push((number, item["cursor"].clone()));
    }
    clients.into_iter().for_each(Client::vanish);
    for _ in 0..60 {
        app.publish(&publisher, "meanwhile").await;
    }
    let with = |number: usize| match number % 10 {
        // What was kept long ago: more than an instance keeps in memory.
        0 => cursors[number % 40].clone(),
        // What is of no use any more.
        5 => (0, json!("useless")),
        _ => cursors[39].clone(),
    };
    let coming = (0..200).map(|number| come_back(&app, &user, with(number), 100));
    let ends: Vec<_> = stream::iter(coming).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(ends.iter().filter(|end| **end == "whole").count(), 180);
    eventually("nobody stays", async || is_empty(&app)).await;
}

/// Reads to the end; with which code it was closed, if it hears of one.
async fn ended(mut client: Client) -> Option<u16> {
    while let Some(Ok(message)) = client.socket.next().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

#[tokio::test]
async fn who_stops_reading_is_let_go_and_the_others_miss_nothing() {
    let app = App::with(LiveLimits { write: Duration::from_secs(1), ..LIMITS() }, |_| ()).await;
    let publisher = app.publisher().await;
    let epoch = app.server.platform.hub.reader().epoch();
    let start = Cursor::at(epoch, StreamName::announcements(), Place::default()).encode();
    let text = "x".repeat(5_000);
    // Far more than the buffers of a connection hold, as the stopped ones ask for it.
    for number in 0..100 {
        app.publish_text(&publisher, &number.to_string(), &text).await;
    }
    let mut reader = app.open(json!({})).await;
    reader.start("a", LISTEN, json!({})).await;
    reader.run("q", "{ __typename }").await;
    let mut stopped = Vec::new();
    for _ in 0..20 {
        let mut client = app.open(json!({ "resume": start })).await;
        client.start("a", &listen_largely(), json!({})).await;
        stopped.push(client);
    }
    for number in 101..=120 {
        app.publish(&publisher, "on").await;
        read_on(&mut reader, number - 1, number).await;
    }
    eventually("the stopped ones end", async || app.server.live.operations() == 1).await;
    // Whoever begins to read in time hears why.
    for code in join_all(stopped.into_iter().map(ended)).await.into_iter().flatten() {
        assert_eq!(code, 1013);
    }
    reader.run("q", "{ __typename }").await;
}
