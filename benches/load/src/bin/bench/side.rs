//! One person's socket, whatever the server speaks: joins, says things, and hears what happens.

use load::Outcome;
use load::engine::{EngineSocket, Packet};
use load::socket::{GraphqlSocket, Line};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::data::{Account, type_id};
use crate::ground::{Kind, Running};

/// What a person hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// What it said under this number is done.
    Done(u64),
    /// A message, by its number in the conversation.
    Message(i64),
    /// An announcement, by its title.
    Announcement(usize),
    /// What needs no answer.
    Nothing,
}

/// One person's socket.
pub struct Side {
    kind: Kind,
    line: Speech,
}

enum Speech {
    Graphql(GraphqlSocket),
    Engine(EngineSocket),
}

/// The id of a socket's only subscription.
const SUBSCRIPTION: &str = "s";

impl Side {
    /// Connects somebody to an instance.
    pub async fn open(running: &Running, account: &Account, instance: usize) -> Outcome<Self> {
        let (kind, target) = (running.kind, running.target(instance));
        let token = kind.token(account)?;
        let line = match kind {
            Kind::Socketio => {
                Speech::Engine(EngineSocket::open(target, Line::default(), &json!({ "token": token })).await?)
            }
            _ => {
                let payload = json!({ "authorization": format!("Bearer {token}") });
                Speech::Graphql(GraphqlSocket::open(target, Line::default(), payload).await?)
            }
        };
        Ok(Side { kind, line })
    }

    /// Hears the messages of a conversation from now on.
    pub async fn join(&mut self, conversation: Uuid) -> Outcome<()> {
        let own = "subscription ($c: ID!) { conversationChanged(conversationId: $c) { __typename
            ... on MessageCreated { message { id number content createdAt sender { id displayName } } } } }";
        let peers = "subscription ($c: ID!) { messageAdded(conversationId: $c) {
            __typename id number content createdAt sender { id displayName } } }";
        let variables = json!({ "c": self.id("conversation", conversation) });
        self.listen(own, peers, "conversation:join", json!({ "conversationId": conversation }), variables).await
    }

    /// Hears what is told to everyone.
    pub async fn join_everyone(&mut self) -> Outcome<()> {
        let own = "subscription { announcementPublished { __typename
            ... on AnnouncementAdded { announcement { id title body createdAt } } } }";
        let peers = "subscription { announcementPublished { __typename id title body createdAt } }";
        self.listen(own, peers, "announcement:join", json!({}), json!({})).await
    }

    async fn listen(
        &mut self,
        own: &str,
        peers: &str,
        event: &str,
        value: serde_json::Value,
        variables: serde_json::Value,
    ) -> Outcome<()> {
        let document = if self.kind == Kind::Gigwire { own } else { peers };
        match &mut self.line {
            Speech::Graphql(socket) => socket.subscribe(SUBSCRIPTION, document, variables).await,
            Speech::Engine(socket) => {
                socket.emit(0, event, &value).await?;
                self.until_done(0).await
            }
        }
    }

    /// Writes a message; it is done when [`Heard::Done`] comes with the number.
    pub async fn say(&mut self, number: u64, conversation: Uuid, content: &str, key: &str) -> Outcome<()> {
        let own = "mutation ($input: MessageSendInput!) { messageSend(input: $input) {
            message { id number content createdAt sender { id displayName } } userErrors { code message } } }";
        let peers = "mutation ($c: ID!, $t: String!, $k: String) {
            messageSend(conversationId: $c, content: $t, clientMessageId: $k) {
                id number content createdAt sender { id displayName } } }";
        let id = self.id("conversation", conversation);
        let value = json!({ "conversationId": id, "content": content, "clientMessageId": key });
        match (&mut self.line, self.kind) {
            (Speech::Engine(socket), _) => socket.emit(number, "message:send", &value).await,
            (Speech::Graphql(socket), Kind::Gigwire) => {
                socket.subscribe(&format!("m{number}"), own, json!({ "input": value })).await
            }
            (Speech::Graphql(socket), _) => {
                let variables = json!({ "c": id, "t": content, "k": key });
                socket.subscribe(&format!("m{number}"), peers, variables).await
            }
        }
    }

    /// Tells everyone something under a title that is a number.
    pub async fn tell(&mut self, title: usize, body: &str) -> Outcome<()> {
        let own = "mutation ($input: AnnouncementPublishInput!) { announcementPublish(input: $input) {
            announcement { id } userErrors { code message } } }";
        let peers = "mutation ($t: String!, $b: String!) { announcementPublish(title: $t, body: $b) { id } }";
        let name = title.to_string();
        match (&mut self.line, self.kind) {
            (Speech::Engine(socket), _) => {
                let value = json!({ "title": name, "body": body });
                socket.emit(title as u64, "announcement:publish", &value).await
            }
            (Speech::Graphql(socket), Kind::Gigwire) => {
                let input = json!({ "title": name, "body": body });
                socket.subscribe(&format!("m{title}"), own, json!({ "input": input })).await
            }
            (Speech::Graphql(socket), _) => {
                socket.subscribe(&format!("m{title}"), peers, json!({ "t": name, "b": body })).await
            }
        }
    }

    /// What happens next.
    pub async fn hear(&mut self) -> Outcome<Heard> {
        match &mut self.line {
            Speech::Graphql(socket) => read_graphql(&socket.text().await?),
            Speech::Engine(socket) => read_engine(&socket.text().await?),
        }
    }

    /// Waits until what was said under a number is done.
    pub async fn until_done(&mut self, number: u64) -> Outcome<()> {
        while self.hear().await? != Heard::Done(number) {}
        Ok(())
    }

    /// Stays, and answers pings, until the connection is over.
    pub async fn idle(mut self) {
        while self.hear().await.is_ok() {}
    }

    fn id(&self, kind: &str, id: Uuid) -> String {
        if self.kind == Kind::Gigwire { type_id(kind, id) } else { id.to_string() }
    }
}

