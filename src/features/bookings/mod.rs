//! Bookings: the contract that an accepted offer becomes, and its life until the money is released.
//!
//! Accepting an offer is a command here, since it writes offers, jobs, money, conversation and booking in one unit of
//! work. The wallet's `outcomes` say as data what each step does to the money.
//!
//! A booking that nobody moves on is ended by [`timers`], which also pay for what was put off. What a dispute freezes and
//! leaves is in [`disputed`], and what a change replaces in [`changed`].
//!
//! To add a step: a row in [`LIFE`], its outcome in the wallet's table, a command that locks the booking and takes the
//! step, the fact in [`events`], and a line in [`preview`].

pub mod changed;
pub mod commands;
pub mod disputed;
pub mod events;
pub mod model;
pub mod preview;
pub mod queries;
mod store;
pub mod timers;

pub use model::{Booking, LIFE, Status};
