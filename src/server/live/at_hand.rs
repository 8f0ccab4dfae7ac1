//! What was shaped for somebody else already. A crowd that watches one topic through one document gets most of its answers
//! from here, without a future for each.

use std::sync::Arc;

use tokio::time::Instant;

use super::operation::{Kind, LiveOperation};
use super::progress::PAGE_BYTES;
use super::shared::{Look, RETRY, SharedKey};
use crate::kernel::Caller;
use crate::platform::streams::{Ahead, Bell, PAGE};
use crate::server::state::Server;

/// What there is for an operation without shaping anything.
pub enum AtHand {
    /// These answers, in order. The operation has moved on behind them.
    Answers(Vec<Arc<str>>),
    /// Somebody shapes the next one, and rings; or it is too soon to try again.
    Later,
    /// Nothing: deliver as usual.
    Nothing,
}

impl LiveOperation {
    /// Takes what is at hand. `bell` rings when more of it is there.
    pub fn at_hand(&mut self, server: &Server, caller: &Caller, bell: &Bell) -> AtHand {
        let is_plain = self.is_shared && self.opening.is_none() && self.throttle.is_none();
        if !is_plain || !server.is_surely_same(caller) {
            return AtHand::Nothing;
        }
        self.rests_until = None;
        let Kind::Streams { tracks, filter } = &mut self.kind else { return AtHand::Nothing };
        let [track] = &mut **tracks else { return AtHand::Nothing };
        let Ahead::Events(events) = track.watch.ahead(track.place, PAGE as usize) else { return AtHand::Nothing };
        let (mut answers, mut bytes) = (Vec::with_capacity(events.len()), 0);
        for event in events.iter().take_while(|event| filter.shows(event)) {
            let key = SharedKey::new(self.document.key, self.variables.as_deref(), event);
            match server.live.shared.look(&key, bell) {
                Look::Made(Some(text)) => {
                    bytes += text.len();
                    answers.push(text);
                }
                // Moved past without a word: the usual way knows when that calls for a checkpoint.
                Look::Made(None) | Look::Nothing => break,
                Look::Coming => {
                    self.is_waiting = true;
                    break;
                }
                Look::Failed => {
                    self.rests_until = Some(Instant::now() + RETRY);
                    self.failures = self.failures.saturating_add(1);
                    break;
                }
            }
            track.place = event.place();
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        if answers.is_empty() {
            return if self.is_waiting || self.rests_until.is_some() { AtHand::Later } else { AtHand::Nothing };
        }
        (self.skipped, self.failures, self.told_at) = (0, 0, Instant::now());
        AtHand::Answers(answers)
    }
}

impl Server {
    /// Whether a caller's session is known to be what it was, without looking anything up.
    fn is_surely_same(&self, caller: &Caller) -> bool {
        caller.viewer.is_none_or(|viewer| self.sessions.holds(viewer))
    }
}
