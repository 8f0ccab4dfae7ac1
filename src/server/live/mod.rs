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
mod limits;
mod operation;
mod shared;
mod subscribe;
#[cfg(test)]
mod tests;
mod trim;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

pub use self::deliver::Delivery;
pub use self::document::{Documents, Hoisted};
pub use self::event::guarded;
pub use self::limits::LiveLimits;
pub use self::operation::LiveOperation;
use self::shared::Shared;
pub use self::subscribe::Recipe;
use crate::kernel::id::UserId;

/// What the live operations of one instance share.
pub struct Live {
    /// What is granted.
    pub limits: LiveLimits,
    /// The documents of live operations.
    pub documents: Documents,
    shared: Shared,
    replays: Semaphore,
    seats: Mutex<HashMap<UserId, usize>>,
    /// Held by every live operation, so that its holders are their number.
    alive: Arc<()>,
}

impl Live {
    /// Nothing is open yet.
    pub fn new(limits: LiveLimits) -> Self {
        Live {
            limits,
            documents: Documents::new(limits.document_bytes),
            shared: Shared::default(),
            replays: Semaphore::new(limits.replays),
            seats: Mutex::default(),
            alive: Arc::default(),
        }
    }

    /// Live operations that are open.
    pub fn operations(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }

    /// Signed-in users with an open socket.
    pub fn users(&self) -> usize {
        self.seats().len()
    }

    /// A place for one more socket of a user, if there is one. Dropping it gives it back.
    pub fn seat(self: &Arc<Self>, user: UserId) -> Option<Seat> {
        let mut seats = self.seats();
        let taken = seats.entry(user).or_default();
        if *taken >= self.limits.sockets_per_user {
            return None;
        }
        *taken += 1;
        Some(Seat { live: self.clone(), user })
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Live {
    fn default() -> Self {
        Live::new(LiveLimits::default())
    }
}

/// One socket of one user.
pub struct Seat {
    live: Arc<Live>,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.live.seats();
        if let Some(taken) = seats.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.user);
            }
        }
    }
}
