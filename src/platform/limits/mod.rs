//! Limits: how often something may be done.
//!
//! A caller names what is counted with a key (`sign-in:address:192.0.2.7`) and states a [`Rule`]; the limiter answers yes,
//! or how long to wait. Two uses that must not share their count need two keys, whatever their rules are.
//!
//! Every backend counts by the same arithmetic (`gcra.rs`), keeps a bounded state, and is never open: one that cannot
//! reach its server counts in the process.
//!
//! To add a backend: implement [`Limiter`] in a file here, by `gcra.rs`, and add a fixture to
//! `tests/it/contract/limits.rs`.

mod ahead;
mod gcra;
mod local;
mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

pub use self::local::LocalLimiter;
pub use self::redis::RedisLimiter;
use crate::kernel::{Code, Error};

/// Where the time comes from: milliseconds since 1970, UTC.
pub type Millis = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How often something may be done. A zero is read as one: a rule never switches a limit off, and never shuts a door for
/// good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many may come at once after a quiet time.
    pub burst: u32,
    /// How many come back per minute, evenly spread.
    pub per_minute: u32,
}

/// What holds while the shared count cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDown {
    /// Each process counts for itself. Nothing is ever let through uncounted.
    Local,
}

/// A refusal: how long until the same request would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Milliseconds, at least one.
    pub retry_after_ms: u64,
}

/// Counts uses and refuses the ones that are too many.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes `cost` uses of `key` at once, or none of them. A cost above the burst is taken as the whole burst, since it
    /// could never pass otherwise. A refusal costs nothing.
    async fn check(&self, key: &str, rule: Rule, cost: u32, fallback: WhenDown) -> Result<(), Wait>;
}

impl From<Wait> for Error {
    fn from(wait: Wait) -> Self {
        let seconds = wait.retry_after_ms.div_ceil(1_000);
        Error::new(Code::RateLimited, format!("Too many requests. Try again in {seconds} s."))
            .retry_after(wait.retry_after_ms)
    }
}

/// What a key is stored as: bounded whatever the caller puts into it, and silent about addresses of people.
type Fingerprint = [u8; 16];

fn fingerprint(key: &str) -> Fingerprint {
    let mut short = Fingerprint::default();
    short.iter_mut().zip(Sha256::digest(key)).for_each(|(to, from)| *to = from);
    short
}
