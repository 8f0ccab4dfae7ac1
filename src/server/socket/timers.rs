//! When a socket's loop wakes by itself: one timer for everything.

use std::time::Duration;

use tokio::time::Instant;

use crate::platform::host;
use crate::server::live::LiveLimits;

/// The times that a socket waits for.
pub struct Timers {
    /// When the init must have come; afterwards, the next sign of life.
    pub beat_at: Instant,
    /// The next look at the session and at quiet views.
    pub sweep_at: Instant,
    /// When it is noted next that the session is in use, at the sweep behind it.
    pub use_at: Instant,
    /// Whether the session is to be looked at with the next sweep.
    pub must_look: bool,
    /// When the socket is closed because the server stops.
    pub leave_at: Option<Instant>,
}

impl Timers {
    /// For a socket that was just opened.
    pub fn new(limits: &LiveLimits) -> Self {
        let now = Instant::now();
        Timers {
            beat_at: now + limits.init,
            sweep_at: now + limits.sweep,
            use_at: now + limits.noted,
            must_look: false,
            leave_at: None,
        }
    }

    /// The next time, at most `until`.
    pub fn next(&self, until: Option<Instant>) -> Instant {
        let first = self.beat_at.min(self.sweep_at);
        [self.leave_at, until].into_iter().flatten().fold(first, Instant::min)
    }

    /// The sweep after this one: a little sooner than `every`, so that sockets that were opened together drift apart.
    pub fn sweep_in(&mut self, every: Duration) {
        self.sweep_at = Instant::now() + every - jitter(every / 5);
    }

    /// The next sweep within `at_most`.
    pub fn sweep_soon(&mut self, at_most: Duration) {
        self.sweep_at = self.sweep_at.min(Instant::now() + at_most);
    }
}

/// A random time below `bound`.
pub fn jitter(bound: Duration) -> Duration {
    Duration::from_millis(host::jitter(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)))
}
