//! What a session has asked the server, and what came back.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

/// As many ids of events are remembered to tell repeats.
const SEEN_MAX: usize = 1_000;

/// A document and its variables.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Its variables.
    pub variables: Map<String, Value>,
}

impl Request {
    /// A document without variables.
    pub fn plain(query: &str) -> Self {
        Request { query: query.to_owned(), variables: Map::new() }
    }

    /// A mutation with its one input.
    pub fn input(query: &str, input: Value) -> Self {
        Request { query: query.to_owned(), variables: Map::from_iter([("input".to_owned(), input)]) }
    }
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code of the API.
    pub code: String,
    /// The sentence that goes with it.
    pub message: String,
}

impl Refusal {
    /// A refusal that is this client's own.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Refusal { code: code.to_owned(), message: message.into() }
    }

    /// The first of a list of GraphQL errors, if there is one.
    pub fn of_errors(errors: &Value) -> Option<Self> {
        let first = errors.as_array()?.first()?;
        let code = first["extensions"]["code"].as_str().unwrap_or("UNKNOWN");
        Some(Refusal::new(code, first["message"].as_str().unwrap_or_default()))
    }

    /// Why an answer is not what was wanted: its errors, else the `userErrors` of its mutations.
    pub fn of_answer(answer: &Value) -> Option<Self> {
        let of_payload = |payload: &Value| {
            let first = payload["userErrors"].as_array()?.first()?;
            let text = |name: &str| first[name].as_str().unwrap_or_default();
            Some(Refusal::new(text("code"), text("message")))
        };
        let payloads = || answer["data"].as_object()?.values().find_map(of_payload);
        Refusal::of_errors(&answer["errors"]).or_else(payloads)
    }
}

/// An operation that is answered once.
pub struct Once {
    /// Takes the whole answer.
    pub reply: oneshot::Sender<Result<Value, Refusal>>,
    /// It does no harm to ask again when the connection broke before the answer.
    pub is_repeatable: bool,
}

/// A subscription.
pub struct Live {
    /// What people call it.
    pub label: String,
    /// Where it goes on; none for signals, and until the first item.
    pub cursor: Option<String>,
    /// Takes the word that it is open, or why it is not.
    pub opened: Option<oneshot::Sender<Result<(), Refusal>>>,
    seen: HashSet<String>,
    order: VecDeque<String>,
}

/// What an item of a subscription means.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something happened.
    News,
    /// It was told before.
    Repeat,
    /// Nothing is missing; what was missed follows.
    Resumed,
    /// Events are missing, for this reason.
    Gap(String),
    /// A cursor and nothing else.
    Checkpoint,
}

impl Live {
    /// A subscription that begins behind this cursor.
    pub fn new(label: String, cursor: Option<String>, opened: oneshot::Sender<Result<(), Refusal>>) -> Self {
        Live { label, cursor, opened: Some(opened), seen: HashSet::new(), order: VecDeque::new() }
    }

    /// Keeps an item's cursor and says what the item means.
    pub fn take(&mut self, item: &Value) -> Meaning {
        if let Some(cursor) = item["cursor"].as_str() {
            self.cursor = Some(cursor.to_owned());
        }
        match item["__typename"].as_str() {
            Some("StreamResumed") => return Meaning::Resumed,
            Some("StreamGap") => return Meaning::Gap(item["reason"].as_str().unwrap_or_default().to_owned()),
            Some("StreamCheckpoint") => return Meaning::Checkpoint,
            _ => {}
        }
        // Signals have no cursor, and say the same again.
        match item["id"].as_str().filter(|_| item["cursor"].is_string()) {
            Some(id) if !self.remember(id) => Meaning::Repeat,
            _ => Meaning::News,
        }
    }

