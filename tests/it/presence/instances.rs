//! Presence over two instances and Redis, with the two of them failing.

use std::time::{Duration, Instant};

use gigwire::kernel::Role;
use gigwire::platform::config::Config;
use serde_json::json;

use super::staff::{page, users};
use super::{about, payload, seen, told, watch};
use crate::support::live::{App, Client};
use crate::support::redis::{PrivateRedis, shared_url};

/// An instance counts as dead after so many seconds without a sign of life.
const GONE_AFTER: i64 = 3;

fn quick(config: &mut Config) {
    super::quick(config);
    config.presence.gone_after_seconds = GONE_AFTER;
}

#[tokio::test]
async fn a_user_is_online_while_one_connection_lives_on_any_instance() {
    let (here, there) = App::pair_with(&shared_url(), quick).await;
    let (ada, bob, boss) = (
        here.sign_in(&[Role::Customer]).await,
        here.sign_in(&[Role::Contractor]).await,
        here.sign_in(&[Role::Admin]).await,
    );
    here.introduce(&ada, &bob).await;
    let mut watcher = watch(&here, &ada, &[&bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    let far = there.open(payload(&bob)).await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    let near = here.open(payload(&bob)).await;
    drop(far);
    assert!(watcher.is_quiet(Duration::from_secs(2)).await, "the other instance has a connection");
    let _far = there.open(payload(&bob)).await;
    let mut staff = there.open(payload(&boss)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let online = page(&mut staff, json!({})).await;
    assert_eq!(online["totalCount"], 3);
    let mut wanted = [(ada.user.to_string(), 1), (bob.user.to_string(), 2), (boss.user.to_string(), 1)];
    wanted.sort();
    assert_eq!(users(&online), wanted);
    drop(near);
    assert!(watcher.is_quiet(Duration::from_millis(1_500)).await);
    drop(_far);
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    assert_eq!(seen(&mut watcher, &bob).await, json!({ "isOnline": false }));
}

#[tokio::test]
async fn who_was_with_an_instance_that_died_goes_offline() {
    let (here, there) = App::pair_with(&shared_url(), quick).await;
    let (ada, bob) = (here.sign_in(&[Role::Customer]).await, here.sign_in(&[Role::Contractor]).await);
    here.introduce(&ada, &bob).await;
    let _socket = there.open(payload(&bob)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut watcher = watch(&here, &ada, &[&bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    // It stops from one moment to the next, without a goodbye.
    let begun = Instant::now();
    there.server.platform.stop.cancel();
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    let took = begun.elapsed();
    println!("offline {took:?} after the death of the instance, which counts as dead after {GONE_AFTER} s");
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(5), "after {took:?}");
}

#[tokio::test]
async fn an_instance_that_leaves_in_good_order_gives_its_users_the_grace_to_come_back() {
    let (here, there) = App::pair_with(&shared_url(), quick).await;
    let (ada, bob) = (here.sign_in(&[Role::Customer]).await, here.sign_in(&[Role::Contractor]).await);
    here.introduce(&ada, &bob).await;
    let _socket = there.open(payload(&bob)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut watcher = watch(&here, &ada, &[&bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    there.server.platform.close().await;
    let back = here.open(payload(&bob)).await;
    assert!(watcher.is_quiet(Duration::from_secs(4)).await);
    drop(back);
    assert_eq!(told(&mut watcher).await, about(&bob, false));
}

#[tokio::test]
async fn without_redis_each_instance_goes_by_what_it_knows_and_finds_the_rest_again() {
    let mut redis = PrivateRedis::start().await;
    let (here, there) = App::pair_with(&redis.url(), quick).await;
    let (ada, bob, boss) = (
        here.sign_in(&[Role::Customer]).await,
        here.sign_in(&[Role::Contractor]).await,
        here.sign_in(&[Role::Admin]).await,
    );
    here.introduce(&ada, &bob).await;
    let mut staff = here.open(payload(&boss)).await;
    let mut watcher = watch(&here, &ada, &[&bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    redis.kill();
    // Comings and goings on this instance are told, and questions are answered.
    let near = here.open(payload(&bob)).await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    assert_eq!(page(&mut staff, json!({})).await["totalCount"], 3);
    drop(near);
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    // Of the other instance nothing is known until Redis, which has forgotten everything, is back.
    let _far = there.open(payload(&bob)).await;
    assert!(watcher.is_quiet(Duration::from_secs(1)).await);
    assert_eq!(seen(&mut watcher, &bob).await, json!({ "isOnline": false }));
    redis.restart().await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    all_three(&mut staff).await;
    // And so it is when Redis loses everything without going away.
    redis.run("FLUSHALL").await;
    all_three(&mut staff).await;
    assert_eq!(seen(&mut watcher, &bob).await, json!({ "isOnline": true }));
    assert!(watcher.is_quiet(Duration::from_millis(300)).await, "nothing has changed");
}

/// Waits until the users of both instances are on the list.
async fn all_three(staff: &mut Client) {
    let begun = Instant::now();
    while page(staff, json!({})).await["totalCount"] != 3 {
        assert!(begun.elapsed() < Duration::from_secs(6), "somebody stays unknown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
