//! Every night at 01:00 UTC: seals the day that is over, and proves the books.

use super::recurring::Recurring;
use crate::features::proof::{commands, seals};
use crate::kernel::Timestamp;
use crate::kernel::clock::DAY;

/// The night's work on the ledger.
pub(super) const PROOF: Recurring = Recurring {
    name: "ledger.nightly",
    next,
    work: |platform, caller| Box::pin(async move { commands::nightly(platform, caller).await.map(drop) }),
};

/// The next time of night.
fn next(now: Timestamp) -> Timestamp {
    let tonight = now.day().plus(seals::SEALED_AFTER_MS);
    if now < tonight { tonight } else { tonight.plus(DAY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_an_hour_after_midnight() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(next(at("2026-03-01T00:59:59.999Z")), at("2026-03-01T01:00:00Z"));
        assert_eq!(next(at("2026-03-01T01:00:00Z")), at("2026-03-02T01:00:00Z"));
    }
}
