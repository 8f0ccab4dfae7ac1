//! A bad network between clients and server, and between the server, Redis and PostgreSQL.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gigwire::platform::config::Secret;
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};

use crate::support::app::{TestApp, TestUser, eventually};
use crate::support::live::{App, Client, LISTEN};
use crate::support::market::{key, usd};
use crate::support::proxy::{Proxy, Weather};
use crate::support::redis::shared_url;

/// Longer than a sweep takes to find what the bus did not tell.
const SWEPT: Duration = Duration::from_secs(6);

/// How often connections to PostgreSQL are cut while money comes in.
const CUTS: usize = 30;

/// A client that comes through this network and listens behind a cursor.
async fn listen(network: &Proxy, after: &Value) -> Client {
    let mut client = Client::dial(&network.address(), "graphql-transport-ws", &[]).await.unwrap();
    client.init(json!({})).await;
    client.start("a", LISTEN, json!({ "after": after })).await;
    client
}

#[tokio::test]
async fn a_half_open_client_is_noticed_after_two_missed_pongs() {
    let ping = Duration::from_millis(300);
    let app = App::with(LiveLimits { ping, ..LiveLimits::default() }, |_| ()).await;
    let network = Proxy::to(app.address.to_string()).await;
    let mut client = listen(&network, &Value::Null).await;
    assert!(client.is_quiet(ping * 5).await, "who answers pings stays");
    assert_eq!(app.server.platform.hub.streams_watched(), 1);
    network.set(Weather::Still);
    let begun = Instant::now();
    while app.server.platform.hub.streams_watched() > 0 {
        assert!(client.is_quiet(ping / 10).await, "the client hears nothing of it");
        assert!(begun.elapsed() < ping * 10, "nobody notices");
    }
    // The pong of the last ping may have come just before; then two are missed, and the next beat closes.
    assert!(begun.elapsed() > ping, "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn resets_lose_nothing() {
    let app = App::start().await;
    let network = Proxy::to(app.address.to_string()).await;
    let publisher = app.publisher().await;
    let (mut titles, mut cursor) = (Vec::new(), Value::Null);
    for round in 0..10 {
        let mut client = listen(&network, &cursor).await;
        if round == 0 {
            client.run("q", "{ __typename }").await;
        } else {
            assert_eq!(client.item("a").await["__typename"], "StreamResumed");
        }
        for number in 0..6 {
            app.publish(&publisher, &format!("{round}.{number}")).await;
        }
        // Some of what was sent is read; the rest is lost on the way.
        for _ in 0..=round % 6 {
            let item = client.item("a").await;
            titles.push(item["announcement"]["title"].as_str().unwrap().to_owned());
            cursor = item["cursor"].clone();
        }
        network.cut();
        assert!(client.is_cut().await);
    }
    let mut client = listen(&network, &cursor).await;
    assert_eq!(client.item("a").await["__typename"], "StreamResumed");
    let rest = client.titles("a", 60 - titles.len()).await;
    let all: Vec<_> = (0..60).map(|number| format!("{}.{}", number / 6, number % 6)).collect();
    assert_eq!([titles, rest].concat(), all);
}

/// How long each of several requests takes, the shortest first.
async fn times(app: &TestApp, who: &TestUser) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        app.deposit(who, "1.00").await;
        times.push(begun.elapsed());
    }
    times.sort();
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_or_silent_redis_does_not_slow_http() {
    let network = Proxy::before(&shared_url()).await;
    let app = TestApp::scaled_with(2, |config| config.redis.url = Secret::new(network.via(&shared_url()))).await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let clear = times(&app, &ada).await;
    for weather in [Weather::Slow(Duration::from_millis(400)), Weather::Still] {
        network.set(weather);
        let bad = times(&app, &ada).await;
        // A deposit asks the shared limits and wakes the other instance: waiting for either takes 800 ms or for ever.
        assert!(bad[10] < clear[10] * 4 + Duration::from_millis(60), "{weather:?}: {bad:?}, and {clear:?} before");
        assert!(bad[19] < Duration::from_millis(800), "{weather:?}: {bad:?}");
    }
}

#[tokio::test]
async fn events_pass_a_slow_redis_and_go_around_a_silent_one() {
    let network = Proxy::before(&shared_url()).await;
    let (here, there) = App::pair(&network.via(&shared_url())).await;
    let publisher = here.publisher().await;
    let mut client = there.open(json!({})).await;
    client.start("a", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    let delays = async |client: &mut Client, title: &str| {
        let begun = Instant::now();
        here.publish(&publisher, title).await;
        assert_eq!(client.titles("a", 1).await, [title]);
        begun.elapsed()
    };
    let is_up = async || here.server.platform.bus.is_connected() && there.server.platform.bus.is_connected();
    eventually("the bus is up", &is_up).await;
    network.set(Weather::Slow(Duration::from_millis(200)));
    let slow = delays(&mut client, "slow").await;
    assert!(slow < Duration::from_secs(2), "by the bus, not by the sweep: {slow:?}");
    network.set(Weather::Still);
    for title in ["1", "2", "3"] {
        let still = delays(&mut client, title).await;
        assert!(still < SWEPT, "{still:?}");
    }
    network.set(Weather::Clear);
    eventually("the bus is up again", &is_up).await;
    let clear = delays(&mut client, "clear").await;
    assert!(clear < Duration::from_secs(2), "{clear:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_of_postgres_double_no_money() {
    let url = std::env::var("TEST_POSTGRES_URL").unwrap();
    let network = Proxy::before(&url).await;
    let app = TestApp::postgres_with(|config| {
        config.database.url = Secret::new(network.via(&config.database_url()));
    })
    .await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    // Each asks until it has an answer, always with its own key.
    let deposits = join_all((0..40).map(|_| async {
        let input = json!({ "amount": usd("1.00"), "idempotencyKey": key() });
        loop {
            let done = app.act(&ada, "depositCreate", input.clone()).await;
            match done.refusal() {
                None => return,
                Some("SERVICE_UNAVAILABLE" | "IDEMPOTENCY_IN_FLIGHT") => {}
                Some(other) => panic!("{other}: {done:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }));
    let mut struck = 0;
    let cutting = async {
        for _ in 0..CUTS {
            tokio::time::sleep(Duration::from_millis(10)).await;
            struck += network.cut();
        }
    };
    // What the deposits outlast, they go through in peace.
    tokio::join!(deposits, cutting);
    assert!(struck > 0, "no connection was there to be cut");
    assert_eq!(app.money(&ada).await[0], "40.00");
    assert_eq!(app.count("select count(*) as n from payments").await, 40);
    app.assert_books().await;
}
