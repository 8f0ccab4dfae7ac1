//! Who a token belongs to, right now. Answers are kept for a second, and dropped at once when the bus says that a user's
//! rights changed. For open connections, which are told of changes, they hold for as long as nothing is heard.
//!
//! What no wake told is found in the database: one statement every few seconds, as long as somebody is connected here,
//! however many connections there are. So a right that ends ends everywhere, also when the instance that took it cannot
//! reach Redis. The same task writes when sessions were used, at most once a minute each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Block, store, tokens};
use crate::kernel::clock::{MINUTE, SECOND};
use crate::kernel::id::{SessionId, TypedId, UserId};
use crate::kernel::{Code, Error, Result, Timestamp, Viewer};
use crate::platform::{Platform, host};

/// How long an answer is kept.
const KEEP_MS: i64 = SECOND;
/// Answers kept at most; beyond that all are forgotten, which costs one look-up each.
const KEEP_MAX: usize = 20_000;
/// How often changes that no wake told are looked for at least. Jitter makes it sooner, never later.
const SWEEP_MS: u64 = 5_000;
/// How far back: a change may commit so long after its instant, and clocks differ.
const OVERLAP_MS: i64 = MINUTE;
/// How old the last look for changes may be if connections are to trust what is kept.
const TRUST_MS: i64 = 6 * SECOND;
/// How often the use of sessions is written.
const WRITE_EVERY: Duration = Duration::from_secs(20);
/// A session's use is written at most so often.
const SEEN_MS: i64 = MINUTE;
/// Sessions written in one statement.
const WRITTEN_AT_ONCE: usize = 200;
/// Characters of a client's name.
pub const CLIENT_MAX: usize = 80;

/// Finds the viewer behind a token.
#[derive(Clone)]
pub struct Sessions {
    platform: Arc<Platform>,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    known: HashMap<SessionId, Known>,
    /// Grows with everything that is forgotten, so that an answer that was under way meanwhile is not kept.
    round: u64,
    /// Whatever changed before this instant has been forgotten, also if no wake told of it.
    swept_at: Timestamp,
    /// Sessions that were used, and what their client calls itself where it says so.
    used: HashMap<SessionId, Option<Box<str>>>,
}

#[derive(Clone)]
struct Known {
    viewer: Viewer,
    /// Boxed, because hardly anybody has one.
    block: Option<Box<Block>>,
    read_at: Timestamp,
}

impl Kept {
    fn new() -> Self {
        Kept { known: HashMap::new(), round: 0, swept_at: Timestamp(0), used: HashMap::new() }
    }

    /// What is known of a session and still holds, for a single request or for an open connection.
    fn of(&self, session: SessionId, now: Timestamp, is_connected: bool) -> Option<Known> {
        let is_trusted = is_connected && (0..TRUST_MS).contains(&(now.0 - self.swept_at.0));
        self.known.get(&session).filter(|known| is_trusted || known.is_fresh(now)).cloned()
    }
}

