//! When an open connection wakes by itself: one timer for everything; and what wakes it beside its client and its events.

use std::future::pending;
use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;
use uuid::Uuid;

use super::LiveLimits;
use crate::kernel::Timestamp;
use crate::kernel::id::{TypedId, UserId};
use crate::platform::host;

/// After a change of rights, when the session is looked at once more: an answer that was under way is forgotten by then.
pub const LOOK_AGAIN: Duration = Duration::from_millis(1_100);
/// When a change concerns anybody, within which time all connections look.
const LOOK_SPREAD: Duration = Duration::from_millis(900);

/// The times that a connection waits for.
pub struct Timers {
    /// When a socket's init must have come; afterwards, the next sign of life.
    pub beat_at: Instant,
    /// The next look at the session and at quiet views.
    pub sweep_at: Instant,
    /// When it is noted next that the session is in use, at the sweep behind it.
    pub use_at: Instant,
    /// Whether the session is to be looked at with the next sweep.
    pub must_look: bool,
    /// When the connection is closed because the server stops.
    pub leave_at: Option<Instant>,
}

impl Timers {
    /// For a connection that was just opened.
    pub fn new(limits: &LiveLimits) -> Self {
        let now = Instant::now();
        Timers {
            beat_at: now + limits.init,
            sweep_at: now + limits.sweep,
            use_at: now + limits.noted,
            must_look: false,
            leave_at: None,
        }
    }

    /// The next time, at most `until`.
    pub fn next(&self, until: Option<Instant>) -> Instant {
        let first = self.beat_at.min(self.sweep_at);
        [self.leave_at, until].into_iter().flatten().fold(first, Instant::min)
    }

    /// The sweep after this one: a little sooner than `every`, so that connections that were opened together drift apart.
    pub fn sweep_in(&mut self, every: Duration) {
        self.sweep_at = Instant::now() + every - jitter(every / 5);
    }

    /// The next sweep within `at_most`.
    pub fn sweep_soon(&mut self, at_most: Duration) {
        self.sweep_at = self.sweep_at.min(Instant::now() + at_most);
    }

    /// The session is to be looked at soon: what was found out under way is forgotten by then.
    pub fn look_soon(&mut self, at_most: Duration) {
        self.must_look = true;
        self.sweep_soon(at_most);
    }

    /// Somebody's rights changed. Says whether they are those of `own`: then the session is to be looked at now, and it will
    /// be once more. If they may be anybody's, it will be within a second, so that not all connections ask at once. Who is
    /// still greeted looks afterwards.
    pub fn rights_changed(&mut self, whose: Option<Uuid>, own: Option<UserId>) -> bool {
        let own = own.map(|user| user.uuid());
        match (whose, own) {
            (Some(whose), Some(own)) if whose != own => {}
            (None, Some(_)) => self.look_soon(jitter(LOOK_SPREAD)),
            _ => self.look_soon(LOOK_AGAIN),
        }
        whose.is_some() && whose == own
    }
}

/// The next change of rights; `None` when there were so many that some were missed. What the bus may have lost is looked
/// for in the database, once for all connections.
pub async fn changed(rights: &mut Option<Receiver<Option<Uuid>>>) -> Option<Uuid> {
    let Some(rights) = rights else { return pending().await };
    loop {
        match rights.recv().await {
            Ok(Some(user)) => return Some(user),
            Ok(None) => {}
            Err(RecvError::Lagged(_)) => return None,
            Err(RecvError::Closed) => pending().await,
        }
    }
}

/// When it will be `end`, by the clock that says it is `now`. Never in the past: whoever wakes looks at the clock itself.
pub fn instant(end: Timestamp, now: Timestamp) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(end.0 - now.0).unwrap_or(0).max(1))
}

/// A random time below `bound`.
pub fn jitter(bound: Duration) -> Duration {
    Duration::from_millis(host::jitter(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)))
}
