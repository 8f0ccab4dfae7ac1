//! The proof of the ledger: that no money was made or lost, and that no sealed day was touched.
//!
//! It reads the tables themselves, in one snapshot, and not what their features say of them: a proof must not believe the
//! code that it checks. So `store` holds statements over the tables of the wallet, of offers and of bookings; it writes
//! only its own, the seals and the proofs. What a state means for money is still said in one place, by the feature:
//! [`Status::keeps_escrow`](crate::features::bookings::Status::keeps_escrow).
//!
//! Each day is **sealed** an hour after its end: a hash over its transfers and over the seal before. Every night the
//! chain goes on, everything is proved, and a finding freezes payouts. To add a check: a statement in `store::checks`, a
//! member of [`Check`] and its line in `queries::CHECKS`.

pub mod commands;
pub mod model;
pub mod queries;
pub mod seals;
mod store;

pub use model::{Check, Outcome, Proof};
