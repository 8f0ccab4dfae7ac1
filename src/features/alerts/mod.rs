//! Alerts: what staff must hear of, such as books that do not add up, or a dispute that waits for a decision.
//!
//! Whoever notices raises one in its own unit of work with [`commands::raise`]. As long as nobody has dismissed it, the
//! same cause renews the same row, and staff are told again at most once a minute: a storm is one line. Where the cause
//! ends by itself, [`commands::settle`] dismisses it.
//!
//! To add one: a line in `KINDS` of `model.rs`, its value in `schema/alerts.rs`, and a call of `raise`.

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{Alert, Filter, Kind, Level, NewAlert};
