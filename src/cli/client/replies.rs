//! What the server says, and to whom it goes.

use std::ops::ControlFlow::Continue;

use serde_json::{Value, json};

use super::documents::RENEW;
use super::operations::{Kind, Live, Meaning, Operation, Refusal, Request};
use super::scribe::Scribe;
use super::session::{Session, Turn, sent};
use super::show::{self, Line};
use super::socket::{Frame, Socket};
use super::tokens::Tokens;

impl Session {
    /// Takes a message.
    pub(super) async fn hear(&mut self, frame: Frame, socket: &mut Socket) -> Turn {
        match frame {
            Frame::Ping => sent(socket.send(&json!({ "type": "pong" })).await),
            Frame::Pong => {
                for reply in self.pings.drain(..) {
                    // Whoever asked may have given up.
                    let _ = reply.send(());
                }
                Continue(())
            }
            Frame::Next(id, answer) => self.next(id, answer, socket).await,
            Frame::Error(id, errors) => {
                let refusal = Refusal::of_errors(&errors).unwrap_or_else(|| Refusal::new("UNKNOWN", "refused"));
                self.end(id, refusal);
                Continue(())
            }
            Frame::Complete(id) => {
                self.end(id, Refusal::new("COMPLETED", "the server ended it"));
                Continue(())
            }
            Frame::Other => Continue(()),
        }
    }

    async fn next(&mut self, id: u64, answer: Value, socket: &mut Socket) -> Turn {
        if let Some(Operation { kind: Kind::Live(live), .. }) = self.operations.get_mut(&id) {
            tell(&self.scribe, &self.who, live, &answer);
            if let Some(opened) = live.opened.take() {
                // Behind what was told: a script must not end before a gap is known. Whoever asked may have given up.
                let _ = opened.send(Ok(()));
            }
            return Continue(());
        }
        match self.operations.remove(&id).map(|operation| operation.kind) {
            // Whoever asked may have given up.
            Some(Kind::Once(once)) => drop(once.reply.send(Ok(answer))),
            Some(Kind::Refresh) => {
                if let Ok(tokens) = Tokens::of(&answer, "sessionRefresh") {
                    let request = Request::input(RENEW, json!({ "accessToken": tokens.access }));
                    self.tokens = Some(tokens);
                    let message = self.add(None, request, Kind::Renewal, true);
                    return sent(socket.send(&message).await);
                }
                // Refused: the socket is closed when its token ends, and then it is told.
            }
            _ => {}
        }
        Continue(())
    }

    /// An operation is over. Nobody is left to be told of one that was answered.
    fn end(&mut self, id: u64, refusal: Refusal) {
        match self.operations.remove(&id).map(|operation| operation.kind) {
            Some(Kind::Once(once)) => drop(once.reply.send(Err(refusal))),
            Some(Kind::Live(Live { opened: Some(opened), .. })) => drop(opened.send(Err(refusal))),
            Some(Kind::Live(live)) => {
                let text = format!("{} has ended: {} {}", live.label, refusal.code, refusal.message);
                self.scribe.write(Line::new(show::Kind::Error, &self.who, text).with("code", refusal.code).grave());
            }
            _ => {}
        }
    }
}

/// Tells an item of a subscription, unless it was told before.
fn tell(scribe: &Scribe, who: &str, live: &mut Live, answer: &Value) {
    let none = Value::Null;
    let (view, item) = answer["data"]
        .as_object()
        .and_then(|data| data.iter().next())
        .map_or(("", &none), |(view, item)| (view.as_str(), item));
    let meaning = live.take(item);
    let label = &live.label;
    if let Some(refusal) = Refusal::of_errors(&answer["errors"]) {
        let text = format!("{label}: an event could not be shown: {} {}", refusal.code, refusal.message);
        return scribe.write(Line::new(show::Kind::Error, who, text).with("code", refusal.code).grave());
    }
    match meaning {
        Meaning::News => scribe.event(who, view, item),
        Meaning::Repeat | Meaning::Checkpoint => {}
        Meaning::Resumed => scribe.notice(who, format!("{label}: resumed, nothing is missing")),
        Meaning::Gap(reason) => {
            let text = format!("{label}: GAP ({reason}): events are missing, load again what you show");
            scribe.write(Line::new(show::Kind::Error, who, text).with("gap", reason).grave());
        }
    }
}
