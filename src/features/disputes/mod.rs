//! Disputes: the two parties of a booking disagree. Its money is frozen at once, and so are its timers.
//!
//! A dispute begins OPEN, with a deadline: the two make proposals and agree, or it goes to staff, ESCALATED. Moderators
//! propose as well, administrators decide. Each proposal takes the place of the one before and can be accepted for some
//! days. It ends in a split of the escrow that is posted at once, or it is withdrawn and the booking goes on. While it goes
//! on both parties add files to it, which the other one and staff see: [`evidence`].
//!
//! Everything that happens to a dispute locks its booking first: of several endings at once one is done.
//!
//! To add a step: a row in [`LIFE`], its outcome in the wallet's table, a command, and a line in [`preview`].

pub mod commands;
pub mod events;
pub mod evidence;
pub mod model;
pub mod preview;
pub mod queries;
mod store;
mod waiting;

pub use evidence::{AddEvidence, Audience, Evidence, EvidenceOf};
pub use model::{Decide, Dispute, Ending, LIFE, NewDispute, Proposal, Propose, Reason, Status};
