//! Bookings: the contract that an accepted offer becomes, and its life until the money is released.
//!
//! Accepting an offer is a command here, since it writes offers, jobs, money, conversation and booking in one unit of
//! work. [`outcomes`] says as data who gets what when a booking is cancelled.
//!
//! To add a step: the pair in `Status::LIFE`, a command that locks the booking, takes the step and moves the money, and
//! the fact in [`events`].

pub mod commands;
pub mod events;
pub mod model;
pub mod outcomes;
pub mod queries;
mod store;

pub use model::{Booking, Party, Status};
