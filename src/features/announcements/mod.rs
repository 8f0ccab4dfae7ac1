//! Announcements: what staff tell everyone, such as maintenance in five minutes. One row and one event, however many
//! read.
//!
//! The event goes to a topic that everyone may watch. It is the smallest feature: begin here to see how one is made.

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{Announcement, Level, NewAnnouncement};
