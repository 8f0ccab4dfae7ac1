//! What the bus makes of a Redis that fails, in every way that one can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gigwire::platform::bus::{Bus, Listener, Note};

use super::bus::{connected, heads, instance, next, pair, rights, signal, until, up_to};
use crate::support::redis::{PrivateRedis, prefix};

/// Notes flow both ways.
async fn flows(a: &Arc<dyn Bus>, b: &Arc<dyn Bus>) {
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(heads("later", 1));
    up_to(&mut at_b, &heads("later", 1)).await;
    b.publish(heads("later", 2));
    up_to(&mut at_a, &heads("later", 2)).await;
}

/// Waits until both have lost the server.
async fn lost(a: &Arc<dyn Bus>, b: &Arc<dyn Bus>) {
    until("disconnected", || !a.is_connected() && !b.is_connected()).await;
}

#[tokio::test]
async fn a_restart_resyncs_both_sides() {
    let mut redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    redis.kill();
    lost(&a, &b).await;
    // Once for the loss, so that the sweep begins at once ..
    assert_eq!(next(&mut at_a).await, Note::Resync);
    assert_eq!(next(&mut at_b).await, Note::Resync);
    redis.restart().await;
    // .. and once for the return.
    assert_eq!(next(&mut at_a).await, Note::Resync);
    assert_eq!(next(&mut at_b).await, Note::Resync);
    connected(&a).await;
    connected(&b).await;
    flows(&a, &b).await;
}

#[tokio::test]
async fn killed_subscriptions_come_back_with_a_resync() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    redis.run("CLIENT KILL TYPE pubsub").await;
    for listener in [&mut at_a, &mut at_b] {
        assert_eq!(next(listener).await, Note::Resync);
        assert_eq!(next(listener).await, Note::Resync);
    }
    flows(&a, &b).await;
}

#[tokio::test]
async fn a_killed_publisher_loses_nothing() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let mut at_b = b.subscribe();
    redis.run("CLIENT KILL TYPE normal SKIPME yes").await;
    a.publish(rights(1));
    a.publish(rights(2));
    assert_eq!(next(&mut at_b).await, rights(1));
    up_to(&mut at_b, &rights(2)).await;
    flows(&a, &b).await;
}

#[tokio::test]
async fn a_flush_is_harmless() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let mut at_b = b.subscribe();
    redis.run("FLUSHALL").await;
    a.publish(rights(1));
    assert_eq!(next(&mut at_b).await, rights(1));
    assert!(a.is_connected() && b.is_connected());
}

#[tokio::test]
async fn a_full_output_buffer_is_survived() {
    let redis = PrivateRedis::start().await;
    let prefix = prefix();
    let (a, b) = (instance(&redis.url(), &prefix), instance(&redis.url(), &prefix));
    connected(&a).await;
    connected(&b).await;
    let mut at_b = b.subscribe();
    let mut connection = redis.connection().await;
    redis::cmd("CONFIG")
        .arg(&["SET", "client-output-buffer-limit", "pubsub 32kb 32kb 1"])
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    // More than the limit in one message: the server cuts every subscription off.
    redis::cmd("PUBLISH")
        .arg(format!("{prefix}:notes"))
        .arg("x".repeat(1 << 20))
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    assert_eq!(next(&mut at_b).await, Note::Resync);
    assert_eq!(next(&mut at_b).await, Note::Resync);
    connected(&a).await;
    flows(&a, &b).await;
}

#[tokio::test]
async fn rubbish_on_the_channel_is_a_resync() {
    let redis = PrivateRedis::start().await;
    let prefix = prefix();
    let bus = instance(&redis.url(), &prefix);
    connected(&bus).await;
    let mut listener = bus.subscribe();
    redis.run(&format!("PUBLISH {prefix}:notes rubbish")).await;
    assert_eq!(next(&mut listener).await, Note::Resync);
    assert!(bus.is_connected());
}

#[tokio::test]
async fn absent_at_the_start_it_is_found_later() {
    let mut redis = PrivateRedis::absent();
    let prefix = prefix();
    let (a, b) = (instance(&redis.url(), &prefix), instance(&redis.url(), &prefix));
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(rights(1));
    assert_eq!(next(&mut at_a).await, rights(1));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!a.is_connected() && !b.is_connected());
    redis.restart().await;
    assert_eq!(next(&mut at_a).await, Note::Resync);
    assert_eq!(next(&mut at_b).await, Note::Resync);
    connected(&a).await;
    connected(&b).await;
    flows(&a, &b).await;
}

#[tokio::test]
async fn publishing_never_waits_and_an_outage_ends_in_one_resync() {
    let mut redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let mut at_a = a.subscribe();
    redis.kill();
    lost(&a, &b).await;
    up_to(&mut at_a, &Note::Resync).await;

    // More than the outbox holds.
    let begun = Instant::now();
    let many: u32 = 20_000;
    for number in 0..many {
        a.publish(rights(number.into()));
        if number % 100 == 0 {
            let mut seen = next(&mut at_a).await;
            while seen != rights(number.into()) {
                seen = next(&mut at_a).await;
            }
        }
    }
    let each = begun.elapsed() / many;
    assert!(each < Duration::from_millis(1), "publishing takes {each:?} with Redis down");

    // Let all of it become older than anything worth sending.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let mut at_b = b.subscribe();
    redis.restart().await;
    connected(&a).await;
    connected(&b).await;
    a.publish(rights(u128::MAX));
    let before = up_to(&mut at_b, &rights(u128::MAX)).await;
    assert!(!before.is_empty() && before.iter().all(|note| *note == Note::Resync), "stale notes came: {before:?}");
}

#[tokio::test]
async fn an_overflow_resyncs_the_others() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let mut at_b = b.subscribe();
    // Twice what the outbox holds, before the publisher gets a turn. Nobody was disconnected, so only the publisher knows.
    for number in 0..20_000 {
        a.publish(rights(number));
    }
    assert_eq!(next(&mut at_b).await, Note::Resync);
    assert_eq!(next(&mut at_b).await, rights(10_000));
    assert!(a.is_connected() && b.is_connected());
    flows(&a, &b).await;
}

#[tokio::test]
async fn a_server_that_hangs_counts_as_lost() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let mut at_b = b.subscribe();
    redis.freeze(true);
    let begun = Instant::now();
    a.publish(rights(1));
    a.publish(signal("{}"));
    assert!(begun.elapsed() < Duration::from_millis(10));
    until("disconnected", || !a.is_connected()).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    assert_eq!(next(&mut at_b).await, Note::Resync);
    redis.freeze(false);
    up_to(&mut at_b, &Note::Resync).await;
    connected(&a).await;
    flows(&a, &b).await;
}

#[tokio::test]
async fn closing_without_a_server_is_quick() {
    let redis = PrivateRedis::absent();
    let bus = instance(&redis.url(), &prefix());
    bus.publish(rights(1));
    let begun = Instant::now();
    bus.close().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn dropped_instances_leave_no_connection_behind() {
    let redis = PrivateRedis::start().await;
    let (a, b) = pair(&redis.url()).await;
    let listener: Listener = a.subscribe();
    drop((a, b));
    drop(listener);
    let mut connection = redis.connection().await;
    for _ in 0..100 {
        let clients: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut connection).await.unwrap();
        if clients.lines().count() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("connections are left");
}
