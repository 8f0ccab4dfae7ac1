//! Earnings: what contractors made. A projection of completed bookings: nobody writes them by hand, and each commits
//! with the completion that caused it.
//!
//! [`projection`] runs inside the unit of work that completes the booking. To add another thing that follows from an
//! event, write a function like it and name it in [`PROJECTIONS`](super::PROJECTIONS).

pub mod events;
pub mod model;
pub mod projection;
pub mod queries;
mod store;

pub use model::Earning;
