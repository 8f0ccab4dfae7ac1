//! The limiter of a single process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::gcra::Gcra;
use super::{Fingerprint, Limiter, Millis, Rule, Wait, WhenDown, fingerprint};

/// How many keys are counted at once: a few megabytes.
const MOST_KEYS: usize = 100_000;
/// How many are left when there were too many.
const KEYS_TO_KEEP: usize = MOST_KEYS / 4 * 3;

/// Counts in this process.
pub struct LocalLimiter {
    now: Millis,
    buckets: Mutex<Buckets>,
}

/// For each key the instant, in microseconds, at which its bucket is full again.
#[derive(Default)]
struct Buckets(HashMap<Fingerprint, i64>);

impl LocalLimiter {
    /// A limiter that has seen nothing yet.
    pub fn new(now: Millis) -> Self {
        LocalLimiter { now, buckets: Mutex::default() }
    }

    /// [`Limiter::check`], which never has to wait here.
    pub(super) fn ask(&self, key: &Fingerprint, question: Gcra) -> Result<(), Wait> {
        let now = (self.now)() * 1_000;
        // No code that holds the lock can leave the map half changed.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).ask(key, question, now)
    }
}

#[async_trait]
impl Limiter for LocalLimiter {
    async fn check(&self, key: &str, rule: Rule, cost: u32, _: WhenDown) -> Result<(), Wait> {
        self.ask(&fingerprint(key), Gcra::new(rule, cost))
    }
}

impl Buckets {
    fn ask(&mut self, key: &Fingerprint, question: Gcra, now: i64) -> Result<(), Wait> {
        if let Some(stored) = self.0.get_mut(key) {
            *stored = question.ask(*stored, now)?;
            return Ok(());
        }
        let full_at = question.ask(now, now)?;
        if self.0.len() >= MOST_KEYS {
            self.make_room(now);
        }
        self.0.insert(*key, full_at);
        Ok(())
    }

    /// Forgets the idle keys, which changes nothing, and if that is not enough those nearest to it. So whoever floods
    /// the map with new keys pushes out their own, not the exhausted one of the account under attack.
    fn make_room(&mut self, now: i64) {
        self.0.retain(|_, full_at| *full_at > now);
        let Some(surplus) = self.0.len().checked_sub(KEYS_TO_KEEP).filter(|surplus| *surplus > 0) else { return };
        let mut instants: Vec<i64> = self.0.values().copied().collect();
        let (_, last_to_go, _) = instants.select_nth_unstable(surplus - 1);
        let (last_to_go, mut left) = (*last_to_go, surplus);
        self.0.retain(|_, full_at| {
            let goes = left > 0 && *full_at <= last_to_go;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_keys_is_bounded_and_spares_the_exhausted_one() {
        let rule = Rule { burst: 10, per_minute: 10 };
        let mut buckets = Buckets::default();
        let victim = fingerprint("victim");
        assert!(buckets.ask(&victim, Gcra::new(rule, 10), 0).is_ok());
        for number in 0..MOST_KEYS * 2 {
            let mut key = Fingerprint::default();
            key[..8].copy_from_slice(&number.to_be_bytes());
            assert!(buckets.ask(&key, Gcra::new(rule, 1), 0).is_ok());
            assert!(buckets.0.len() <= MOST_KEYS);
        }
        assert!(buckets.ask(&victim, Gcra::new(rule, 1), 0).is_err());
    }

    #[test]
    fn idle_keys_go_first() {
        let rule = Rule { burst: 1, per_minute: 60 };
        let mut buckets = Buckets::default();
        for number in 0..MOST_KEYS {
            let mut key = Fingerprint::default();
            key[..8].copy_from_slice(&number.to_be_bytes());
            assert!(buckets.ask(&key, Gcra::new(rule, 1), 0).is_ok());
        }
        assert!(buckets.ask(&fingerprint("late"), Gcra::new(rule, 1), 1_000_000).is_ok());
        assert_eq!(buckets.0.len(), 1);
    }
}
