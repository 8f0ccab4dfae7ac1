//! The one task of an instance that carries changes to the roster, tells them, and buries dead instances.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::roster::Roster;
use super::{Presence, RECONCILE, TOPIC, subject};
use crate::kernel::id::TypedId;
use crate::platform::streams::{Hub, Signal};

/// Users that are written at once.
const AT_ONCE: usize = 200;
/// Users that are compared at once.
const COMPARED_AT_ONCE: usize = 500;
/// How soon a connection that is lost is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Beats within the time after which an instance counts as dead.
const BEATS: u32 = 6;

/// Keeps until told to stop.
pub(super) async fn run(presence: Presence, hub: Hub, gone_after: Duration, stop: CancellationToken) {
    let now = Instant::now();
    let mut keeper = Keeper { presence, hub, beat: gone_after / BEATS, beat_at: now, complete_at: now };
    stop.run_until_cancelled(keeper.keep()).await;
}

struct Keeper {
    presence: Presence,
    hub: Hub,
    beat: Duration,
    beat_at: Instant,
    /// When every other instance that lives has written its users into a roster that was found to be new.
    complete_at: Instant,
}

impl Keeper {
    async fn keep(&mut self) {
        let presence = self.presence.clone();
        // Told when the bus may have lost something.
        let mut rights = self.hub.rights();
        let mut reconcile_at = Instant::now() + RECONCILE;
        loop {
            let leave_at = presence.shared.table().next_leave();
            let wake_at = [leave_at, presence.shared.roster.as_ref().map(|_| self.beat_at)];
            let wake_at = wake_at.into_iter().flatten().fold(reconcile_at, Instant::min);
            tokio::select! {
                () = presence.shared.changed.notified() => {}
                () = sleep_until(wake_at) => {}
                changed = rights.recv() => match changed {
                    Ok(Some(_)) => continue,
                    Ok(None) | Err(RecvError::Lagged(_)) => reconcile_at = Instant::now(),
                    Err(RecvError::Closed) => return,
                },
            }
            presence.shared.table().settle(Instant::now());
            self.carry().await;
            if let Some(roster) = &presence.shared.roster
                && self.beat_at <= Instant::now()
            {
                self.live(roster).await;
            }
            if presence.shared.roster.as_ref().is_some_and(|roster| !roster.is_connected()) {
                self.beat_at = self.beat_at.min(Instant::now() + RETRY);
            }
            if reconcile_at <= Instant::now() {
                let pause = if self.reconcile().await { RECONCILE } else { RETRY };
                reconcile_at = Instant::now() + pause;
            }
        }
    }

    /// Carries the changes of this instance on. Without the others, what it knows itself is told.
    async fn carry(&self) {
        loop {
            let changes = self.presence.shared.table().take_changes(AT_ONCE);
            if changes.is_empty() {
                return;
            }
            let turned = match &self.presence.shared.roster {
                Some(roster) => roster.mark(&changes).await,
                None => None,
            };
            self.tell(turned.unwrap_or_else(|| changes.iter().filter_map(|change| change.turn()).collect()));
        }
    }

    /// Connects where that is needed, says that this instance lives, and buries those that do not.
    async fn live(&mut self, roster: &Roster) {
        self.beat_at = Instant::now() + self.beat;
        let was_connected = roster.is_connected();
        if !was_connected && let Err(cause) = roster.connect().await {
            tracing::debug!(%cause, "Redis cannot be reached");
            return;
        }
        let Some(beat) = roster.beat().await else { return };
        if beat.is_new || !was_connected {
            self.complete_at = Instant::now() + self.beat * 2 + RETRY;
            self.register(roster).await;
        }
        for instance in beat.dead {
            tracing::info!(instance, "an instance is gone; its users leave with it");
            self.tell(roster.bury(&instance).await.unwrap_or_default());
        }
    }

    /// Writes everybody who is here, and removes who is not: for others that know nothing of this instance, or something
    /// old.
    async fn register(&self, roster: &Roster) {
        let has = |user| self.presence.shared.table().has(user);
        self.tell(roster.sweep(roster.instance(), has).await.unwrap_or_default());
        let mut last = None;
        loop {
            let page = self.presence.shared.table().all_behind(last, AT_ONCE);
            let Some(end) = page.last() else { return };
            last = Some(end.user);
            let Some(turned) = roster.mark(&page).await else { return };
            self.tell(turned);
        }
    }

    /// Compares what is watched here with what is known. What was told already is not told again. Says whether the others
    /// could be asked.
    async fn reconcile(&mut self) -> bool {
        let presence = self.presence.clone();
        if let Some(roster) = &presence.shared.roster {
            // Redis may just have forgotten everybody: nobody is away only because the others have not noticed yet.
            self.live(roster).await;
            if Instant::now() < self.complete_at {
                return false;
            }
        }
        let watched: Vec<_> = self.hub.signals.watched(TOPIC).iter().filter_map(|topic| subject(topic)).collect();
        // Without the others, nobody who is not here is known to be away.
        let knows_all = || presence.shared.roster.as_ref().is_none_or(Roster::is_connected);
        for page in watched.chunks(COMPARED_AT_ONCE) {
            let online = presence.online(page).await;
            if !knows_all() {
                return false;
            }
            for user in page {
                let signal = Signal::of(user.uuid(), online.contains(user));
                self.hub.signals.spread(&super::topic(*user), signal);
            }
        }
        true
    }

    fn tell(&self, turned: Vec<(Uuid, bool)>) {
        turned.into_iter().for_each(|(user, is_online)| self.presence.tell(Signal::of(user, is_online)));
    }
}
