//! Announcements: what staff tell everyone, such as maintenance in five minutes. One row and one event, however many read.

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod store;

pub use model::{Announcement, Level, NewAnnouncement};
