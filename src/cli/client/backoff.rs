//! How long to wait before the next attempt.

use std::time::Duration;

use crate::platform::host;

/// The longest wait.
const CAP_MS: u64 = 30_000;
/// The first wait is chosen below this, and above its half.
const FIRST_MS: u64 = 2_000;

/// Waits that double from between 1 and 2 seconds up to between 15 and 30, each chosen by chance within its half: after an
/// outage not everybody comes back in the same moment.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// The next wait.
    pub fn next(&mut self) -> Duration {
        let bound = FIRST_MS.saturating_mul(1 << self.0.min(16)).min(CAP_MS);
        self.0 += 1;
        Duration::from_millis(bound / 2 + host::jitter(bound / 2))
    }

    /// An attempt went well.
    pub fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_chance_up_to_the_cap() {
        for _ in 0..100 {
            let mut backoff = Backoff::default();
            for (low, high) in [(1_000, 2_000), (2_000, 4_000), (4_000, 8_000), (8_000, 16_000), (15_000, 30_000)] {
                let wait = backoff.next().as_millis();
                assert!((low..high).contains(&wait), "{wait} is not in {low}..{high}");
            }
            for _ in 0..100 {
                assert!((15_000..30_000).contains(&backoff.next().as_millis()));
            }
            backoff.reset();
            assert!(backoff.next().as_millis() < 2_000);
        }
    }
}
