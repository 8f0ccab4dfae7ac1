//! Live operations: subscriptions that are records, not running programs.
//!
//! [`Server::subscribe`](super::state::Server::subscribe) judges a document, asks its field what it would show, and makes
//! a [`LiveOperation`]: the document, its variables, and a place in each stream. Nothing of it runs until its bell rings.
//! Then [`LiveOperation::deliver`] takes a page of what lies behind the place, shapes each event with the document, and
//! only then moves the place. So an operation costs little memory, has no queue, and goes at its client's pace.
//!
//! A way to clients (a socket, an event stream) looks like this: subscribe with a bell; whenever the bell rings, and every
//! few seconds, ask [`LiveOperation::has_news`] and deliver until it says no.

mod deliver;
mod document;
mod event;
pub(in crate::server) mod figures;
mod limits;
mod operation;
mod shared;
mod subscribe;
#[cfg(test)]
mod tests;
mod trim;

use tokio::sync::Semaphore;

pub use self::deliver::Delivery;
pub use self::document::{Documents, Hoisted};
pub use self::event::guarded;
pub use self::limits::LiveLimits;
pub use self::operation::LiveOperation;
use self::shared::Shared;
pub use self::subscribe::Recipe;
use super::state::Server;
use crate::kernel::id::UserId;
use crate::platform::presence::Stay;

/// What the live operations of one instance share.
pub struct Live {
    /// What is granted.
    pub limits: LiveLimits,
    /// The documents of live operations.
    pub documents: Documents,
    shared: Shared,
    replays: Semaphore,
}

impl Live {
    /// Nothing is open yet.
    pub fn new(limits: LiveLimits) -> Self {
        Live {
            limits,
            documents: Documents::new(limits.document_bytes),
            shared: Shared::default(),
            replays: Semaphore::new(limits.replays),
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Live::new(LiveLimits::default())
    }
}

impl Server {
    /// A place for one more connection of a user, if there is one. Dropping it gives it back. While it is held, the user
    /// is online.
    pub fn seat(&self, user: UserId) -> Option<Stay> {
        self.platform.presence.enter(user, self.live.limits.sockets_per_user)
    }
}
