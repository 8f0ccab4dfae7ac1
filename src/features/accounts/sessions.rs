//! Who a token belongs to, right now. Answers are kept for a second, and dropped at once when the bus says that a user's
//! rights changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{store, tokens};
use crate::kernel::clock::SECOND;
use crate::kernel::id::{SessionId, TypedId, UserId};
use crate::kernel::{Code, Error, Result, Timestamp, Viewer};
use crate::platform::Platform;

/// How long an answer is kept.
const KEEP_MS: i64 = SECOND;
/// Answers kept at most; beyond that all are forgotten, which costs one look-up each.
const KEEP_MAX: usize = 20_000;

/// Finds the viewer behind a token.
#[derive(Clone)]
pub struct Sessions {
    platform: Arc<Platform>,
    known: Arc<Mutex<HashMap<SessionId, Known>>>,
}

#[derive(Clone, Copy)]
struct Known {
    viewer: Viewer,
    blocked_until: Option<Timestamp>,
    read_at: Timestamp,
}

/// Forgets what is too old to be used, so that the map grows with what is asked in a second, not with all who ever came.
fn make_room(all: &mut HashMap<SessionId, Known>, now: Timestamp) {
    all.retain(|_, known| known.is_fresh(now));
    if all.len() >= KEEP_MAX {
        all.clear();
    }
    // Not for one place at a time.
    if all.len() > all.capacity() / 2 {
        all.reserve(all.len());
    }
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        (0..KEEP_MS).contains(&(now.0 - self.read_at.0))
    }
}

/// A viewer, and when its token ends.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Who.
    pub viewer: Viewer,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Sessions {
    /// Looks sessions up in this platform's database, and listens for changes of rights.
    pub fn new(platform: Arc<Platform>) -> Self {
        let sessions = Sessions { platform, known: Arc::default() };
        let listener = sessions.clone();
        let mut rights = listener.platform.hub.rights();
        let stop = listener.platform.stop.clone();
        tokio::spawn(async move {
            loop {
                let changed = tokio::select! {
                    () = stop.cancelled() => return,
                    changed = rights.recv() => changed,
                };
                match changed {
                    Ok(Some(user)) => listener.forget(UserId::of(user)),
                    // Lagged or unknown: forget everybody.
                    Ok(None) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => listener.forget_all(),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                }
            }
        });
        sessions
    }

    /// The viewer that a token stands for.
    pub async fn authenticate(&self, token: &str) -> Result<Pass> {
        let (session, expires_at) = tokens::read(&self.platform, token)?;
        Ok(Pass { viewer: self.check(session).await?, expires_at })
    }

    /// The viewer of a session, if it still lives and its user is not blocked.
    pub async fn check(&self, session: SessionId) -> Result<Viewer> {
        let now = self.platform.clock.now();
        let kept = self.lock().get(&session).copied().filter(|known| known.is_fresh(now));
        let known = match kept {
            Some(known) => known,
            None => {
                let found = store::live_session(&self.platform.db, session).await?;
                let live =
                    found.ok_or_else(|| Error::new(Code::Unauthenticated, "This session has ended; sign in again."))?;
                let viewer = Viewer { user: live.user, session, roles: live.roles };
                let known = Known { viewer, blocked_until: live.blocked_until, read_at: now };
                let mut all = self.lock();
                if all.len() == all.capacity() {
                    make_room(&mut all, now);
                }
                all.insert(session, known);
                known
            }
        };
        match known.blocked_until {
            Some(until) if until > now => Err(Error::new(Code::AccountBlocked, "This account is blocked.")),
            _ => Ok(known.viewer),
        }
    }

    /// Drops what is kept of a user, so that the next check looks again.
    pub fn forget(&self, user: UserId) {
        self.lock().retain(|_, known| known.viewer.user != user);
    }

    fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
