//! What happens to a socket by itself: signs of life, looks at its session, its end.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::connection::{Connection, Phase, Turn};
use super::protocol::{Closing, Dialect};
use super::work;
use crate::features::accounts::sessions::Pass;
use crate::kernel::{Code, Error, Viewer};
use crate::server::live::instant;

/// Pings that may stay unanswered.
const PINGS_MISSED_MAX: u8 = 2;

impl Connection {
    /// A fresh token of the same user. What is open was granted to the rights of the old one.
    pub(super) fn renew(&mut self, pass: Pass) -> Turn {
        let old = self.caller.viewer;
        let Some(old) = old.filter(|old| old.user == pass.viewer.user) else {
            return Break(Some(Closing::REFUSED));
        };
        if let Some(closing) = not_what_it_was(&old, &pass.viewer) {
            return Break(Some(closing));
        }
        self.caller.viewer = Some(pass.viewer);
        self.pass = Some(pass);
        Continue(())
    }

    /// Somebody's rights changed.
    pub(super) fn look_again(&mut self, whose: Option<Uuid>) {
        let viewer = self.caller.viewer;
        if self.timers.rights_changed(whose, viewer.map(|viewer| viewer.user))
            && let Some(viewer) = viewer
        {
            self.server.sessions.forget(viewer.user);
            self.check(viewer);
        }
    }

    fn check(&mut self, viewer: Viewer) {
        if !self.checking {
            self.checking = true;
            self.work.push(work::check(self.server.clone(), viewer));
        }
    }

    pub(super) fn checked(&mut self, outcome: Result<Viewer, Error>) -> Turn {
        self.checking = false;
        match outcome {
            // A renewal came in between.
            Ok(viewer) if self.caller.viewer.is_none_or(|own| own.session != viewer.session) => Continue(()),
            Ok(viewer) => match self.caller.viewer.and_then(|own| not_what_it_was(&own, &viewer)) {
                Some(closing) => Break(Some(closing)),
                None => Continue(()),
            },
            // The database is away: that ends nobody's session. It is asked again at the next sweep.
            Err(error) if error.code.retryable() => {
                self.timers.must_look = true;
                Continue(())
            }
            Err(error) => Break(Some(closing(&error))),
        }
    }

    pub(super) fn tick(&mut self) -> Turn {
        let now = Instant::now();
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.timers.leave_at) {
            return Break(Some(Closing::RESTART));
        }
        if is_over(self.wire.late_at()) {
            return Break(Some(Closing::TOO_SLOW));
        }
        if self.pass.is_some_and(|pass| pass.expires_at <= self.server.platform.clock.now()) {
            return Break(Some(Closing::REFUSED));
        }
        if self.timers.beat_at <= now {
            self.show_life()?;
        }
        if self.timers.sweep_at <= now {
            self.sweep();
        }
        Continue(())
    }

    fn show_life(&mut self) -> Turn {
        match self.phase {
            Phase::Opened(_) => return Break(Some(Closing::NO_INIT)),
            Phase::Greeting => {}
            Phase::Open if self.pings_missed >= PINGS_MISSED_MAX => return Break(Some(Closing::SILENT)),
            Phase::Open => {
                self.pings_missed += 1;
                self.wire.push(self.dialect.keep_alive());
                self.wire.ping();
            }
        }
        self.timers.beat_at = Instant::now() + self.beat();
        Continue(())
    }

    /// Looks at the session if there is reason to, and notes now and then that it is in use. The turn behind it also finds
    /// quiet views that want a checkpoint, and pages that are to be tried again.
    fn sweep(&mut self) {
        let limits = self.server.live.limits;
        self.timers.sweep_in(limits.sweep);
        let Some(viewer) = self.caller.viewer else { return };
        if std::mem::take(&mut self.timers.must_look) {
            self.check(viewer);
        }
        if self.timers.use_at <= Instant::now() {
            self.timers.use_at = Instant::now() + limits.noted;
            self.server.sessions.used(viewer.session, None);
        }
    }

    pub(super) fn beat(&self) -> Duration {
        match self.dialect {
            Dialect::Transport => self.server.live.limits.ping,
            Dialect::Legacy => self.server.live.limits.keep_alive,
        }
    }

    /// When the token ends.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        Some(instant(self.pass?.expires_at, self.server.platform.clock.now()))
    }
}

/// How a refused token closes the socket: for good reasons with 4403, for passing ones so that the client tries again.
pub(super) fn closing(error: &Error) -> Closing {
    match error.code {
        code if code.retryable() => Closing::OVERLOADED,
        Code::AccountBlocked => Closing::BLOCKED,
        _ => Closing::REFUSED,
    }
}

/// Why what was opened for a viewer ends, though its session goes on.
fn not_what_it_was(then: &Viewer, now: &Viewer) -> Option<Closing> {
    if then.roles != now.roles {
        return Some(Closing::ROLES_CHANGED);
    }
    (then.disconnections != now.disconnections).then_some(Closing::DISCONNECTED)
}
