//! The operations that a socket's client asks for: which run now, which wait for their turn, which are refused.

use std::collections::VecDeque;
use std::ops::ControlFlow::{Break, Continue};

use super::MESSAGE_MAX;
use super::connection::{Connection, DELIVERIES_AT_ONCE, Turn};
use super::protocol::{Closing, Dialect, Start};
use super::work::{self, Started};
use crate::kernel::{Caller, Code, Error};

/// Bytes of requests that may wait for their turn: as many as two messages have.
const QUEUED_BYTES_MAX: usize = 2 * MESSAGE_MAX;
/// Operations of old clients that may wait for the ack, and the bytes that they may have.
const EARLY_MAX: (usize, usize) = (8, 64 << 10);

impl Connection {
    /// Old clients do not wait for the ack.
    pub(super) fn start_early(&mut self, start: Start) -> Turn {
        let total: usize = self.early.iter().map(Start::bytes).sum::<usize>() + start.bytes();
        let (count_max, bytes_max) = EARLY_MAX;
        if self.dialect != Dialect::Legacy || self.early.len() >= count_max || total > bytes_max {
            return Break(Some(Closing::BEFORE_ACK));
        }
        self.early.push(start);
        Continue(())
    }

    pub(super) fn start(&mut self, start: Start) -> Turn {
        let limit = self.server.live.limits.operations_per_socket;
        // What was stopped by its client still counts while it runs.
        if self.operations.len() >= limit || self.work.len() >= limit + DELIVERIES_AT_ONCE {
            self.refuse(&start.id, format!("A socket has at most {limit} operations; end one first."));
            return Continue(());
        }
        let queued: usize = self.queue.iter().map(|(_, start)| start.bytes()).sum();
        if queued + start.bytes() > QUEUED_BYTES_MAX {
            self.refuse(&start.id, format!("At most {QUEUED_BYTES_MAX} bytes wait for their turn on a socket."));
            return Continue(());
        }
        let Some(serial) = self.operations.add(&start.id) else { return Break(Some(Closing::DUPLICATE)) };
        self.queue.push_back((serial, start));
        self.execute();
        Continue(())
    }

    fn refuse(&mut self, id: &str, message: String) {
        let error = work::refusal(Error::new(Code::RateLimited, message));
        self.wire.push(self.dialect.error(id, &[error]));
    }

    /// Runs what waits, as far as enough has ended.
    fn execute(&mut self) {
        while self.executing < self.server.live.limits.executions_per_socket {
            let Some((serial, start)) = self.queue.pop_front() else { break };
            self.executing += 1;
            let request_id = self.server.platform.ids.uuid().to_string().into();
            let caller = Caller { request_id, ..self.caller.clone() };
            let (server, resume, bell) = (self.server.clone(), self.resume.clone(), self.bell.clone());
            self.work.push(work::start(server, caller, serial, start.payload, resume, bell));
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// What became of one that ran.
    pub(super) fn started(&mut self, serial: u32, outcome: Started) -> Turn {
        self.executing -= 1;
        self.execute();
        let id = self.operations.id(serial);
        match outcome {
            Started::Live(operation) => {
                let most = self.server.live.limits.document_bytes_per_socket;
                let id = id.map(str::to_owned);
                if !self.operations.keep(serial, operation, most) {
                    if let Some(id) = id {
                        let message = "The live operations of a socket have at most";
                        self.refuse(&id, format!("{message} {most} bytes of documents and variables; end one first."));
                    }
                    self.operations.end(serial);
                }
            }
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
