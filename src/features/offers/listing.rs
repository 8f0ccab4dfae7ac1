//! How the offers of a job are listed and compared.

use super::{Offer, Party, Status};
use crate::kernel::Money;
use crate::kernel::id::{JobId, UserId};

/// Which offers of a job are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only those that stand here.
    pub status: Option<Status>,
    /// Only those that this side made.
    pub made_by: Option<Party>,
}

/// What offers of a job are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// When they were made.
    #[default]
    Made,
    /// Their price.
    Price,
    /// When they expire.
    End,
}

/// In which order offers of a job are listed: newest first unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Smallest or oldest first.
    pub ascending: bool,
}

impl Sort {
    /// Where an offer stands in this order.
    pub const fn place(self, offer: &Offer) -> i64 {
        match self.key {
            SortKey::Made => offer.created_at.0,
            SortKey::Price => offer.quote.budget.minor,
            SortKey::End => offer.expires_at.0,
        }
    }
}

/// What the pending offers of a job are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The job.
    pub job: JobId,
    /// How many are pending.
    pub pending: i64,
    /// Their prices, if there are any.
    pub prices: Option<Prices>,
}

/// The prices of some offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The lowest.
    pub lowest: Money,
    /// The highest.
    pub highest: Money,
    /// The one in the middle. Between two it is their mean, half a minor unit rounded up.
    pub median: Money,
}

impl Prices {
    /// The prices, with the two in the middle: the same twice when their number is odd.
    pub const fn of(lowest: Money, highest: Money, lower: i64, upper: i64) -> Self {
        let middle = lower + (upper - lower + 1) / 2;
        Prices { lowest, highest, median: Money::new(middle, lowest.currency) }
    }
}

/// Which offers of a job, in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// Only this contractor's; everybody's when absent.
    pub only: Option<UserId>,
    /// Which ones.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Currency;

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        let usd = |minor| Money::new(minor, Currency::parse("USD").unwrap());
        for (lower, upper, median) in [(5, 5, 5), (4, 6, 5), (4, 5, 5), (1, 4, 3), (i64::MAX - 1, i64::MAX, i64::MAX)] {
            assert_eq!(Prices::of(usd(1), usd(9), lower, upper).median, usd(median), "{lower} and {upper}");
        }
    }
}
