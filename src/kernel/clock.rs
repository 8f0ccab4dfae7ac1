//! Time as a value: instants are milliseconds since 1970 in UTC, and the clock is handed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant moved by so many milliseconds.
    pub const fn plus(self, ms: i64) -> Self {
        Timestamp(self.0.saturating_add(ms))
    }

    /// RFC 3339 in UTC with milliseconds, or `None` outside of the years that it can name.
    pub fn rfc3339(self) -> Option<String> {
        DateTime::<Utc>::from_timestamp_millis(self.0).map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Timestamp(at.timestamp_millis()))
    }

    /// Whole seconds, as tokens count them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Where "now" comes from. The system's clock is made by `platform::host`; tests turn their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `source` each time.
    pub fn new(source: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(source))
    }

    /// A clock that stands at the value of `hand` until somebody moves it.
    pub fn manual(hand: Arc<AtomicI64>) -> Self {
        Clock::new(move || Timestamp(hand.load(Ordering::SeqCst)))
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().0)
    }
}

/// Milliseconds in a second.
pub const SECOND: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Milliseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds in a day.
pub const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_with_milliseconds_in_utc() {
        assert_eq!(Timestamp(0).rfc3339().unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::parse("1970-01-01T01:00:00.5+01:00"), Some(Timestamp(500)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn a_manual_clock_stands_until_moved() {
        let hand = Arc::new(AtomicI64::new(5));
        let clock = Clock::manual(hand.clone());
        assert_eq!(clock.now(), Timestamp(5));
        hand.store(9, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp(9));
    }
}
