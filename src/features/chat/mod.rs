//! Chat: two people talk about one job, booking or listing.
//!
//! A conversation opens inside the command that brings the two together ([`commands::open`]); nobody opens one by hand.
//! It numbers its messages from 1 without gaps, and counts each side's on its own. What a person has not read is then a
//! subtraction, the other's count minus the other's count at my read mark, and there is no counter that could drift.
//!
//! Everything is read *as somebody sees it*: each query takes the viewer and gives nothing to people who do not take
//! part. So no caller can forget to check.
//!
//! To let people talk about one more kind of thing: a [`Subject`] for it, and [`commands::open`] in the command that
//! brings them together.

pub mod commands;
pub mod events;
pub mod model;
pub mod queries;
mod sending;
mod store;

pub use model::{Conversation, Message, Participant, Send, Status, Subject, SubjectKind};
