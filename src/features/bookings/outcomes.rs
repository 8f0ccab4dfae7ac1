//! Who gets what when a booking is cancelled: one table, for the code and for whoever asks.
//!
//! | status | by the customer | by the contractor |
//! |---|---|---|
//! | CONFIRMED | price back, fee kept | price and fee back |
//! | IN_PROGRESS and later | only by agreement, staff or dispute | the same |

use super::{Party, Status};
use crate::kernel::{Error, Result};

/// What a cancellation pays back to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The platform fee as well as the price.
    pub with_fee: bool,
}

/// The table.
const CANCELLATIONS: [(Status, Party, Refund); 2] = [
    (Status::Confirmed, Party::Customer, Refund { with_fee: false }),
    (Status::Confirmed, Party::Contractor, Refund { with_fee: true }),
];

/// What a party's cancellation pays back, or why it may not cancel.
pub fn cancellation(status: Status, by: Party) -> Result<Refund> {
    let row = CANCELLATIONS.iter().find(|(from, party, _)| *from == status && *party == by);
    row.map(|(_, _, refund)| *refund).ok_or_else(|| match status {
        Status::InProgress | Status::Delivered => Error::conflict(
            "Work has begun: this booking can only be cancelled by agreement, by staff or in a dispute.",
        ),
        other => Error::conflict(format!("A booking that is {} cannot be cancelled.", other.name())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_answers_for_every_state_and_party() {
        for status in Status::ALL {
            for (party, with_fee) in [(Party::Customer, false), (Party::Contractor, true)] {
                match cancellation(status, party) {
                    Ok(refund) => assert_eq!((status, refund), (Status::Confirmed, Refund { with_fee })),
                    Err(_) => assert_ne!(status, Status::Confirmed),
                }
            }
        }
    }
}
