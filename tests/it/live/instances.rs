//! Two instances on one PostgreSQL and one Redis.

use std::time::{Duration, Instant};

use gigwire::features::accounts::commands;
use gigwire::kernel::{Caller, Role};
use serde_json::{Value, json};

use crate::support::live::{App, LISTEN};
use crate::support::redis::{PrivateRedis, shared_url};

/// Longer than a sweep takes to find what the bus did not tell.
const SWEPT: Duration = Duration::from_secs(6);

#[tokio::test]
async fn events_cross_instances_and_cursors_are_good_on_each() {
    let (here, there) = App::pair(&shared_url()).await;
    let publisher = here.publisher().await;
    let mut client = there.open(json!({})).await;
    client.start("a", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    here.publish(&publisher, "1").await;
    let cursor = client.item("a").await["cursor"].clone();
    for title in ["2", "3"] {
        here.publish(&publisher, title).await;
    }
    let mut elsewhere = here.open(json!({ "resume": cursor })).await;
    elsewhere.start("a", LISTEN, json!({})).await;
    assert_eq!(elsewhere.item("a").await["__typename"], "StreamResumed");
    for client in [&mut client, &mut elsewhere] {
        assert_eq!(client.titles("a", 2).await, ["2", "3"]);
    }
}

#[tokio::test]
async fn signing_out_on_one_instance_closes_sockets_on_the_other() {
    let (here, there) = App::pair(&shared_url()).await;
    let user = here.sign_in(&[Role::Customer]).await;
    let mut socket = there.open(json!({ "token": user.access_token })).await;
    let viewer = here.server.sessions.authenticate(&user.access_token).await.unwrap().viewer;
    let caller = Caller { viewer: Some(viewer), ..Caller::system("test") };
    let begun = Instant::now();
    commands::sign_out(&here.server.platform, &caller, true).await.unwrap();
    assert_eq!(socket.closed().await, 4403);
    assert!(begun.elapsed() < Duration::from_secs(1), "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn without_redis_events_and_closes_still_come() {
    let mut redis = PrivateRedis::start().await;
    let (here, there) = App::pair(&redis.url()).await;
    let publisher = here.publisher().await;
    let user = here.sign_in(&[Role::Customer]).await;
    let viewer = here.server.sessions.authenticate(&user.access_token).await.unwrap().viewer;
    let caller = Caller { viewer: Some(viewer), ..Caller::system("test") };
    let mut listener = there.open(json!({})).await;
    listener.start("a", LISTEN, json!({})).await;
    assert_eq!(listener.run("q", "{ __typename }").await["errors"], Value::Null);
    let mut socket = there.open(json!({ "token": user.access_token })).await;
    redis.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    commands::sign_out(&here.server.platform, &caller, true).await.unwrap();
    here.publish(&publisher, "still").await;
    assert_eq!(listener.titles("a", 1).await, ["still"]);
    assert!(begun.elapsed() < SWEPT, "the event after {:?}", begun.elapsed());
    assert_eq!(socket.closed().await, 4403);
    assert!(begun.elapsed() < SWEPT, "the close after {:?}", begun.elapsed());
    redis.restart().await;
    here.publish(&publisher, "again").await;
    assert_eq!(listener.titles("a", 1).await, ["again"]);
}
