//! The loop of one socket.

use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::WebSocket;
use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::auth::Greeting;
use super::life::closing;
use super::operations::Operations;
use super::protocol::{Closing, Dialect, Said, Start};
use super::wire::{Heard, Wire};
use super::work::{self, Beside, Done};
use crate::features::accounts::sessions::Pass;
use crate::kernel::Caller;
use crate::platform::streams::Bell;
use crate::server::live::{Delivery, Seat, Timers, changed, jitter};
use crate::server::state::Server;

/// Bytes of a ping's payload that are answered in kind.
const PING_MAX: usize = 1 << 10;

/// What a turn of the loop asks for: another one, or the end, with a close frame unless the client is gone.
pub(super) type Turn = ControlFlow<Option<Closing>>;

/// How far the conversation has come.
pub(super) enum Phase {
    /// No init yet. Holds the token of the upgrade's header.
    Opened(Option<Box<str>>),
    /// The token is looked at.
    Greeting,
    /// The ack is sent.
    Open,
}

/// One socket.
pub struct Connection {
    pub(super) server: Server,
    pub(super) dialect: Dialect,
    pub(super) wire: Wire,
    pub(super) caller: Caller,
    pub(super) phase: Phase,
    pub(super) pass: Option<Pass>,
    pub(super) seat: Option<Seat>,
    pub(super) resume: Option<Box<str>>,
    /// Operations that wait for the ack, or for their turn.
    pub(super) waiting: Vec<Start>,
    pub(super) operations: Operations,
    pub(super) work: Beside,
    pub(super) delivering: u16,
    pub(super) executing: u16,
    pub(super) checking: bool,
    pub(super) bell: Bell,
    pub(super) rights: Option<broadcast::Receiver<Option<Uuid>>>,
    pub(super) timers: Timers,
    pub(super) pings_missed: u8,
}

/// What does not happen often.
enum Rare {
    Nothing,
    Rights(Option<Uuid>),
    Drain,
    Timer,
}

async fn rare(
    rights: &mut Option<broadcast::Receiver<Option<Uuid>>>,
    draining: &CancellationToken,
    is_leaving: bool,
    wake_at: Instant,
) -> Rare {
    tokio::select! {
        changed = changed(rights) => Rare::Rights(changed),
        () = draining.cancelled(), if !is_leaving => Rare::Drain,
        () = sleep_until(wake_at) => Rare::Timer,
    }
}

impl Connection {
    /// A socket that has said nothing yet; `token` is its upgrade's `Authorization`.
    pub fn new(server: Server, dialect: Dialect, socket: WebSocket, caller: Caller, token: Option<Box<str>>) -> Self {
        let limits = server.live.limits;
        Connection {
            wire: Wire::new(socket, limits.write),
            timers: Timers::new(&limits),
            server,
            dialect,
            caller,
            phase: Phase::Opened(token),
            pass: None,
            seat: None,
            resume: None,
            waiting: Vec::new(),
            operations: Operations::default(),
            work: Beside::default(),
            delivering: 0,
            executing: 0,
            checking: false,
            bell: Bell::default(),
            rights: None,
            pings_missed: 0,
        }
    }

    /// Runs until one side closes. Boxed, because a future keeps what it is made from beside what it works with.
    pub async fn run(mut self: Box<Self>) {
        let closing = loop {
            if let Break(closing) = self.watch().await {
                break closing;
            }
        };
        if let Some(viewer) = self.caller.viewer {
            self.server.sessions.used(viewer.session, None);
        }
        let Connection { wire, operations, work, seat, waiting, .. } = *self;
        // Watches end and the seat is free before the goodbye, which may take a while.
        drop((operations, work, seat, waiting));
        let code = closing.map_or_else(|| "none".to_owned(), |closing| closing.code.to_string());
        metrics::counter!("gigwire_sockets_closed_total", "code" => code).increment(1);
        if let Some(closing) = closing {
            tracing::debug!(code = closing.code, reason = closing.reason, "a socket is closed");
            // In a box of its own: the loop is sized for waiting, not for its end.
            Box::pin(wire.close(closing)).await;
        }
    }

    /// Runs for as long as nothing rare happens: changes of rights, the drain, a timer. Who waits for these registers with
    /// locks that all sockets share, so that is done once for many turns.
    async fn watch(&mut self) -> Turn {
        let mut rights = self.rights.take();
        let draining = self.server.draining.clone();
        let (is_leaving, wake_at) = (self.timers.leave_at.is_some(), self.wake_at());
        let event = {
            let mut rare = pin!(rare(&mut rights, &draining, is_leaving, wake_at));
            loop {
                self.deliver().await;
                // Something else is to be waited for than what is waited for.
                if self.rights.is_some() || self.wake_at() < wake_at {
                    break Rare::Nothing;
                }
                let event = tokio::select! {
                    heard = self.wire.next() => self.hear(heard),
                    done = self.work.next() => self.finish_all(done),
                    () = self.bell.notified() => {
                        self.operations.rung();
                        Continue(())
                    }
                    event = &mut rare => break event,
                };
                event?;
            }
        };
        // A greeting brings its own.
        self.rights = self.rights.take().or(rights);
        self.happened(event)
    }

