//! Time as a value: instants are milliseconds since 1970 in UTC, and the clock is handed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, SecondsFormat, Utc};
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

impl Timestamp {
    /// The first instant of its day, in UTC.
    pub const fn day(self) -> Self {
        Timestamp(self.0.div_euclid(DAY) * DAY)
    }
}

/// A month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first instant.
    pub begins_at: Timestamp,
    /// The first instant of the next one.
    pub ends_at: Timestamp,
    first: NaiveDate,
}

impl Month {
    /// Reads a month such as `2026-03`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.split_once('-')?;
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || number.len() != 2 || !all_digits(year) || !all_digits(number) {
            return None;
        }
        Self::from(NaiveDate::from_ymd_opt(year.parse().ok()?, number.parse().ok()?, 1)?)
    }

    /// The month of an instant.
    pub fn of(at: Timestamp) -> Self {
        let first = DateTime::<Utc>::from_timestamp_millis(at.0).and_then(|at| at.date_naive().with_day(1));
        first.and_then(Self::from).unwrap_or(Month { begins_at: at, ends_at: at, first: NaiveDate::MIN })
    }

    fn from(first: NaiveDate) -> Option<Self> {
        let instant = |day: NaiveDate| Timestamp(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis());
        let next = first.checked_add_months(Months::new(1))?;
        Some(Month { begins_at: instant(first), ends_at: instant(next), first })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.format("%Y-%m"))
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
    fn months_go_from_their_first_instant_to_that_of_the_next() {
        let december = Month::parse("2026-12").unwrap();
        assert_eq!(december.begins_at.rfc3339().unwrap(), "2026-12-01T00:00:00.000Z");
        assert_eq!(december.ends_at.rfc3339().unwrap(), "2027-01-01T00:00:00.000Z");
        assert_eq!(Month::of(december.ends_at.plus(-1)), december);
        assert_eq!(Month::of(december.ends_at).to_string(), "2027-01");
        for bad in ["", "2026", "2026-13", "2026-00", "26-12", "2026-1", "2026-12-01", "+026-12", "2026-+1"] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
        assert_eq!(december.begins_at.plus(5).day(), december.begins_at);
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
