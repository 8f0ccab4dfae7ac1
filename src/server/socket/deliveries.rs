//! What is new for the live operations of a socket, on its way to the client.

use super::connection::Connection;
use super::work;
use crate::server::live::AtHand;

/// Live operations of one socket that are shaped at once.
pub(super) const DELIVERIES_AT_ONCE: u16 = 8;

impl Connection {
    /// Once all frames of the last pages have gone out, and few enough pages are under way.
    pub(super) fn may_deliver(&self) -> bool {
        self.wire.is_idle() && self.delivering < DELIVERIES_AT_ONCE
    }

    /// Gives operations what is new, as long as their client takes it.
    pub(super) async fn deliver(&mut self) {
        loop {
            self.start_deliveries();
            if self.wire.is_idle() || !self.wire.send_now().await {
                return;
            }
        }
    }

    /// Gives operations with news their next page.
    fn start_deliveries(&mut self) {
        let age = self.server.live.limits.checkpoint;
        while self.may_deliver() {
            let Some((serial, mut operation)) = self.operations.take_ready(|operation| operation.has_news(age)) else {
                break;
            };
            match operation.at_hand(&self.server, &self.caller, &self.bell) {
                AtHand::Nothing => {
                    self.delivering += 1;
                    self.work.push(work::deliver(self.server.clone(), self.caller.clone(), serial, operation));
                    continue;
                }
                AtHand::Answers(answers) => self.show(serial, answers.iter().map(|text| &**text)),
                AtHand::Later => {}
            }
            self.operations.rest(serial, operation);
        }
    }

    /// Sends answers of an operation, unless its client has ended it.
    pub(super) fn show<'a>(&mut self, serial: u32, answers: impl Iterator<Item = &'a str>) {
        if let Some(id) = self.operations.id(serial) {
            answers.for_each(|text| self.wire.push(self.dialect.next(id, text)));
        }
    }
}
