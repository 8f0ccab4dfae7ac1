//! The facts that disputes state. Both parties hear of all of them.

use super::{Dispute, Status};
use crate::kernel::Result;
use crate::platform::streams::{Draft, Step};

/// The subscription that shows them.
pub const NOUN: &str = "dispute";
/// A dispute was opened.
pub const OPENED: &str = "DisputeOpened";
/// Somebody made a proposal.
pub const PROPOSED: &str = "DisputeProposed";
/// One party agrees to what staff propose, and the other has not yet.
pub const ACCEPTED: &str = "DisputeProposalAccepted";
/// A party added files.
pub const EVIDENCE_ADDED: &str = "DisputeEvidenceAdded";
/// A dispute went to staff, or it ended.
pub const STATUS_CHANGED: &str = "DisputeStatusChanged";

/// Something of one of these kinds happened to a dispute.
pub fn happened(kind: &'static str, dispute: &Dispute) -> Draft {
    Draft::new(NOUN, kind, dispute.id, dispute.version).to(dispute.parties())
}

/// A dispute took a step.
pub fn status_changed(dispute: &Dispute, from: Status) -> Result<Draft> {
    happened(STATUS_CHANGED, dispute).facts(&Step::new(from.name(), dispute.status.name()))
}
