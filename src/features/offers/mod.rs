//! Offers: a price for a job, by either side.
//!
//! A customer's offer holds the price and the fee while it is pending; a contractor's costs nothing until it is
//! accepted. Declining, withdrawing and expiry free the hold. Accepting makes a booking, so that it is a command of
//! `bookings`; [`settling::decide`] is its hand here. [`settling`] ends all offers of a job at once, [`counter`] answers one
//! with another. An offer may name a [`period`] for the work. Offers are sealed: only the job's customer, the offer's
//! contractor and staff see one.
//!
//! To add a way for an offer to end: a status and a row of [`LIFE`] in [`model`], what it does to the money in the
//! wallet's `outcomes`, a command, and the fact in [`events`]. What shall happen later by itself is a task; see
//! [`model::EXPIRE`].

pub mod commands;
pub mod counter;
pub mod events;
pub mod listing;
pub mod model;
mod party;
pub mod period;
pub mod queries;
pub mod settling;
mod store;

pub use listing::{Filter, Prices, Sort, SortKey, Summary, View};
pub use model::{LIFE, NewCounter, NewOffer, Offer, Reason, Status};
pub use party::Party;
pub use period::{Horizon, Period};
