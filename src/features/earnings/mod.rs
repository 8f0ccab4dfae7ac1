//! Earnings: what contractors made. A projection of completed bookings: nobody writes them by hand, and each commits with
//! the completion that caused it.

pub mod events;
pub mod model;
pub mod projection;
pub mod queries;
mod store;

pub use model::Earning;
