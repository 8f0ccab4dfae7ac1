//! The operations that a socket's client asks for: which run now, which wait for their turn, which are refused.

use std::ops::ControlFlow::{Break, Continue};

use super::MESSAGE_MAX;
use super::connection::{Connection, Turn};
use super::deliveries::DELIVERIES_AT_ONCE;
use super::protocol::{Closing, Dialect, Start};
use super::work::{self, Started};
use crate::kernel::{Caller, Code, Error};

/// Bytes of requests that may wait for their turn: as many as two messages have.
const WAITING_BYTES_MAX: usize = 2 * MESSAGE_MAX;
/// Operations of old clients that may wait for the ack, and the bytes that they may have.
const EARLY_MAX: (usize, usize) = (8, 64 << 10);

impl Connection {
    /// Old clients do not wait for the ack.
    pub(super) fn start_early(&mut self, start: Start) -> Turn {
        let total: usize = self.waiting.iter().map(Start::bytes).sum::<usize>() + start.bytes();
        let (count_max, bytes_max) = EARLY_MAX;
        if self.dialect != Dialect::Legacy || self.waiting.len() >= count_max || total > bytes_max {
            return Break(Some(Closing::BEFORE_ACK));
        }
        self.waiting.push(start);
        Continue(())
    }

    pub(super) fn start(&mut self, start: Start) -> Turn {
        let limit = self.server.live.limits.operations_per_socket;
        // What was stopped by its client still counts while it runs.
        if self.operations.len() >= limit || self.work.len() >= limit + usize::from(DELIVERIES_AT_ONCE) {
            self.refuse(&start.id, format!("A socket has at most {limit} operations; end one first."));
            return Continue(());
        }
        let waiting: usize = self.waiting.iter().map(Start::bytes).sum();
        if waiting + start.bytes() > WAITING_BYTES_MAX {
            self.refuse(&start.id, format!("At most {WAITING_BYTES_MAX} bytes wait for their turn on a socket."));
            return Continue(());
        }
        if self.operations.add(&start.id).is_none() {
            return Break(Some(Closing::DUPLICATE));
        }
        self.waiting.push(start);
        self.execute();
        Continue(())
    }

    fn refuse(&mut self, id: &str, message: String) {
        let error = work::refusal(Error::new(Code::RateLimited, message));
        self.wire.push(self.dialect.error(id, &[error]));
    }

    /// Runs what waits, as far as enough has ended.
    fn execute(&mut self) {
        let free = self.server.live.limits.executions_per_socket.saturating_sub(self.executing);
        let next = self.waiting.len().min(usize::from(free));
        for start in self.waiting.drain(..next) {
            let Some(serial) = self.operations.serial(&start.id) else { continue };
            self.executing += 1;
            let request_id = self.server.platform.ids.uuid().to_string().into();
            let caller = Caller { request_id, ..self.caller.clone() };
            let (server, resume, bell) = (self.server.clone(), self.resume.clone(), self.bell.clone());
            self.work.push(work::start(server, caller, serial, start.payload, resume, bell));
        }
        if self.waiting.is_empty() {
            // A burst leaves no memory behind.
            self.waiting = Vec::new();
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
