//! Uses that were taken ahead: whoever comes often does not ask Redis each time.
//!
//! Several uses are taken from the shared bucket at once, and spent here. So no more pass than the rule allows; what is not
//! spent within a second is lost to its owner. Therefore as many are taken as were spent of the last ones, and half as
//! many more only when those did not suffice: at most a twentieth of the burst. Rules with a small burst are counted one by
//! one.

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
    /// Uses that were taken at once.
    taken: u32,
    /// Those that are not spent yet.
    left: u32,
    taken_at: Instant,
    /// Whether several were asked for and the answer is not there yet: whoever comes meanwhile takes one.
    is_asking: bool,
}

impl Pot {
    /// Spends one of those that are left, if they may still be spent.
    fn spend(&mut self, now: Instant) -> bool {
        let may = self.left > 0 && now.duration_since(self.taken_at) < KEEP;
        self.left -= u32::from(may);
        may
    }

    /// How many to take next.
    fn next(&self, now: Instant) -> u32 {
        let age = now.duration_since(self.taken_at);
        if self.left == 0 && age < if self.taken == 1 { OFTEN } else { KEEP } {
            return self.taken + self.taken.div_ceil(2);
        }
        if age < 2 * KEEP { self.taken.saturating_sub(self.left) } else { 1 }
    }
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
            if pot.spend(now) {
                return Ok(());
            }
            // One who asked and is gone does not keep others from asking.
            if pot.is_asking && now.duration_since(pot.taken_at) < KEEP {
                return Err(1);
            }
            let taken = pot.next(now).clamp(1, most);
            *pot = Pot { taken, left: 0, taken_at: now, is_asking: taken > 1 };
            return Err(taken);
        }
        if pots.len() >= KEYS_MAX {
            pots.retain(|_, pot| now.duration_since(pot.taken_at) < KEEP);
        }
        if pots.len() < KEYS_MAX {
            pots.insert(*key, Pot { taken: 1, left: 0, taken_at: now, is_asking: false });
        }
        Err(1)
    }

    /// Spends a use that somebody else took meanwhile.
    pub fn spend_left(&self, key: &Fingerprint, now: Instant) -> bool {
        self.pots().get_mut(key).is_some_and(|pot| pot.spend(now))
    }

    /// Keeps what was taken beyond the use at hand: nothing, if it was refused.
    pub fn keep(&self, key: &Fingerprint, more: u32) {
        if let Some(pot) = self.pots().get_mut(key) {
            pot.left = more;
            pot.is_asking = false;
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
        for (ms, many) in [(10, 2), (20, 3), (30, 5), (40, 5)] {
            assert_eq!(ahead.spend(&key, RULE, at(ms)), Err(many));
            ahead.keep(&key, many - 1);
            assert!((1..many).all(|n| ahead.spend(&key, RULE, at(ms + u64::from(n))).is_ok()));
        }
        assert!(!ahead.spend_left(&key, at(50)));
        assert_eq!(ahead.spend(&key, RULE, at(50)), Err(5));
        ahead.keep(&key, 4);
        assert!(ahead.spend_left(&key, at(60)));
        assert_eq!(ahead.spend(&key, RULE, at(1_060)), Err(2), "as many as were spent; the rest is too old");
        assert_eq!(ahead.spend(&key, RULE, at(9_000)), Err(1), "nobody came often");
    }

    /// What is taken and never spent is lost: it must stay little, at every pace.
    #[tokio::test]
    async fn little_is_lost_at_any_pace() {
        for pause in [5, 40, 90, 150, 200, 240, 300, 900] {
            let (ahead, key, now) = (Ahead::default(), [1; 16], Instant::now());
            let (mut uses, mut taken) = (0, 0);
            for turn in 0..(60_000 / pause) {
                uses += 1;
                if let Err(many) =
                    ahead.spend(&key, Rule { burst: 600, per_minute: 600 }, now + Duration::from_millis(turn * pause))
                {
                    taken += many;
                    ahead.keep(&key, many - 1);
                }
            }
            assert!(taken * 4 <= uses * 5 + 40, "one each {pause} ms: {taken} taken for {uses}");
        }
    }

    #[tokio::test]
    async fn of_many_at_once_one_takes_several() {
        let (ahead, key, begun) = (Ahead::default(), [1; 16], Instant::now());
        let (mut uses, mut taken) = (0, 0);
        for turn in 0..40 {
            let now = begun + Duration::from_millis(turn * 1_500);
            let asked: Vec<_> = (0..8).filter_map(|_| ahead.spend(&key, RULE, now).err()).collect();
            uses += 8;
            taken += asked.iter().sum::<u32>();
            asked.iter().filter(|many| **many > 1).for_each(|many| ahead.keep(&key, many - 1));
        }
        assert!(taken * 4 <= uses * 5, "{taken} taken for {uses}");
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
