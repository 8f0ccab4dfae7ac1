//! The facts that changes state, among those of their booking. Both parties hear of all of them.

use super::{Change, Status};
use crate::features::bookings::events::NOUN;
use crate::kernel::Result;
use crate::platform::streams::{Draft, Step};

/// Somebody proposes a change.
pub const PROPOSED: &str = "BookingChangeProposed";
/// A change took a step in its life: it ended.
pub const STATUS_CHANGED: &str = "BookingChangeStatusChanged";

/// Somebody proposes a change.
pub fn proposed(change: &Change) -> Draft {
    Draft::new(NOUN, PROPOSED, change.id, change.version).about(change.booking).to(change.parties())
}

/// A change ended.
pub fn ended(change: &Change) -> Result<Draft> {
    let step = Step::new(Status::Pending.name(), change.status.name());
    Draft::new(NOUN, STATUS_CHANGED, change.id, change.version).about(change.booking).to(change.parties()).facts(&step)
}
