//! Offers: a price for a job, by either side.
//!
//! A customer's offer holds the price and the fee while it is pending; a contractor's costs nothing until it is
//! accepted. Declining, withdrawing and expiry free the hold. Accepting makes a booking, so that it is a command of
//! `bookings`; [`commands::decide`] is its hand here. Offers are sealed: only the job's customer, the offer's
//! contractor and staff see one.
//!
//! To add a way for an offer to end: a status and a row of [`LIFE`] in [`model`], what it does to the money in the
//! wallet's `outcomes`, a command, and the fact in [`events`]. What shall happen later by itself is a task; see
//! [`model::EXPIRE`].

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{LIFE, NewOffer, Offer, Side, Status};