/// A message of graphql-transport-ws, without looking into its payload.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: Option<&'a str>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

fn read_graphql(text: &str) -> Outcome<Heard> {
    let refused = || format!("refused: {text}");
    let frame: Frame = serde_json::from_str(text)?;
    let payload = frame.payload.map_or("", RawValue::get);
    match (frame.kind, frame.id) {
        ("error", _) => Err(refused().into()),
        ("complete", Some(SUBSCRIPTION)) => Err(format!("a subscription ended: {text}").into()),
        ("next", _) if payload.contains(r#""errors":"#) => Err(refused().into()),
        ("next", Some(SUBSCRIPTION)) => happened(payload),
        ("next", Some(id)) => {
            if payload.contains(r#""userErrors":"#) && !payload.contains(r#""userErrors":[]"#) {
                return Err(refused().into());
            }
            Ok(Heard::Done(id.trim_start_matches('m').parse()?))
        }
        _ => Ok(Heard::Nothing),
    }
}

fn read_engine(text: &str) -> Outcome<Heard> {
    match Packet::read(text) {
        Packet::Event(event) => happened(event),
        Packet::Ack(number, values) if values.contains(r#""ok":true"#) => Ok(Heard::Done(number)),
        Packet::Ack(..) | Packet::Refusal(_) => Err(format!("refused: {text}").into()),
        _ => Ok(Heard::Nothing),
    }
}

/// What a delivery tells: each has exactly one of these two.
fn happened(text: &str) -> Outcome<Heard> {
    if let Some(digits) = behind(text, r#""title":""#) {
        return Ok(Heard::Announcement(digits.parse()?));
    }
    match behind(text, r#""number":"#).or_else(|| behind(text, r#""number":""#)) {
        Some(digits) => Ok(Heard::Message(digits.parse()?)),
        None => Ok(Heard::Nothing),
    }
}

/// The digits behind a mark, if there are any.
fn behind<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &rest[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_heard_in_both_languages() {
        let next = |id: &str, data: &str| format!(r#"{{"id":"{id}","type":"next","payload":{{"data":{data}}}}}"#);
        let message = r#"{"conversationChanged":{"message":{"id":"msg_1","number":7,"content":"a"}}}"#;
        assert_eq!(read_graphql(&next("s", message)).unwrap(), Heard::Message(7));
        let done = r#"{"messageSend":{"message":{"number":7},"userErrors":[]}}"#;
        assert_eq!(read_graphql(&next("m12", done)).unwrap(), Heard::Done(12));
        let refused = r#"{"messageSend":{"message":null,"userErrors":[{"code":"NOT_FOUND"}]}}"#;
        assert!(read_graphql(&next("m12", refused)).is_err());
        assert!(read_graphql(r#"{"id":"s","type":"complete"}"#).is_err());
        assert_eq!(read_graphql(r#"{"id":"m12","type":"complete"}"#).unwrap(), Heard::Nothing);
        assert_eq!(read_engine(r#"42["message:new",{"number":"9"}]"#).unwrap(), Heard::Message(9));
        assert_eq!(read_engine(r#"42["announcement",{"title":"3"}]"#).unwrap(), Heard::Announcement(3));
        assert_eq!(read_engine(r#"435[{"ok":true}]"#).unwrap(), Heard::Done(5));
        assert!(read_engine(r#"435[{"ok":false}]"#).is_err());
    }
}
