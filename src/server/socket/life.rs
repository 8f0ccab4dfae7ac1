//! What happens to a socket by itself: signs of life, looks at its session, its end.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::connection::{Connection, Phase, Turn};
use super::protocol::{Closing, Dialect};
use super::work;
use crate::features::accounts::sessions::Pass;
use crate::kernel::{Error, Viewer};
use crate::server::live::instant;

/// Pings that may stay unanswered.
const PINGS_MISSED_MAX: u8 = 2;
impl Connection {
    /// A fresh token of the same user. What is open was granted to the rights of the old one.
    pub(super) fn renew(&mut self, pass: Pass) -> Turn {
        let old = self.caller.viewer;
        if old.is_none_or(|old| old.user != pass.viewer.user || old.roles != pass.viewer.roles) {
            return Break(Some(Closing::REFUSED));
        }
        self.caller.viewer = Some(pass.viewer);
        self.pass = Some(pass);
        Continue(())
    }

    /// Somebody's rights changed.
    pub(super) fn look_again(&mut self, whose: Option<Uuid>) {
        let Some(viewer) = self.caller.viewer else { return };
        if self.timers.rights_changed(whose, viewer.user) {
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
            Ok(viewer) if self.caller.viewer == Some(viewer) => Continue(()),
            // A renewal came in between.
            Ok(viewer) if self.caller.viewer.is_some_and(|own| own.session != viewer.session) => Continue(()),
            Ok(_) => Break(Some(Closing::REFUSED)),
            // The database is away: that ends nobody's session.
            Err(error) if error.code.retryable() => Continue(()),
            Err(_) => Break(Some(Closing::REFUSED)),
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

    /// Looks at the session: at every sweep while the bus is away, else now and then. The turn behind it also finds quiet
    /// views that want a checkpoint, and pages that are to be tried again.
    fn sweep(&mut self) {
        let limits = self.server.live.limits;
        self.timers.sweep_in(limits.sweep);
        let is_due = self.timers.check_at <= Instant::now();
        if let Some(viewer) = self.caller.viewer
            && (is_due || !self.server.platform.is_whole())
        {
            self.timers.check_at = Instant::now() + limits.recheck;
            self.check(viewer);
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
    if error.code.retryable() { Closing::OVERLOADED } else { Closing::REFUSED }
}
