//! Live operations: subscriptions that are records, not running programs.
//!
//! [`Server::open`](super::state::Server::open) takes a judged document, asks its field what it would show, and makes a
//! [`LiveOperation`]: the document, its variables, and a place in each stream. Nothing of it runs until its bell rings.
//! Then [`LiveOperation::deliver`] takes a page of what lies behind the place, shapes each event with the document, and
//! only then moves the place. So an operation costs little memory, has no queue, and goes at its client's pace. What a
//! crowd watches is shaped once, and all others of the crowd find it [`AtHand`].
//!
//! A way to clients (a socket, a feed) looks like this: open with a bell; whenever the bell rings, at
//! [`LiveOperation::wakes_at`] and every few seconds, ask [`LiveOperation::has_news`] and deliver until it says no. Take a
//! [`Seat`] first, and keep [`Timers`].

mod at_hand;
mod deliver;
mod document;
mod event;
pub(in crate::server) mod figures;
mod limits;
mod operation;
mod progress;
mod seats;
mod shared;
mod subscribe;
#[cfg(test)]
mod tests;
mod timers;
mod trim;

use std::sync::Arc;

use tokio::sync::Semaphore;

pub use self::at_hand::AtHand;
pub use self::deliver::Delivery;
pub use self::document::{Documents, Hoisted};
pub use self::event::guarded;
pub use self::limits::LiveLimits;
pub use self::operation::LiveOperation;
pub use self::progress::Shown;
pub use self::seats::Seat;
use self::seats::Seats;
use self::shared::Shared;
pub use self::subscribe::{Recipe, Resume};
pub use self::timers::{LOOK_AGAIN, Timers, changed, instant, jitter};
use super::state::Server;
use crate::kernel::Caller;

/// What the live operations of one instance share.
pub struct Live {
    /// What is granted.
    pub limits: LiveLimits,
    /// The documents of live operations.
    pub documents: Documents,
    shared: Shared,
    replays: Semaphore,
    seats: Seats,
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
            seats: Seats::default(),
            alive: Arc::default(),
        }
    }

    /// Live operations that are open.
    pub fn operations(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }

    /// Networks of strangers who have a seat.
    pub fn networks(&self) -> usize {
        self.seats.networks()
    }
}

impl Server {
    /// A place for one more connection of a caller, if there is one. Dropping it gives it back. While a user has one, it is
    /// online.
    pub fn seat(&self, caller: &Caller) -> Option<Seat> {
        let limits = &self.live.limits;
        match caller.viewer {
            Some(viewer) => self.platform.presence.enter(viewer.user, limits.connections_per_user).map(Seat::User),
            None => self.live.seats.take(caller.ip, limits.connections_per_address).map(Seat::Stranger),
        }
    }
}
