//! Streams: the ordered, gapless events of one user or one topic.
//!
//! Writing is part of a unit of work: [`append`] numbers the drafts under a lock on each stream's head, so that commit
//! order and number order are the same. Reading is by number, from the database; the bus only says that there is more.
//! The [`Hub`] brings the two together on each instance: it watches what somebody here watches, and rings. What was
//! committed on the same instance is handed to it, so that only the news of others are read back.
//!
//! [`Signal`]s are for what matters only now; they go beside the streams and are never stored. To add an event, nothing
//! changes here: a feature states a [`Draft`]. To add a topic for everyone: a constructor of [`StreamName`].

mod append;
mod cursor;
mod event;
mod hub;
mod poll;
mod prune;
mod reader;
mod signals;
mod watch;

pub use append::{Growth, append};
pub use cursor::{Cursor, Place};
pub use event::{Author, Draft, Event, Stated, Step, StreamName};
pub use hub::Hub;
pub use poll::{Polled, interleave};
pub use prune::Keep;
pub use reader::{Gap, Reader};
pub use signals::{Signal, SignalWatch};
pub use watch::{Ahead, Bell, Watch};

/// Streams that one command may write to: the parties. A larger audience is a task in pages.
pub const AUDIENCE_MAX: usize = 16;
/// Events in one read.
pub const PAGE: i64 = 100;
/// Events that a resume replays at most; beyond that the client reloads.
pub const BACKLOG_MAX: i64 = 5_000;
