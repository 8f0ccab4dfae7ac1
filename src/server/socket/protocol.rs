//! The two subprotocols as data: what clients say, what they are told, and why a socket is closed.

use std::borrow::Cow;

use async_graphql::ServerError;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::server::documents::check_json_depth;

/// Bytes of an operation's id at most: it is kept, and repeated in every frame.
const ID_MAX: usize = 256;

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `graphql-transport-ws`, of the library graphql-ws.
    Transport,
    /// `graphql-ws`, of the older subscriptions-transport-ws.
    Legacy,
}

/// Why a socket is closed. The code decides whether stock clients come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame.
    pub code: u16,
    /// Its reason.
    pub reason: &'static str,
}

macro_rules! closings {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        impl Closing {
            $($(#[$doc])* pub const $name: Closing = Closing { code: $code, reason: $reason };)*
        }
    };
}
closings! {
    /// The client said that it is done.
    DONE = 1000, "Bye";
    /// A message over the limit.
    TOO_LARGE = 1009, "Message over 1 MiB";
    /// The server stops; another one is there.
    RESTART = 1012, "Service restart";
    /// Too much is open, or something that is needed is away.
    OVERLOADED = 1013, "Overloaded, try again later";
    /// The client takes nothing of what is sent.
    TOO_SLOW = 1013, "Too slow, try again later";
    /// The client answers no pings.
    SILENT = 1013, "No answer to pings";
    /// Not a JSON object with a type.
    NOT_JSON = 4400, "Invalid message: not a JSON object with a `type`";
    /// A type that the subprotocol does not have.
    UNKNOWN_TYPE = 4400, "Invalid message: unknown `type`";
    /// An id that is missing, too long or no text.
    BAD_ID = 4400, "Invalid message: `id` must be a string of up to 256 bytes";
    /// An init payload that nests too deep.
    BAD_PAYLOAD = 4400, "Invalid message: `payload` nests too deep";
    /// An operation before the ack.
    BEFORE_ACK = 4401, "Unauthorized: subscribe after connection_ack";
    /// The token is refused, at the start or later.
    REFUSED = 4403, "Forbidden: the token is refused, expired or revoked";
    /// Staff keep the user out.
    BLOCKED = 4403, "Forbidden: the account is blocked";
    /// What is open was granted to other roles.
    ROLES_CHANGED = 4403, "Forbidden: the account's roles changed";
    /// Staff ended the user's connections; its session goes on.
    DISCONNECTED = 4403, "Forbidden: disconnected by staff";
    /// No init in time.
    NO_INIT = 4408, "Connection initialisation timeout";
    /// The id of an open operation.
    DUPLICATE = 4409, "Subscriber already exists for this id";
    /// A second init.
    SECOND_INIT = 4429, "Too many initialisation requests";
}

/// What a client says.
#[derive(Debug)]
pub enum Said {
    /// Opens the conversation.
    Init(Option<Box<RawValue>>),
    /// Asks for a pong.
    Ping(Option<Box<RawValue>>),
    /// Answers a ping.
    Pong,
    /// Runs an operation.
    Start(Start),
    /// Ends an operation.
    Stop(String),
    /// Ends the conversation.
    Terminate,
}

/// An operation to run.
#[derive(Debug)]
pub struct Start {
    /// The client's name for it.
    pub id: Box<str>,
    /// The request.
    pub payload: Option<Box<RawValue>>,
}

impl Start {
    /// Bytes of the request.
    pub fn bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, |payload| payload.get().len())
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
}

impl Envelope<'_> {
    fn id(&self) -> Result<String, Closing> {
        let id = self.id.and_then(|id| serde_json::from_str::<String>(id.get()).ok());
        id.filter(|id| id.len() <= ID_MAX).ok_or(Closing::BAD_ID)
    }
}

