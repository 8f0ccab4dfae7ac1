//! The facts that chat states. All of them are about a conversation, so that a view can show only one.

use serde::{Deserialize, Serialize};

use super::{Conversation, Message};
use crate::kernel::Result;
use crate::kernel::id::{ConversationId, TypedId, UserId};
use crate::platform::bus::Note;
use crate::platform::streams::{Draft, Signal};

/// The subscription that shows them.
pub const NOUN: &str = "conversation";
/// Somebody wrote.
pub const CREATED: &str = "MessageCreated";
/// Messages have reached a device.
pub const DELIVERED: &str = "MessagesDelivered";
/// Messages were read.
pub const READ: &str = "MessagesRead";
/// Staff read along from now on.
pub const STAFF_JOINED: &str = "ConversationStaffJoined";

/// After so many milliseconds without a newer signal, nobody types any more.
const TYPING_MS: u64 = 6_000;

/// How far a conversation has come, for [`CREATED`] and [`DELIVERED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpTo {
    /// The number of a message.
    pub number: i64,
}

/// What was read, for [`READ`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFacts {
    /// Who has read.
    pub reader: UserId,
    /// Everything up to the message with this number.
    pub number: i64,
    /// How many messages became read.
    pub read_count: i64,
}

/// Somebody wrote. Both hear of it: the sender has other devices.
pub fn created(message: &Message, people: [UserId; 2]) -> Result<Draft> {
    let draft = Draft::new(NOUN, CREATED, message.id, message.version).about(message.conversation);
    draft.to(people).facts(&UpTo { number: message.number })
}

/// Messages have reached a device of the other: told to their sender.
pub fn delivered(conversation: ConversationId, version: i64, sender: UserId, number: i64) -> Result<Draft> {
    Draft::new(NOUN, DELIVERED, conversation, version).to([sender]).facts(&UpTo { number })
}

/// Messages were read: told to their sender, and to the reader's other devices.
pub fn read(conversation: ConversationId, version: i64, people: [UserId; 2], facts: ReadFacts) -> Result<Draft> {
    Draft::new(NOUN, READ, conversation, version).to(people).facts(&facts)
}

/// Where signals of typing go.
pub fn typing_topic(conversation: ConversationId) -> String {
    format!("typing:{}", conversation.uuid().simple())
}

/// Somebody began or stopped to type. It is told and forgotten, never stored.
pub fn typing(conversation: ConversationId, user: UserId, is_typing: bool) -> Result<Note> {
    let reverts_after_ms = is_typing.then_some(TYPING_MS);
    let signal = Signal { reverts_after_ms, ..Signal::of(user.uuid(), is_typing) };
    let body = serde_json::to_string(&signal).map_err(crate::kernel::Error::internal)?;
    Ok(Note::Signal { topic: typing_topic(conversation).into(), body: body.into() })
}

/// Staff read along from now on.
pub fn staff_joined(seen: &Conversation) -> Draft {
    Draft::new(NOUN, STAFF_JOINED, seen.id, seen.version).to(seen.people())
}