    fn remember(&mut self, id: &str) -> bool {
        if !self.seen.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

/// What becomes of an operation's results.
pub enum Kind {
    /// They are one answer.
    Once(Once),
    /// They are told as they come.
    Live(Live),
    /// They are a fresh pair of tokens.
    Refresh,
    /// The socket has the fresh token.
    Renewal,
}

/// An open operation.
pub struct Operation {
    /// What is asked.
    pub request: Request,
    /// Who takes the results.
    pub kind: Kind,
    /// The server may have heard of it.
    pub is_sent: bool,
}

impl Operation {
    /// Nothing of it was sent yet.
    pub fn new(request: Request, kind: Kind) -> Self {
        Operation { request, kind, is_sent: false }
    }

    /// Whether it goes on over the next connection. `is_own_fault`: it may be what broke the last one.
    pub fn survives(&self, is_own_fault: bool) -> bool {
        match &self.kind {
            Kind::Live(_) => true,
            Kind::Once(once) => !self.is_sent || (once.is_repeatable && !is_own_fault),
            Kind::Refresh | Kind::Renewal => false,
        }
    }

    /// The message that starts it, behind its own cursor.
    pub fn start(&self, id: u64) -> Value {
        let mut variables = self.request.variables.clone();
        if let Kind::Live(Live { cursor: Some(cursor), .. }) = &self.kind
            && self.request.query.contains("$after")
        {
            variables.insert("after".to_owned(), cursor.as_str().into());
        }
        let payload = json!({ "query": self.request.query, "variables": variables });
        json!({ "type": "subscribe", "id": id.to_string(), "payload": payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live::new("walletChanged".to_owned(), None, oneshot::channel().0)
    }

    #[test]
    fn a_repeat_is_told_by_its_id_and_the_newest_cursor_is_kept() {
        let mut live = live();
        let event = |id: &str, cursor: &str| json!({ "__typename": "WalletCredited", "id": id, "cursor": cursor });
        assert_eq!(live.take(&event("evt_1", "a")), Meaning::News);
        assert_eq!(live.take(&event("evt_2", "b")), Meaning::News);
        assert_eq!(live.take(&event("evt_1", "a")), Meaning::Repeat);
        assert_eq!(
            live.take(&json!({ "__typename": "StreamCheckpoint", "id": "x", "cursor": "c" })),
            Meaning::Checkpoint
        );
        assert_eq!(live.cursor.as_deref(), Some("c"));
        let gap = json!({ "__typename": "StreamGap", "id": "y", "cursor": "d", "reason": "PRUNED" });
        assert_eq!(live.take(&gap), Meaning::Gap("PRUNED".to_owned()));
        let signal = json!({ "__typename": "TypingSignal", "id": "z", "cursor": null, "isTyping": true });
        assert_eq!([live.take(&signal), live.take(&signal)], [Meaning::News, Meaning::News]);
    }

    #[test]
    fn no_more_ids_are_kept_than_are_needed() {
        let mut live = live();
        for n in 0..3 * SEEN_MAX {
            assert!(live.remember(&format!("evt_{n}")));
        }
        assert_eq!((live.seen.len(), live.order.len()), (SEEN_MAX, SEEN_MAX));
    }

    #[test]
    fn an_operation_comes_back_behind_its_own_cursor() {
        let mut live = live();
        live.cursor = Some("c".to_owned());
        let request = Request::plain("subscription ($after: String) { walletChanged(after: $after) { id } }");
        let start = Operation::new(request, Kind::Live(live)).start(7);
        assert_eq!((&start["id"], &start["payload"]["variables"]["after"]), (&json!("7"), &json!("c")));
    }

    #[test]
    fn only_what_may_be_sent_twice_is() {
        let once = |is_repeatable, is_sent| {
            let once = Once { reply: oneshot::channel().0, is_repeatable };
            Operation { is_sent, ..Operation::new(Request::default(), Kind::Once(once)) }
        };
        assert!(once(false, false).survives(true) && once(true, true).survives(false));
        assert!(!once(false, true).survives(false) && !once(true, true).survives(true));
    }

    #[test]
    fn refusals_are_found_on_both_levels() {
        let top = json!({ "errors": [{ "message": "m", "extensions": { "code": "FORBIDDEN" } }] });
        assert_eq!(Refusal::of_answer(&top), Some(Refusal::new("FORBIDDEN", "m")));
        let below = json!({ "data": { "a": { "userErrors": [] }, "b": { "userErrors": [{ "code": "INVALID", "message": "n" }] } } });
        assert_eq!(Refusal::of_answer(&below), Some(Refusal::new("INVALID", "n")));
        assert_eq!(Refusal::of_answer(&json!({ "data": { "viewer": null } })), None);
    }
}
