//! What the machine gives: the wall clock and randomness. The only place that asks for them.

#![allow(clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::RngCore;

use crate::kernel::id::Entropy;
use crate::kernel::{Clock, Timestamp};

/// The system's clock.
pub fn clock() -> Clock {
    Clock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// A cryptographically secure generator, seeded by the system.
pub fn entropy() -> Entropy {
    Arc::new(|buffer| rand::rng().fill_bytes(buffer))
}

/// A number from 0 up to, and without, `bound`: for jitter.
pub fn jitter(bound: u64) -> u64 {
    if bound == 0 { 0 } else { rand::rng().next_u64() % bound }
}
