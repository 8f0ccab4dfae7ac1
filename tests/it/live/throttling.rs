//! Views that want news at most so often.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, on_both_engines};
use crate::support::live::App;

const WALLET: &str = "subscription ($after: String, $ms: Int) { walletChanged(after: $after, throttleMs: $ms) {
    __typename cursor ... on WalletCredited { wallet { available { amount } } } } }";
/// Long enough for two deposits, on a machine that does other things too.
const WINDOW_MS: u64 = 3_000;

on_both_engines!(the_latest_state_comes_and_the_stream_stays_whole);

async fn the_latest_state_comes_and_the_stream_stays_whole(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let start = app.stream_cursor(&ada).await;
    let mut socket = app.socket(&ada, &Value::Null).await;
    socket.start("a", WALLET, json!({ "ms": WINDOW_MS })).await;
    socket.run("q", "{ __typename }").await;
    let mut next = async || socket.next().await["payload"]["data"]["walletChanged"].take();
    app.deposit(&ada, "1.00").await;
    assert_eq!(next().await["__typename"], "PaymentCompleted", "the first comes at once");
    let begun = Instant::now();
    assert_eq!(next().await["wallet"]["available"]["amount"], "1.00");
    app.deposit(&ada, "2.00").await;
    app.deposit(&ada, "3.00").await;
    // Two payments are two objects, and the wallet is one.
    let merged = [next().await, next().await, next().await];
    assert!(begun.elapsed() > Duration::from_millis(WINDOW_MS / 2), "after {:?}", begun.elapsed());
    let names: Vec<_> = merged.iter().map(|item| item["__typename"].as_str().unwrap()).collect();
    assert_eq!(names, ["PaymentCompleted", "PaymentCompleted", "WalletCredited"]);
    assert_eq!(merged[2]["wallet"]["available"]["amount"], "6.00");

    let mut whole = app.socket(&ada, &Value::Null).await;
    whole.start("a", WALLET, json!({ "after": start })).await;
    let mut names = Vec::new();
    for _ in 0..7 {
        names.push(whole.next().await["payload"]["data"]["walletChanged"]["__typename"].take());
    }
    let deposit = ["PaymentCompleted", "WalletCredited"];
    assert_eq!(json!(names), json!([&["StreamResumed"][..], &deposit, &deposit, &deposit].concat()));
}

/// What comes while a page is made is brought when the window ends, and not when the socket looks around by itself.
#[tokio::test]
async fn a_burst_is_brought_window_by_window() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let mut socket = app.open(json!({})).await;
    let listen = "subscription { announcementPublished(throttleMs: 100) { ... on AnnouncementAdded { announcement {
        title } } } }";
    socket.start("a", listen, json!({})).await;
    socket.run("q", "{ __typename }").await;
    for round in 0..12 {
        let begun = Instant::now();
        let titles: Vec<_> = (0..4).map(|n| format!("{round}-{n}")).collect();
        let publishing = join_all(titles.iter().map(|title| app.publish(&publisher, title)));
        let ((), mut heard) = tokio::join!(async { drop(publishing.await) }, socket.titles("a", titles.len()));
        assert!(begun.elapsed() < Duration::from_millis(3_500), "round {round} took {:?}", begun.elapsed());
        heard.sort();
        assert_eq!(heard, titles);
    }
}

#[tokio::test]
async fn a_window_has_bounds() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let mut socket = app.socket(&ada, &Value::Null).await;
    for (id, ms) in [("1", 99), ("2", 10_001), ("3", -1)] {
        socket.start(id, WALLET, json!({ "ms": ms })).await;
        let refused = socket.next().await;
        assert_eq!((&refused["id"], &refused["type"]), (&json!(id), &json!("error")));
        assert_eq!(refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    }
    for (id, ms) in [("4", 100), ("5", 10_000)] {
        socket.start(id, WALLET, json!({ "ms": ms })).await;
    }
    socket.run("q", "{ __typename }").await;
}
