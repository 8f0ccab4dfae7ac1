//! The loop of one socket.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::auth::Greeting;
use super::life::{changed, closing};
use super::operations::Operations;
use super::protocol::{Closing, Dialect, Said, Start};
use super::timers::{Timers, jitter};
use super::wire::{Heard, Wire};
use super::work::{self, Beside, Done, Started};
use crate::features::accounts::sessions::Pass;
use crate::kernel::{Caller, Code, Error};
use crate::platform::streams::Bell;
use crate::server::live::{Delivery, Seat};
use crate::server::state::Server;

/// Live operations of one socket that are shaped at once.
const DELIVERIES_AT_ONCE: usize = 8;
/// Operations of old clients that may wait for the ack, and the bytes that they may have.
const EARLY_MAX: (usize, usize) = (8, 64 << 10);

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
    pub(super) early: Vec<Start>,
    pub(super) operations: Operations,
    pub(super) work: Beside,
    pub(super) delivering: usize,
    pub(super) checking: bool,
    pub(super) bell: Bell,
    pub(super) rights: Option<broadcast::Receiver<Option<Uuid>>>,
    pub(super) timers: Timers,
    pub(super) pings_missed: u8,
}

/// What wakes the loop.
enum Event {
    Heard(Heard),
    Done(Done),
    Bell,
    Rights(Option<Uuid>),
    Drain,
    Timer,
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
            early: Vec::new(),
            operations: Operations::default(),
            work: Beside::default(),
            delivering: 0,
            checking: false,
            bell: Bell::default(),
            rights: None,
            pings_missed: 0,
        }
    }

    /// Runs until one side closes. Boxed, because a future keeps what it is made from beside what it works with.
    pub async fn run(mut self: Box<Self>) {
        let closing = loop {
            if let Break(closing) = self.turn().await {
                break closing;
            }
        };
        let Connection { wire, operations, work, seat, .. } = *self;
        // Watches end and the seat is free before the goodbye, which may take a while.
        drop((operations, work, seat));
        if let Some(closing) = closing {
            tracing::debug!(code = closing.code, reason = closing.reason, "a socket is closed");
            let code = closing.code.to_string();
            metrics::counter!("gigwire_sockets_closed_total", "code" => code, "reason" => closing.reason).increment(1);
            // In a box of its own: the loop is sized for waiting, not for its end.
            Box::pin(wire.close(closing)).await;
        }
    }

    async fn turn(&mut self) -> Turn {
        self.start_deliveries();
        let wake_at = self.timers.next(self.wire.late_at().into_iter().chain(self.expires_at()).min());
        let event = tokio::select! {
            heard = self.wire.next() => Event::Heard(heard),
            done = self.work.next() => Event::Done(done),
            () = self.bell.notified() => Event::Bell,
            changed = changed(&mut self.rights) => Event::Rights(changed),
            () = self.server.draining.cancelled(), if self.timers.leave_at.is_none() => Event::Drain,
            () = sleep_until(wake_at) => Event::Timer,
        };
        match event {
            Event::Heard(heard) => self.hear(heard),
            Event::Done(done) => self.finish_all(done),
            // The next turn looks who has news.
            Event::Bell => Continue(()),
            Event::Rights(user) => {
                self.look_again(user);
                Continue(())
            }
            Event::Drain => {
                let spread = Duration::from_secs(self.server.platform.config.server.drain_seconds);
                self.timers.leave_at = Some(Instant::now() + jitter(spread));
                Continue(())
            }
            Event::Timer => self.tick(),
        }
    }

    /// Gives operations with news their next page, once all frames of the last pages have gone out.
    fn start_deliveries(&mut self) {
        if !self.wire.is_idle() {
            return;
        }
        let age = self.server.live.limits.checkpoint;
        while self.delivering < DELIVERIES_AT_ONCE {
            let Some((serial, operation)) = self.operations.take_ready(|operation| operation.has_news(age)) else {
                break;
            };
            self.delivering += 1;
            self.work.push(work::deliver(self.server.clone(), self.caller.clone(), serial, operation));
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
                self.work.push(work::greet(self.server.clone(), greeting.token));
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
                self.early.retain(|start| *start.id != *id);
            }
            Said::Terminate => return Break(Some(Closing::DONE)),
        }
        Continue(())
    }

    /// Old clients do not wait for the ack.
    fn start_early(&mut self, start: Start) -> Turn {
        let bytes = |start: &Start| start.payload.as_ref().map_or(0, |payload| payload.get().len());
        let total: usize = self.early.iter().map(bytes).sum::<usize>() + bytes(&start);
        let (count_max, bytes_max) = EARLY_MAX;
        if self.dialect != Dialect::Legacy || self.early.len() >= count_max || total > bytes_max {
            return Break(Some(Closing::BEFORE_ACK));
        }
        self.early.push(start);
        Continue(())
    }

    fn start(&mut self, start: Start) -> Turn {
        let limit = self.server.live.limits.operations_per_socket;
        // What was stopped by its client still counts while it runs.
        if self.operations.len() >= limit || self.work.len() >= limit + DELIVERIES_AT_ONCE {
            let error =
                Error::new(Code::RateLimited, format!("A socket has at most {limit} operations; end one first."));
            self.wire.push(self.dialect.error(&start.id, &[work::refusal(error)]));
            return Continue(());
        }
        let Some(serial) = self.operations.add(&start.id) else { return Break(Some(Closing::DUPLICATE)) };
        let caller = Caller { request_id: self.server.platform.ids.uuid().to_string().into(), ..self.caller.clone() };
        let (server, resume, bell) = (self.server.clone(), self.resume.clone(), self.bell.clone());
        self.work.push(work::start(server, caller, serial, start.payload, resume, bell));
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
                        if let Some(id) = self.operations.id(serial) {
                            answers.iter().for_each(|answer| self.wire.push(self.dialect.next(id, answer)));
                        }
                        self.operations.rest(serial, operation);
                    }
                }
                Continue(())
            }
        }
    }

    fn open(&mut self, pass: Option<Pass>) -> Turn {
        if let Some(pass) = pass {
            self.seat = self.server.live.seat(pass.viewer.user);
            if self.seat.is_none() {
                return Break(Some(Closing::OVERLOADED));
            }
            self.caller.viewer = Some(pass.viewer);
        }
        self.pass = pass;
        self.phase = Phase::Open;
        self.timers.check_at = Instant::now() + self.server.live.limits.recheck;
        self.timers.beat_at = Instant::now() + self.beat();
        self.wire.push(self.dialect.ack());
        if self.dialect == Dialect::Legacy {
            self.wire.push(self.dialect.keep_alive());
        }
        for start in std::mem::take(&mut self.early) {
            self.start(start)?;
        }
        Continue(())
    }

    fn started(&mut self, serial: u32, outcome: Started) -> Turn {
        let id = self.operations.id(serial);
        match outcome {
            Started::Live(operation) => self.operations.rest(serial, operation),
            Started::Refused(errors) => {
                if let Some(id) = id {
                    self.wire.push(self.dialect.error(id, &errors));
                }
                self.operations.end(serial);
            }
            Started::Answer(answer, renewed) => {
                if let (Some(id), Ok(answer)) = (id, serde_json::to_string(&answer)) {
                    self.wire.push(self.dialect.next(id, &answer));
                    self.wire.push(self.dialect.complete(id));
                }
                self.operations.end(serial);
                if let Some(pass) = renewed {
                    return self.renew(pass);
                }
            }
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
        assert!(state + turn <= 1_536, "a socket takes {state} bytes, and its loop {turn}");
    }
}
