//! Notifications: what a person is told in the app about what others and timers did.
//!
//! They follow from the events of other features, inside the same transaction ([`projection`]): nobody calls this
//! feature to tell something, and a notification commits with its cause. [`kinds`] says as data which event tells whom
//! what. Only ids and small facts are stored; title and body are made when they are read, from what is true then.
//!
//! A conversation has one notification as long as it is unread: further messages renew it, and reading the conversation
//! reads it. It has no event of its own. [`events::concerns`] lets the events of chat speak for it, so that a message
//! costs no further round trip and live views miss nothing.
//!
//! To add a kind: an entry in [`kinds`], and its name in `schema/notifications.rs`. If its subject is a new kind of
//! object, its line in `resolvers/node.rs`, and in `resolvers/notifications/words.rs` what its text needs.

pub mod commands;
pub mod events;
pub mod kinds;
pub mod model;
pub mod projection;
pub mod queries;
mod store;

pub use kinds::{Kind, Words};
pub use model::{Filter, Notification, Subject, Unread};