impl Dialect {
    /// The name in `Sec-WebSocket-Protocol`.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Transport => "graphql-transport-ws",
            Dialect::Legacy => "graphql-ws",
        }
    }

    /// The dialect of a name.
    pub fn of(name: &str) -> Option<Self> {
        [Dialect::Transport, Dialect::Legacy].into_iter().find(|dialect| dialect.name() == name)
    }

    /// Reads a client's message. The payload stays text: how deep it nests is looked at before it is parsed.
    pub fn read(self, text: &str) -> Result<Said, Closing> {
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Closing::NOT_JSON)?;
        match (self, &*envelope.kind) {
            (_, "connection_init") => {
                let deep = |payload: &RawValue| check_json_depth(payload.get().as_bytes()).is_err();
                if envelope.payload.as_deref().is_some_and(deep) {
                    return Err(Closing::BAD_PAYLOAD);
                }
                Ok(Said::Init(envelope.payload))
            }
            (Dialect::Transport, "ping") => Ok(Said::Ping(envelope.payload)),
            (Dialect::Transport, "pong") => Ok(Said::Pong),
            (Dialect::Transport, "subscribe") | (Dialect::Legacy, "start") => {
                Ok(Said::Start(Start { id: envelope.id()?.into(), payload: envelope.payload }))
            }
            (Dialect::Transport, "complete") | (Dialect::Legacy, "stop") => Ok(Said::Stop(envelope.id()?)),
            (Dialect::Legacy, "connection_terminate") => Ok(Said::Terminate),
            _ => Err(Closing::UNKNOWN_TYPE),
        }
    }

    /// Accepts the conversation.
    pub fn ack(self) -> String {
        r#"{"type":"connection_ack"}"#.to_owned()
    }

    /// Shows that the server lives.
    pub fn keep_alive(self) -> String {
        match self {
            Dialect::Transport => r#"{"type":"ping"}"#.to_owned(),
            Dialect::Legacy => r#"{"type":"ka"}"#.to_owned(),
        }
    }

    /// Answers a ping with its own payload.
    pub fn pong(self, payload: Option<&RawValue>) -> String {
        match payload {
            None => r#"{"type":"pong"}"#.to_owned(),
            Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        }
    }

    /// An answer of an operation; `answer` is JSON.
    pub fn next(self, id: &str, answer: &str) -> String {
        let kind = match self {
            Dialect::Transport => "next",
            Dialect::Legacy => "data",
        };
        format!(r#"{{"id":{},"type":"{kind}","payload":{answer}}}"#, quoted(id))
    }

    /// An operation that could not be run: its end. The old subprotocol has room for one error.
    pub fn error(self, id: &str, errors: &[ServerError]) -> String {
        let payload = match self {
            Dialect::Transport => serde_json::to_string(errors),
            Dialect::Legacy => serde_json::to_string(&errors.first()),
        };
        format!(r#"{{"id":{},"type":"error","payload":{}}}"#, quoted(id), payload.unwrap_or_else(|_| "[]".to_owned()))
    }

    /// The end of an operation.
    pub fn complete(self, id: &str) -> String {
        format!(r#"{{"id":{},"type":"complete"}}"#, quoted(id))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing(dialect: Dialect, text: &str) -> Option<Closing> {
        dialect.read(text).err()
    }

    #[test]
    fn what_is_no_message_closes_the_socket() {
        let cases = [
            ("hello", Closing::NOT_JSON),
            ("[]", Closing::NOT_JSON),
            ("{}", Closing::NOT_JSON),
            (r#"{"type":1}"#, Closing::NOT_JSON),
            (r#"{"type":"shout"}"#, Closing::UNKNOWN_TYPE),
            (r#"{"type":"start","id":"1"}"#, Closing::UNKNOWN_TYPE),
            (r#"{"type":"subscribe","payload":{}}"#, Closing::BAD_ID),
            (r#"{"type":"subscribe","id":1}"#, Closing::BAD_ID),
            (r#"{"type":"complete","id":null}"#, Closing::BAD_ID),
        ];
        for (text, expected) in cases {
            assert_eq!(closing(Dialect::Transport, text), Some(expected), "{text}");
        }
        assert_eq!(closing(Dialect::Legacy, r#"{"type":"ping"}"#), Some(Closing::UNKNOWN_TYPE));
        let long = format!(r#"{{"type":"stop","id":"{}"}}"#, "x".repeat(ID_MAX + 1));
        assert_eq!(closing(Dialect::Legacy, &long), Some(Closing::BAD_ID));
        let deep = format!(r#"{{"type":"connection_init","payload":{}{}}}"#, "[".repeat(90_000), "]".repeat(90_000));
        assert_eq!(closing(Dialect::Transport, &deep), Some(Closing::BAD_PAYLOAD));
    }

    #[test]
    fn both_dialects_start_and_stop() {
        for (dialect, start, stop) in
            [(Dialect::Transport, "subscribe", "complete"), (Dialect::Legacy, "start", "stop")]
        {
            let text = format!(r#"{{"type":"{start}","id":"\"a","payload":{{"query":"{{ a }}"}}}}"#);
            let Ok(Said::Start(said)) = dialect.read(&text) else { panic!("{text}") };
            assert_eq!((&*said.id, said.payload.unwrap().get()), ("\"a", r#"{"query":"{ a }"}"#));
            let Ok(Said::Stop(id)) = dialect.read(&format!(r#"{{"type":"{stop}","id":"1"}}"#)) else {
                panic!("{stop}")
            };
            assert_eq!(id, "1");
        }
        assert!(matches!(Dialect::Legacy.read(r#"{"type":"connection_terminate"}"#), Ok(Said::Terminate)));
    }

    #[test]
    fn frames_have_the_shape_of_their_dialect() {
        let errors = [ServerError::new("no", None), ServerError::new("never", None)];
        let (new, old) = (Dialect::Transport, Dialect::Legacy);
        assert_eq!(new.next("\"", "{}"), r#"{"id":"\"","type":"next","payload":{}}"#);
        assert_eq!(old.next("1", "{}"), r#"{"id":"1","type":"data","payload":{}}"#);
        assert_eq!(
            new.error("1", &errors),
            r#"{"id":"1","type":"error","payload":[{"message":"no"},{"message":"never"}]}"#
        );
        assert_eq!(old.error("1", &errors), r#"{"id":"1","type":"error","payload":{"message":"no"}}"#);
        assert_eq!(old.complete("1"), r#"{"id":"1","type":"complete"}"#);
        assert_eq!(Dialect::of("graphql-ws"), Some(old));
        assert_eq!(Dialect::of("soap"), None);
    }

    #[test]
    fn no_closing_drives_clients_away_that_could_mend_it() {
        for closing in [Closing::RESTART, Closing::OVERLOADED, Closing::TOO_SLOW, Closing::SILENT] {
            assert!(![1002, 1011, 4500].contains(&closing.code), "{closing:?}");
            assert!(closing.reason.len() <= 123, "a close frame has no more room");
        }
    }
}
