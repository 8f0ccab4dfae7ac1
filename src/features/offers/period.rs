//! When work takes place, as two people agree on it: part of an offer, of its booking, and of changes of a booking.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::DAY;
use crate::kernel::{Code, Error, Result, Timestamp};
use crate::platform::Platform;

/// From when until when work takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// How long after its beginning somebody may still agree to a time, in milliseconds, unless it ends before.
const AGREED_LATE_MS: i64 = DAY;

impl Period {
    /// A period that was stored as two instants, both of which may be missing.
    pub fn stored(starts_at: Option<Timestamp>, ends_at: Option<Timestamp>) -> Option<Self> {
        starts_at.zip(ends_at).map(|(starts_at, ends_at)| Period { starts_at, ends_at })
    }

    /// Refuses one that ends before it has begun, begins before `earliest`, or ends behind the horizon.
    pub fn within(self, earliest: Timestamp, horizon: Horizon, now: Timestamp) -> Result<Self> {
        if self.ends_at <= self.starts_at {
            let message = "Work ends after it has begun; give a later end.";
            return Err(Error::new(Code::PeriodReversed, message).at("period.endsAt"));
        }
        if self.starts_at < earliest {
            return Err(Error::new(Code::PeriodPast, "This is over already; give a later start.").at("period.startsAt"));
        }
        if self.ends_at <= now {
            return Err(Error::new(Code::PeriodPast, "This is over already; give a later end.").at("period.endsAt"));
        }
        if self.ends_at > now.plus(horizon.days * DAY) {
            let message = format!("Nothing is agreed for more than {} days ahead; give an earlier end.", horizon.days);
            return Err(Error::new(Code::PeriodTooFar, message).at("period.endsAt"));
        }
        Ok(self)
    }

    /// Until when somebody may agree to begin then: not after its end, and at most a day after its beginning.
    pub fn answer_by(self) -> Timestamp {
        self.starts_at.plus(AGREED_LATE_MS).min(self.ends_at)
    }
}

/// How far ahead work may be agreed for.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    days: i64,
}

impl Horizon {
    /// As the settings say it.
    pub fn of(platform: &Platform) -> Self {
        Horizon { days: platform.config.offers.horizon_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_lies_ahead_and_not_too_far() {
        let (now, horizon) = (Timestamp(1_000 * DAY), Horizon { days: 10 });
        let refusal = |from: i64, until: i64| {
            let period = Period { starts_at: now.plus(from), ends_at: now.plus(until) };
            let error = period.within(now, horizon, now).err()?;
            Some((error.code, error.field.unwrap_or_default().join(".")))
        };
        let at = |code, end: &str| Some((code, format!("period.{end}")));
        assert_eq!(refusal(0, 1), None, "it may begin at once");
        assert_eq!(refusal(0, 10 * DAY), None);
        assert_eq!(refusal(0, 10 * DAY + 1), at(Code::PeriodTooFar, "endsAt"));
        assert_eq!(refusal(5, 5), at(Code::PeriodReversed, "endsAt"));
        assert_eq!(refusal(i64::MAX, i64::MIN), at(Code::PeriodReversed, "endsAt"));
        assert_eq!(refusal(-1, 1), at(Code::PeriodPast, "startsAt"));
        let begun = Period { starts_at: now.plus(-5), ends_at: now };
        assert_eq!(begun.within(now.plus(-5), horizon, now).unwrap_err().code, Code::PeriodPast);
        assert!(Period { ends_at: now.plus(1), ..begun }.within(now.plus(-5), horizon, now).is_ok());
    }

    #[test]
    fn an_answer_comes_a_day_after_the_beginning_at_the_latest() {
        let period = |hours: i64| Period { starts_at: Timestamp(0), ends_at: Timestamp(hours * DAY / 24) };
        assert_eq!(period(2).answer_by(), Timestamp(DAY / 12));
        assert_eq!(period(48).answer_by(), Timestamp(DAY));
    }
}