/// Forgets what only connections could still use, and if that is not enough, all of it.
fn make_room(all: &mut HashMap<SessionId, Known>, now: Timestamp) {
    all.retain(|_, known| known.is_fresh(now));
    if all.len() >= KEEP_MAX / 2 {
        all.clear();
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
        let sessions = Sessions { platform, kept: Arc::new(Mutex::new(Kept::new())) };
        let (listener, stop) = (sessions.clone(), sessions.platform.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(listener.listen()).await });
        sessions
    }

    /// The viewer that a token stands for.
    pub async fn authenticate(&self, token: &str) -> Result<Pass> {
        let (session, expires_at) = tokens::read(&self.platform, token)?;
        Ok(Pass { viewer: self.check(session).await?, expires_at })
    }

    /// The viewer of a session, if it still lives and its user is not blocked.
    pub async fn check(&self, session: SessionId) -> Result<Viewer> {
        self.judge(session, false).await
    }

    /// The same for an open connection that listens for changes of rights: a crowd that is told something does not ask the
    /// database, each for its own session, whether it may hear it.
    pub async fn check_connected(&self, session: SessionId) -> Result<Viewer> {
        self.judge(session, true).await
    }

    /// Whether an open connection's viewer is known to be what it was, without looking anything up.
    pub fn holds(&self, viewer: Viewer) -> bool {
        let now = self.platform.clock.now();
        let known = self.kept().of(viewer.session, now, true);
        known.is_some_and(|known| known.viewer == viewer && known.block.is_none())
    }

    async fn judge(&self, session: SessionId, is_connected: bool) -> Result<Viewer> {
        let now = self.platform.clock.now();
        let (kept, round) = {
            let kept = self.kept();
            (kept.of(session, now, is_connected), kept.round)
        };
        let known = match kept {
            Some(known) => known,
            None => self.look_up(session, now, round).await?,
        };
        match &known.block {
            Some(block) if block.holds(now) => Err(block.refusal()),
            _ => Ok(known.viewer),
        }
    }

    async fn look_up(&self, session: SessionId, now: Timestamp, round: u64) -> Result<Known> {
        let ended = || Error::new(Code::Unauthenticated, "This session has ended; sign in again.");
        let found = store::sessions::standing(&self.platform.db, session).await?.ok_or_else(ended)?;
        // A block ends sessions too, and is the better answer.
        if found.ended_at.is_some() {
            return Err(found.block.filter(|block| block.holds(now)).map_or_else(ended, |block| block.refusal()));
        }
        let known = Known { viewer: found.viewer(session), block: found.block.map(Box::new), read_at: now };
        let mut kept = self.kept();
        if kept.round == round {
            if kept.known.len() >= KEEP_MAX {
                make_room(&mut kept.known, now);
            }
            kept.known.insert(session, known.clone());
        }
        kept.used.entry(session).or_default();
        Ok(known)
    }

    /// Notes that a session is in use, and perhaps what its client calls itself.
    pub fn used(&self, session: SessionId, client: Option<&str>) {
        let client = client.map(|name| name.chars().take(CLIENT_MAX).collect::<String>().into());
        let mut kept = self.kept();
        let noted = kept.used.entry(session).or_default();
        *noted = client.or(noted.take());
    }

    /// Drops what is kept of a user, so that the next check looks again.
    pub fn forget(&self, user: UserId) {
        let mut kept = self.kept();
        kept.round += 1;
        kept.known.retain(|_, known| known.viewer.user != user);
    }

    async fn listen(&self) {
        let mut rights = self.platform.hub.rights();
        let mut sweep = Sweep { since: self.platform.clock.now(), told: HashMap::new() };
        let (mut sweep_at, mut write_at) = (next_sweep(), Instant::now() + WRITE_EVERY);
        loop {
            tokio::select! {
                changed = rights.recv() => match changed {
                    Ok(Some(user)) => self.forget(UserId::of(user)),
                    // Something was lost on the way: the database knows what.
                    Ok(None) | Err(RecvError::Lagged(_)) => sweep_at = Instant::now(),
                    Err(RecvError::Closed) => return,
                },
                () = tokio::time::sleep_until(sweep_at) => {
                    if let Err(error) = self.sweep(&mut sweep).await {
                        tracing::warn!(%error, "changes of rights could not be looked for; the next sweep tries again");
                    }
                    sweep_at = next_sweep();
                }
                () = tokio::time::sleep_until(write_at) => {
                    if let Err(error) = self.write_used().await {
                        tracing::warn!(%error, "when sessions were used could not be written");
                    }
                    write_at = Instant::now() + WRITE_EVERY;
                }
            }
        }
    }

    /// Tells the connections here of changes that they may not have heard of.
    async fn sweep(&self, sweep: &mut Sweep) -> Result<()> {
        let now = self.platform.clock.now();
        // With nobody connected there is nobody to tell, and requests look for themselves.
        if self.platform.hub.has_rights_listeners() {
            let from = sweep.since.plus(-OVERLAP_MS);
            sweep.told.retain(|_, at| *at >= from);
            for (user, at) in store::rights::rights_changed_since(&self.platform.db, from).await? {
                if sweep.told.insert(user, at) != Some(at) {
                    self.forget(user);
                    self.platform.hub.suspect(user.uuid());
                }
            }
            self.kept().swept_at = now;
        }
        sweep.since = now;
        Ok(())
    }

    /// Writes which sessions were used since the last time, each at most once a minute. The task does it by itself.
    pub async fn write_used(&self) -> Result<()> {
        let used = std::mem::take(&mut self.kept().used);
        let now = self.platform.clock.now();
        let ids: Vec<_> = used.keys().copied().collect();
        for page in ids.chunks(WRITTEN_AT_ONCE) {
            let mut tx = self.platform.db.begin().await?;
            store::sessions::touch_sessions(&mut tx, page, now, now.plus(-SEEN_MS)).await?;
            for (session, client) in page.iter().filter_map(|id| Some((*id, used.get(id)?.as_deref()?))) {
                store::sessions::name_client(&mut tx, session, client).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the sweeps have found.
struct Sweep {
    /// When the last one was.
    since: Timestamp,
    /// Changes that were told, so that they are told once.
    told: HashMap<UserId, Timestamp>,
}

fn next_sweep() -> Instant {
    Instant::now() + Duration::from_millis(SWEEP_MS - host::jitter(SWEEP_MS / 5))
}
