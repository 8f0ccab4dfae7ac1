//! Presence: who may see whether a user is online, and when it was there last.
//!
//! It has no tables: `platform/presence` knows who is there, accounts know who was seen when and who hides it, and chat
//! knows who has a conversation with whom. Only they see each other, and staff see everybody.

pub mod model;
pub mod queries;

pub use model::{Connections, Seen, WATCHED_MAX};
