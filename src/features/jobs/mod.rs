//! Jobs: a customer's demand for work.
//!
//! A job is OPEN for offers until one is accepted; from then on its booking drives it. Accepting an offer, and what a
//! booking does to its job, are commands of `bookings`; [`commands::assign`] and [`commands::finish`] are its hands
//! here. Cancelling a job and letting it expire end its offers as well, and are commands of `offers`, in `settling`.
//!
//! To add a step: a row in [`LIFE`], a command that takes it, and the fact in [`events`].

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{Filter, Job, LIFE, NewJob, Sort, Status};
