//! The limiter of many instances: one count per key, in Redis, by the clock of Redis.
//!
//! A check is one short script with a deadline of 50 ms; whoever comes often takes several uses with it (`ahead.rs`).
//! When it fails, the connection is given up and every check counts in the process until a new one is there, so that an
//! outage costs the deadline once and not per request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, RedisResult, Script};
use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::ahead::Ahead;
use super::gcra::{self, Gcra};
use super::local::LocalLimiter;
use super::{Fingerprint, Limiter, Millis, Rule, Wait, WhenDown, fingerprint};
use crate::kernel::Result;
use crate::platform::link::{self, Backoff};

/// How long a request waits for the shared count before it is counted here.
const CHECK_WITHIN: Duration = Duration::from_millis(50);

/// Counts in Redis, together with all other instances.
pub struct RedisLimiter {
    shared: Arc<Shared>,
    local: LocalLimiter,
    ahead: Ahead,
    _stop_on_drop: DropGuard,
}

struct Shared {
    client: Client,
    prefix: String,
    script: Script,
    link: Mutex<Option<Link>>,
}

/// A connection that works, as far as anybody knows.
#[derive(Clone)]
struct Link {
    connection: MultiplexedConnection,
    /// Cancelled by the first check that it fails.
    broken: CancellationToken,
}

impl RedisLimiter {
    /// Starts connecting and returns at once, counting in the process until that is done. Fails only when `url` is not an
    /// address. `prefix` keeps installations that share a server apart; `instance` is new for each process; `now` is the
    /// clock of the local count. Needs a tokio runtime around it.
    pub fn start(url: &str, prefix: &str, instance: Uuid, now: Millis) -> Result<Self> {
        let shared = Arc::new(Shared {
            client: link::client(url)?,
            prefix: format!("{prefix}:limit:"),
            script: Script::new(include_str!("gcra.lua")),
            link: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let keeper = keep_connected(Arc::clone(&shared), Backoff::new(instance));
        tokio::spawn(stop.clone().run_until_cancelled_owned(keeper));
        Ok(RedisLimiter {
            shared,
            local: LocalLimiter::new(now),
            ahead: Ahead::default(),
            _stop_on_drop: stop.drop_guard(),
        })
    }

    /// Whether checks are counted together with the other instances right now.
    pub fn is_connected(&self) -> bool {
        self.shared.link().is_some()
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn check(&self, key: &str, rule: Rule, cost: u32, fallback: WhenDown) -> Result<(), Wait> {
        let (key, question) = (fingerprint(key), Gcra::new(rule, cost));
        match (self.ask(&key, rule, cost, question).await, fallback) {
            (Some(answer), _) => {
                answer?;
                // What passed is counted here too: so an outage does not hand everybody a fresh burst.
                let _ = self.local.ask(&key, question);
                Ok(())
            }
            (None, WhenDown::Local) => self.local.ask(&key, question),
        }
    }
}

impl RedisLimiter {
    /// The shared answer, or one that was given ahead; `None` when there is none in time.
    async fn ask(&self, key: &Fingerprint, rule: Rule, cost: u32, question: Gcra) -> Option<Result<(), Wait>> {
        if cost == 1 && self.is_connected() {
            match self.ahead.spend(key, rule, Instant::now()) {
                Ok(()) => return Some(Ok(())),
                Err(1) => {}
                Err(many) => {
                    let answer = self.shared.ask(key, Gcra::new(rule, many)).await;
                    let has_passed = matches!(answer, Some(Ok(())));
                    self.ahead.keep(key, if has_passed { many - 1 } else { 0 });
                    if has_passed || answer.is_none() {
                        return answer;
                    }
                }
            }
        }
        let answer = self.shared.ask(key, question).await?;
        // The bucket may be empty because somebody has taken several just now.
        let is_spent = answer.is_err() && cost == 1 && self.ahead.spend_left(key, Instant::now());
        Some(if is_spent { Ok(()) } else { answer })
    }
}

impl Shared {
    /// The shared answer; `None` when there is none in time.
    async fn ask(&self, key: &Fingerprint, question: Gcra) -> Option<Result<(), Wait>> {
        let mut link = self.link().clone()?;
        match link::within(CHECK_WITHIN, self.run(&mut link.connection, key, question)).await {
            Ok(0) => Some(Ok(())),
            Ok(micros) => Some(Err(gcra::wait(micros))),
            Err(cause) => {
                if !link.broken.is_cancelled() {
                    tracing::warn!(%cause, "shared limits cannot be reached; each instance counts for itself");
                    link.broken.cancel();
                }
                None
            }
        }
    }

    async fn run(&self, connection: &mut MultiplexedConnection, key: &Fingerprint, question: Gcra) -> RedisResult<i64> {
        let key = format!("{}{:032x}", self.prefix, u128::from_be_bytes(*key));
        let mut call = self.script.key(key);
        call.arg(question.increment).arg(question.capacity).invoke_async(connection).await
    }

    fn link(&self) -> MutexGuard<'_, Option<Link>> {
        // No code that holds the lock can leave the option half changed.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces the connection whenever a check finds it broken.
async fn keep_connected(shared: Arc<Shared>, mut backoff: Backoff) {
    loop {
        let mut lived = Duration::ZERO;
        match open(&shared).await {
            Ok(connection) => {
                let (opened, broken) = (Instant::now(), CancellationToken::new());
                *shared.link() = Some(Link { connection, broken: broken.clone() });
                tracing::info!("limits are shared over Redis");
                broken.cancelled().await;
                *shared.link() = None;
                lived = opened.elapsed();
            }
            Err(cause) => tracing::debug!(%cause, "Redis cannot be reached"),
        }
        sleep(backoff.after(lived)).await;
    }
}

/// Connects and brings the script along, so that no check spends its deadline on that.
async fn open(shared: &Shared) -> RedisResult<MultiplexedConnection> {
    let mut connection = link::connect(&shared.client).await?;
    link::within(link::DEADLINE, shared.script.load_async(&mut connection)).await?;
    Ok(connection)
}
