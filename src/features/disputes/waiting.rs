//! The alert that a dispute waits for staff: raised when it goes to them, and dismissed when it ends.

use super::Status;
use crate::features::alerts::{self, Kind, NewAlert};
use crate::kernel::Result;
use crate::kernel::id::DisputeId;
use crate::platform::work::Unit;

/// Tells staff that a dispute waits for them.
pub(super) async fn raise(unit: &mut Unit, id: DisputeId) -> Result<()> {
    let body = "Its parties did not agree in time. Propose or decide how to share the escrow.";
    alerts::commands::raise(unit, NewAlert::new(Kind::DisputeEscalated, id.to_string(), body).about(id)).await
}

/// A dispute has ended, having stood at `from`: nobody has to look at it any more.
pub(super) async fn settle(unit: &mut Unit, id: DisputeId, from: Status) -> Result<()> {
    if from != Status::Escalated {
        return Ok(());
    }
    alerts::commands::settle(unit, Kind::DisputeEscalated, &id.to_string()).await
}
