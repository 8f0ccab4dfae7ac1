//! The limiter contract, on every backend, and what a failing Redis does to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gigwire::platform::limits::{Limiter, LocalLimiter, Millis, RedisLimiter, Rule, Wait, WhenDown};
use uuid::Uuid;

use super::bus::until;
use crate::support::redis::{PrivateRedis, prefix, shared_url};

/// One comes back every two seconds: slow enough for a busy machine, quick enough to wait for.
const RULE: Rule = Rule { burst: 3, per_minute: 30 };
/// One use of [`RULE`], in milliseconds.
const ONE: u64 = 2_000;

macro_rules! cases {
    ($backend:ident, $fixture:path, [$($case:ident),* $(,)?]) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case($fixture().await).await;
                }
            )*
        }
    };
    ($backend:ident, $fixture:path) => {
        cases!($backend, $fixture, [
            a_burst_passes_and_then_the_wait_is_right,
            waiting_refills,
            keys_are_independent,
            a_cost_is_taken_whole_or_not_at_all,
            a_cost_above_the_burst_can_pass,
            many_at_once_get_no_more_than_the_burst,
            any_text_is_a_key,
        ]);
    };
}

cases!(local, super::in_process);
cases!(redis, super::over_redis);

/// A limiter and its way to let time pass.
struct Fixture {
    limiter: Arc<dyn Limiter>,
    clock: Option<Arc<AtomicI64>>,
}

impl Fixture {
    async fn take(&self, key: &str, cost: u32) -> Result<(), Wait> {
        self.limiter.check(key, RULE, cost, WhenDown::Local).await
    }

