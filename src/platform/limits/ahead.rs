//! Uses that were taken ahead: whoever comes often does not ask Redis each time.
//!
//! Several uses are taken from the shared bucket at once, and spent here. So no more pass than the rule allows; what is not
//! spent within a second is lost to its owner, at most a twentieth of the burst. Rules with a small burst are counted one
//! by one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Fingerprint, Rule};

/// Who comes again within this time comes often.
const OFTEN: Duration = Duration::from_millis(250);
/// How long what was taken ahead may be spent.
const KEEP: Duration = Duration::from_secs(1);
/// One of so many uses of the burst is taken ahead.
const SHARE: u32 = 20;
/// Uses that are taken at once, at most.
const MOST: u32 = 20;
/// Keys that are kept at once; then those that nobody came back for are forgotten.
const KEYS_MAX: usize = 10_000;

/// What was taken ahead for each key.
#[derive(Default)]
pub struct Ahead(Mutex<HashMap<Fingerprint, Pot>>);

struct Pot {
    left: u32,
    /// Whether there was more than the use at hand.
    was_taken: bool,
    taken_at: Instant,
}

impl Ahead {
    /// Spends a use that was taken before. If there is none, says how many to take now.
    pub fn spend(&self, key: &Fingerprint, rule: Rule, now: Instant) -> Result<(), u32> {
        let most = (rule.burst / SHARE).min(MOST);
        if most < 2 {
            return Err(1);
        }
        let mut pots = self.pots();
        if let Some(pot) = pots.get_mut(key) {
            let age = now.duration_since(pot.taken_at);
            if pot.left > 0 && age < KEEP {
                pot.left -= 1;
                return Ok(());
            }
            // Somebody who has spent all of it in time comes often too.
            let comes_often = age < OFTEN || pot.was_taken && pot.left == 0 && age < KEEP;
            *pot = Pot { left: 0, was_taken: comes_often, taken_at: now };
            return Err(if comes_often { most } else { 1 });
        }
        if pots.len() >= KEYS_MAX {
            pots.retain(|_, pot| now.duration_since(pot.taken_at) < KEEP);
        }
        if pots.len() < KEYS_MAX {
            pots.insert(*key, Pot { left: 0, was_taken: false, taken_at: now });
        }
        Err(1)
    }

    /// Keeps what was taken beyond the use at hand.
    pub fn keep(&self, key: &Fingerprint, more: u32) {
        if let Some(pot) = self.pots().get_mut(key).filter(|_| more > 0) {
            pot.left += more;
        }
    }

    fn pots(&self) -> MutexGuard<'_, HashMap<Fingerprint, Pot>> {
        // No code that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { burst: 100, per_minute: 100 };

    #[tokio::test]
    async fn who_comes_often_takes_several_and_spends_them_in_time() {
        let (ahead, key, now) = (Ahead::default(), [1; 16], Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        assert_eq!(ahead.spend(&key, RULE, at(0)), Err(1), "a first one");
        assert_eq!(ahead.spend(&key, RULE, at(10)), Err(5));
        ahead.keep(&key, 4);
        assert!((0..4).all(|n| ahead.spend(&key, RULE, at(20 + n)).is_ok()));
        assert_eq!(ahead.spend(&key, RULE, at(30)), Err(5));
        ahead.keep(&key, 4);
        assert_eq!(ahead.spend(&key, RULE, at(1_040)), Err(1), "what was taken is too old, and nobody came often");
    }

    #[tokio::test]
    async fn small_bursts_are_counted_one_by_one() {
        let (ahead, now) = (Ahead::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(ahead.spend(&[1; 16], Rule { burst: 30, per_minute: 30 }, now), Err(1));
        }
    }

    #[tokio::test]
    async fn a_flood_of_keys_is_bounded() {
        let (ahead, now) = (Ahead::default(), Instant::now());
        for number in 0..u32::try_from(KEYS_MAX).unwrap() * 2 {
            let mut key = Fingerprint::default();
            key[..4].copy_from_slice(&number.to_be_bytes());
            assert_eq!(ahead.spend(&key, RULE, now), Err(1));
        }
        assert_eq!(ahead.pots().len(), KEYS_MAX);
        assert_eq!(ahead.spend(&[255; 16], RULE, now + KEEP), Err(1));
        assert_eq!(ahead.pots().len(), 1);
    }
}
