//! The arithmetic of all limiters: the generic cell rate algorithm, a leaky bucket in one number.
//!
//! The number is the instant at which the bucket will be full again. A use pushes it `interval` further away; when it
//! would be more than a whole bucket away, the use is refused until it is not. An instant in the past means a full bucket,
//! the same as no number at all, so idle keys can be forgotten. `gcra.lua` has the same five lines.

use super::{Rule, Wait};

/// One minute in the unit of this file, microseconds: fine enough for any rate to divide without drifting.
const MINUTE: i64 = 60_000_000;

/// A question to a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Gcra {
    /// What the use takes, in microseconds of refilling.
    pub increment: i64,
    /// What the whole bucket holds.
    pub capacity: i64,
}

impl Gcra {
    /// The question whether `cost` uses may pass under `rule`.
    pub fn new(rule: Rule, cost: u32) -> Self {
        let interval = (MINUTE / i64::from(rule.per_minute.max(1))).max(1);
        let burst = rule.burst.max(1);
        Gcra { increment: interval * i64::from(cost.min(burst)), capacity: interval * i64::from(burst) }
    }

    /// The new number when the use passes at `now`, given the one stored.
    pub fn ask(self, stored: i64, now: i64) -> Result<i64, Wait> {
        // Further away than a whole bucket is never stored: it means that the clock went back or that the rule changed,
        // and must not shut the key out for longer than an empty bucket does.
        let full_at = stored.clamp(now, now + self.capacity) + self.increment;
        match full_at - self.capacity - now {
            excess @ 1.. => Err(wait(excess)),
            _ => Ok(full_at),
        }
    }
}

/// Microseconds of waiting as an answer, never too short.
pub fn wait(micros: i64) -> Wait {
    Wait { retry_after_ms: micros.unsigned_abs().div_ceil(1_000) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let question = Gcra::new(Rule { burst: 3, per_minute: 60 }, 1);
        let now = 1_700_000_000_000_000;
        let mut stored = 0;
        for _ in 0..3 {
            stored = question.ask(stored, now).unwrap();
        }
        assert_eq!(question.ask(stored, now), Err(Wait { retry_after_ms: 1_000 }));
        assert_eq!(question.ask(stored, now + 999_999), Err(Wait { retry_after_ms: 1 }));
        assert!(question.ask(stored, now + 1_000_000).is_ok());
    }

    #[test]
    fn a_clock_that_goes_back_does_not_shut_out() {
        let question = Gcra::new(Rule { burst: 1, per_minute: 60 }, 1);
        assert_eq!(question.ask(i64::MAX / 2, 0), Err(Wait { retry_after_ms: 1_000 }));
    }

    #[test]
    fn zeros_are_read_as_ones() {
        let question = Gcra::new(Rule { burst: 0, per_minute: 0 }, 1);
        let stored = question.ask(0, 0).unwrap();
        assert_eq!(question.ask(stored, 0), Err(Wait { retry_after_ms: 60_000 }));
    }

    proptest! {
        #[test]
        fn the_wait_is_exactly_long_enough(
            burst in 0..1_000_u32, per_minute in 0..100_000_u32, cost in 1..2_000_u32, steps in prop::collection::vec(0..500_000_i64, 1..50),
        ) {
            let question = Gcra::new(Rule { burst, per_minute }, cost);
            let (mut now, mut stored) = (1_000_000_000, 0);
            for step in steps {
                now += step;
                match question.ask(stored, now) {
                    Ok(next) => stored = next,
                    Err(Wait { retry_after_ms }) => {
                        let after = i64::try_from(retry_after_ms).unwrap() * 1_000;
                        prop_assert!(question.ask(stored, now + after).is_ok());
                        prop_assert!(question.ask(stored, now + after - 1_000).is_err());
                    }
                }
            }
        }

        #[test]
        fn no_rule_overflows(burst: u32, per_minute: u32, cost: u32, stored: i64, now in 0..4_000_000_000_000_000_i64) {
            let _ = Gcra::new(Rule { burst, per_minute }, cost).ask(stored, now);
        }
    }
}