    async fn pass(&self, ms: u64) {
        match &self.clock {
            Some(clock) => {
                clock.fetch_add(ms.try_into().unwrap(), Ordering::Relaxed);
            }
            None => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }
}

fn stopped_clock() -> (Arc<AtomicI64>, Millis) {
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
    let hands = Arc::clone(&clock);
    (clock, Arc::new(move || hands.load(Ordering::Relaxed)))
}

async fn in_process() -> Fixture {
    let (clock, now) = stopped_clock();
    Fixture { limiter: Arc::new(LocalLimiter::new(now)), clock: Some(clock) }
}

async fn over_redis() -> Fixture {
    Fixture { limiter: connected(&shared_url(), &prefix()).await, clock: None }
}

async fn connected(url: &str, prefix: &str) -> Arc<RedisLimiter> {
    let (_, now) = stopped_clock();
    let limiter = Arc::new(RedisLimiter::start(url, prefix, Uuid::new_v4(), now).unwrap());
    until("connected", || limiter.is_connected()).await;
    limiter
}

async fn a_burst_passes_and_then_the_wait_is_right(limits: Fixture) {
    let begun = Instant::now();
    for _ in 0..RULE.burst {
        limits.take("k", 1).await.unwrap();
    }
    let wait = limits.take("k", 1).await.unwrap_err().retry_after_ms;
    let passed = u64::try_from(begun.elapsed().as_millis()).unwrap() + 1;
    assert!(wait <= ONE && wait >= ONE.saturating_sub(passed), "{wait} ms after {passed} ms");
}

async fn waiting_refills(limits: Fixture) {
    limits.take("k", RULE.burst).await.unwrap();
    let wait = limits.take("k", 1).await.unwrap_err().retry_after_ms;
    limits.pass(wait).await;
    limits.take("k", 1).await.unwrap();
    limits.take("k", 1).await.unwrap_err();
}

async fn keys_are_independent(limits: Fixture) {
    limits.take("one", RULE.burst).await.unwrap();
    limits.take("one", 1).await.unwrap_err();
    limits.take("two", RULE.burst).await.unwrap();
}

async fn a_cost_is_taken_whole_or_not_at_all(limits: Fixture) {
    limits.take("k", 2).await.unwrap();
    limits.take("k", 2).await.unwrap_err();
    // The refusal cost nothing.
    limits.take("k", 1).await.unwrap();
    limits.take("k", 1).await.unwrap_err();
}

async fn a_cost_above_the_burst_can_pass(limits: Fixture) {
    limits.take("k", RULE.burst + 5).await.unwrap();
    limits.take("k", 1).await.unwrap_err();
}

async fn many_at_once_get_no_more_than_the_burst(limits: Fixture) {
    let tries = (0..50).map(|_| {
        let limiter = Arc::clone(&limits.limiter);
        tokio::spawn(async move { limiter.check("k", RULE, 1, WhenDown::Local).await })
    });
    let mut passed = 0;
    for attempt in tries.collect::<Vec<_>>() {
        passed += u32::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(passed, RULE.burst);
}

async fn any_text_is_a_key(limits: Fixture) {
    for key in ["", " ", "ü\n\0*", &"k".repeat(100_000)] {
        limits.take(key, RULE.burst).await.unwrap();
        limits.take(key, 1).await.unwrap_err();
    }
}

#[tokio::test]
async fn instances_share_one_count() {
    let prefix = prefix();
    let (a, b) = (connected(&shared_url(), &prefix).await, connected(&shared_url(), &prefix).await);
    a.check("k", RULE, 2, WhenDown::Local).await.unwrap();
    b.check("k", RULE, 1, WhenDown::Local).await.unwrap();
    a.check("k", RULE, 1, WhenDown::Local).await.unwrap_err();
    b.check("k", RULE, 1, WhenDown::Local).await.unwrap_err();
}

#[tokio::test]
async fn keys_in_redis_expire_and_name_nobody() {
    let redis = PrivateRedis::start().await;
    let limiter = connected(&redis.url(), "gigwire").await;
    limiter.check("sign-in:ann@example.org", RULE, 1, WhenDown::Local).await.unwrap();
    let mut connection = redis.connection().await;
    let keys: Vec<String> = ::redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert!(keys.len() == 1 && keys[0].starts_with("gigwire:limit:") && !keys[0].contains("ann"), "{keys:?}");
    let left: u64 = ::redis::cmd("PTTL").arg(&keys[0]).query_async(&mut connection).await.unwrap();
    assert!(left <= ONE, "{left} ms");
}

#[tokio::test]
async fn an_outage_is_counted_here_and_opens_nothing() {
    let mut redis = PrivateRedis::start().await;
    let limiter = connected(&redis.url(), "gigwire").await;
    limiter.check("used up", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    redis.kill();
    limiter.check("used up", RULE, 1, WhenDown::Local).await.unwrap_err();
    limiter.check("fresh", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    limiter.check("fresh", RULE, 1, WhenDown::Local).await.unwrap_err();
    redis.restart().await;
    until("connected", || limiter.is_connected()).await;
    // An empty server counts anew.
    limiter.check("fresh", RULE, RULE.burst, WhenDown::Local).await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_costs_one_deadline() {
    let redis = PrivateRedis::start().await;
    let limiter = connected(&redis.url(), "gigwire").await;
    redis.freeze(true);
    let begun = Instant::now();
    limiter.check("k", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    for _ in 0..100 {
        limiter.check("k", RULE, 1, WhenDown::Local).await.unwrap_err();
    }
    assert!(begun.elapsed() < Duration::from_millis(500), "it took {:?}", begun.elapsed());
    redis.freeze(false);
    until("connected", || limiter.is_connected()).await;
}

#[tokio::test]
async fn forgotten_scripts_and_flushed_keys_are_survived() {
    let redis = PrivateRedis::start().await;
    let limiter = connected(&redis.url(), "gigwire").await;
    limiter.check("k", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    redis.run("SCRIPT FLUSH").await;
    limiter.check("k", RULE, 1, WhenDown::Local).await.unwrap_err();
    redis.run("FLUSHALL").await;
    limiter.check("k", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    assert!(limiter.is_connected());
}

#[tokio::test]
async fn absent_at_the_start_it_counts_here() {
    let (_, now) = stopped_clock();
    let limiter = RedisLimiter::start(&PrivateRedis::absent().url(), "gigwire", Uuid::new_v4(), now).unwrap();
    limiter.check("k", RULE, RULE.burst, WhenDown::Local).await.unwrap();
    limiter.check("k", RULE, 1, WhenDown::Local).await.unwrap_err();
    assert!(!limiter.is_connected());
}