    fn wake_at(&self) -> Instant {
        let ends = self.wire.late_at().into_iter().chain(self.expires_at());
        let news_at = self.operations.wakes_at().filter(|_| self.may_deliver());
        self.timers.next(ends.chain(news_at).min())
    }

    fn happened(&mut self, event: Rare) -> Turn {
        match event {
            Rare::Nothing => Continue(()),
            Rare::Rights(user) => {
                self.look_again(user);
                Continue(())
            }
            Rare::Drain => {
                let spread = Duration::from_secs(self.server.platform.config.server.drain_seconds);
                self.timers.leave_at = Some(Instant::now() + jitter(spread));
                Continue(())
            }
            Rare::Timer => self.tick(),
        }
    }

    fn hear(&mut self, heard: Heard) -> Turn {
        match heard {
            Heard::Flushed => return Continue(()),
            Heard::Gone => return Break(None),
            Heard::TooLarge => return Break(Some(Closing::TOO_LARGE)),
            Heard::Binary => return Break(Some(Closing::NOT_JSON)),
            Heard::Sign => self.pings_missed = 0,
            Heard::Text(text) => {
                self.pings_missed = 0;
                match self.dialect.read(&text) {
                    Ok(said) => return self.answer(said),
                    Err(closing) => return Break(Some(closing)),
                }
            }
        }
        Continue(())
    }

    fn answer(&mut self, said: Said) -> Turn {
        match said {
            Said::Init(payload) => {
                let Phase::Opened(header) = &self.phase else { return Break(Some(Closing::SECOND_INIT)) };
                let greeting = Greeting::read(payload.as_deref(), header.as_deref());
                self.phase = Phase::Greeting;
                self.resume = greeting.resume;
                if greeting.token.is_some() {
                    // Before the session is looked at, so that no change slips in between.
                    self.rights = Some(self.server.platform.hub.rights());
                }
                self.work.push(work::greet(self.server.clone(), greeting.token, greeting.client));
            }
            // A payload that nobody needs is not echoed: a client that never reads could make the server keep it.
            Said::Ping(payload) => {
                let payload = payload.filter(|payload| payload.get().len() <= PING_MAX);
                self.wire.push(self.dialect.pong(payload.as_deref()));
            }
            Said::Pong => {}
            Said::Start(start) if matches!(self.phase, Phase::Open) => return self.start(start),
            Said::Start(start) => return self.start_early(start),
            Said::Stop(id) => {
                self.operations.stop(&id);
                self.waiting.retain(|start| *start.id != *id);
            }
            Said::Terminate => return Break(Some(Closing::DONE)),
        }
        Continue(())
    }

    /// Takes all results that are there, so that their frames go out together.
    fn finish_all(&mut self, first: Done) -> Turn {
        self.finish(first)?;
        while let Some(done) = self.work.next().now_or_never() {
            self.finish(done)?;
        }
        Continue(())
    }

    fn finish(&mut self, done: Done) -> Turn {
        match done {
            Done::Greeted(Ok(pass)) => self.open(pass),
            Done::Greeted(Err(error)) => Break(Some(closing(&error))),
            Done::Checked(outcome) => self.checked(outcome),
            Done::Started { serial, outcome } => self.started(serial, outcome),
            Done::Delivered { serial, operation, delivery } => {
                self.delivering -= 1;
                match delivery {
                    Delivery::Ended(error) => return Break(Some(closing(&error))),
                    Delivery::Answers(answers) => {
                        self.show(serial, answers.iter().map(|shown| &*shown.text));
                        self.operations.rest(serial, operation);
                    }
                }
                Continue(())
            }
        }
    }

    fn open(&mut self, pass: Option<Pass>) -> Turn {
        self.caller.viewer = pass.map(|pass| pass.viewer);
        self.seat = self.server.seat(&self.caller);
        if self.seat.is_none() {
            return Break(Some(Closing::OVERLOADED));
        }
        self.pass = pass;
        self.phase = Phase::Open;
        self.timers.beat_at = Instant::now() + self.beat();
        self.wire.push(self.dialect.ack());
        if self.dialect == Dialect::Legacy {
            self.wire.push(self.dialect.keep_alive());
        }
        for start in std::mem::take(&mut self.waiting) {
            self.start(start)?;
        }
        Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of<F>(_: fn(Box<Connection>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_quiet_socket_is_small() {
        let (state, turn) = (size_of::<Connection>(), bytes_of(Connection::run));
        assert!(state + turn <= 2_048, "a socket takes {state} bytes, and its loop {turn}");
    }
}
