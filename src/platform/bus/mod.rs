//! The bus: what instances tell each other after a commit.
//!
//! The bus only wakes. The database is the truth: a note says *look*, never *here it is*, so a note that is lost, doubled
//! or late costs a moment and never an event. What keeps that true is [`Note::Resync`]: whenever the bus may have lost
//! something, every listener is told, and reads again what it watches. On top of that, readers sweep by themselves every
//! few seconds.
//!
//! What every backend promises (and `tests/it/contract/bus.rs` checks):
//! - a published note reaches all listeners of this process directly, whatever state the network is in, exactly once;
//! - it reaches listeners of the other instances in the order in which this one published it. It may arrive twice after
//!   a failure, and neighbouring [`Note::Heads`] may arrive as one;
//! - a note for another instance may be lost only if that instance gets a [`Note::Resync`] afterwards. Signals are the
//!   exception: they may be lost silently;
//! - nothing grows without a bound: a slow listener loses its backlog and gets a [`Note::Resync`] in its place.
//!
//! To add a backend: implement [`Bus`] in a file here, with a [`MemoryBus`] inside for the listeners of this process, and
//! add a fixture to the contract suite.

mod memory;
mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;

pub use self::memory::MemoryBus;
pub use self::redis::RedisBus;

/// How many notes a listener may be behind before it loses them and gets a [`Note::Resync`].
pub const LISTENER_BACKLOG: usize = 4_096;

/// What travels between instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Streams have grown: the key of each and its new head.
    Heads(Vec<(Arc<str>, i64)>),
    /// Something ephemeral happened: typing, presence.
    Signal {
        /// Whom it concerns, for example `user:{id}`.
        topic: Arc<str>,
        /// What happened, as a small JSON text.
        body: Arc<str>,
    },
    /// The rights of a user changed: caches drop the user, and the user's sockets are checked again.
    Rights(Uuid),
    /// Notes may have been lost: read again whatever is watched, and drop cached rights. Made by the bus itself; published
    /// by hand, it stays in this process.
    Resync,
}

/// A way to tell all instances.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Tells every listener of every instance. Never waits and never fails: what cannot be sent now is sent later or
    /// replaced by a [`Note::Resync`].
    fn publish(&self, note: Note);

    /// Listens from now on.
    fn subscribe(&self) -> Listener;

    /// Whether notes reach the other instances right now. False means degraded, not broken: this process still hears
    /// itself, and sweeps find the rest.
    fn is_connected(&self) -> bool;

    /// Sends what is queued, within two seconds, and lets go of the connections. Call it once, when nothing publishes any
    /// more; later notes stay in this process.
    async fn close(&self);
}

/// One listener's place in the notes.
#[derive(Debug)]
pub struct Listener {
    notes: broadcast::Receiver<Note>,
}

impl Listener {
    /// The next note; `None` once the bus is gone. A listener that was too slow gets a [`Note::Resync`] in place of all
    /// that it missed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Note> {
        match self.notes.recv().await {
            Ok(note) => Some(note),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // The rest of the backlog is covered by the same re-read: it would only make this one later still.
                self.notes = self.notes.resubscribe();
                Some(Note::Resync)
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
