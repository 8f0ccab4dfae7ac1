//! Reviews: after a booking is completed each party says once what it thinks of the other, and neither reads the other's
//! words before its own are written.
//!
//! A review begins PENDING: only its author and staff see it. When the second one is posted both are published in that
//! transaction; a review that stays alone is published by a task, `PUBLISH` in [`commands`], some days after it was
//! posted. Everybody's stars are counted in a table of their own, which changes with each publication, so that a rating
//! is never recounted to be shown.
//!
//! To add something that may happen to a review: a guarded statement in the store, a command that keeps the count of
//! stars equal to what is visible, and the fact in [`events`].

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{Hide, NewReview, OfBooking, Rating, Reply, Review, Status};
