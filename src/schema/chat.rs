//! Chat in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::scalars::DateTime;
use crate::features::chat as feature;
use crate::kernel::id::UserId;

/// Two people talking about one job, booking or listing. Only they see it, and
/// staff who joined because of a dispute, until it has ended.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Conversation {
    /// The id.
    pub id: ID,
    /// How many messages the viewer has not read. Own messages never count.
    pub unread_count: i32,
    /// How many of the staff read along: only while the two have a dispute, and without writing.
    pub staff_count: i32,
    /// Whether it takes messages. A closed one can still be read.
    pub is_active: bool,
    /// Since when.
    pub created_at: DateTime,
    /// The last message, opening or closing.
    pub updated_at: DateTime,
    /// Grows with each change, read and delivered marks included.
    pub version: i32,
    /// The whole conversation, as the viewer sees it.
    #[graphql(skip)]
    pub row: Arc<feature::Conversation>,
}

impl From<Arc<feature::Conversation>> for Conversation {
    fn from(row: Arc<feature::Conversation>) -> Self {
        Conversation {
            id: row.id.into(),
            unread_count: super::int(row.unread()),
            staff_count: super::int(row.staff),
            is_active: row.is_active,
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// The viewer's conversations, newest activity first. One that gets a message moves to the top.
    ConversationConnection, ConversationEdge, Conversation, Access::Party
}

/// Something that one of the two people wrote.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Message {
    /// The id.
    pub id: ID,
    /// Its place in the conversation: 1, 2, 3, without gaps.
    pub number: i32,
    /// The key that its sender gave it; null for the other person, and where there is none.
    pub client_message_id: Option<String>,
    /// The text: 1 to 2000 characters.
    pub content: String,
    /// When it was sent.
    pub created_at: DateTime,
    /// Changed last. Its status is no change.
    pub updated_at: DateTime,
    /// The whole message, as the viewer sees it.
    #[graphql(skip)]
    pub row: Arc<feature::Message>,
}

impl From<Arc<feature::Message>> for Message {
    fn from(row: Arc<feature::Message>) -> Self {
        Message {
            id: row.id.into(),
            number: super::int(row.number),
            client_message_id: row.own_key().map(str::to_owned),
            content: row.content.clone(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            row,
        }
    }
}

connection! {
    /// A conversation's messages, oldest first: `last` gives the newest page, `before` the page in front of it.
    MessageConnection, MessageEdge, Message, Access::Party
}

/// How far a message has come. It only ever moves on.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum MessageStatus {
    /// Stored; the other person will get it.
    Sent,
    /// On a device of the other person.
    Delivered,
    /// Read by the other person.
    Read,
}

/// What is to be said, and where.
#[derive(InputObject)]
pub struct MessageSendInput {
    /// The conversation.
    pub conversation_id: ID,
    /// The text: 1 to 2000 characters. Control characters are dropped.
    pub content: String,
    /// A key of the client's own, new for each message, at most 255 characters. With it a message may be sent again after
    /// a lost answer: it is stored once, and the answer is the first message.
    pub client_message_id: Option<String>,
}

/// The message as it was stored.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct MessageSendPayload {
    /// The message.
    pub message: Option<Message>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<ChatError>,
}
payload!(MessageSendPayload, ChatError);

/// What was read.
#[derive(InputObject)]
pub struct ConversationMarkReadInput {
    /// The conversation.
    pub conversation_id: ID,
    /// The last message that was read; everything in front of it is read too.
    pub up_to_message_id: ID,
}

/// The conversation after the mark.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct ConversationMarkReadPayload {
    /// The conversation.
    pub conversation: Option<Conversation>,
    /// How many messages became read by this: 0 when all of them were read before.
    pub read_count: Option<i32>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<ChatError>,
}
payload!(ConversationMarkReadPayload, ChatError);

/// Whether the viewer is typing, and where.
#[derive(InputObject)]
pub struct TypingSetInput {
    /// The conversation.
    pub conversation_id: ID,
    /// Whether the viewer types now. Repeat it every few seconds while it is so: it ends by itself after 6 seconds.
    pub is_typing: bool,
}

/// What was told.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct TypingSetPayload {
    /// Whether the viewer is typing now.
    pub is_typing: Option<bool>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<ChatError>,
}
payload!(TypingSetPayload, ChatError);

user_error! {
    /// Why something in a chat was refused.
    ChatError, ChatErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such conversation or message for the viewer.
        NotFound,
        /// The conversation takes no more messages.
        ConversationClosed,
    }
}

event_object! {
    /// Somebody wrote a message. Its sender's other devices hear of it too.
    MessageCreated, Access::Party
}
event_object! {
    /// Messages have reached a device of the other person. Only their sender hears of it.
    MessagesDelivered, Access::Party
}
event_object! {
    /// Messages were read. Their sender hears of it, and the reader's other devices.
    MessagesRead, Access::Party
}
event_object! {
    /// Staff read along from now on, because of a dispute.
    ConversationStaffJoined, Access::Party
}

event_interface! {
    /// What happens in conversations.
    ConversationEvent, Access::SignedIn, {
        /// Somebody wrote.
        Created(MessageCreated),
        /// Messages have arrived.
        Delivered(MessagesDelivered),
        /// Messages were read.
        Read(MessagesRead),
        /// Staff read along from now on.
        StaffJoined(ConversationStaffJoined),
    }
}

/// Somebody began or stopped to type. It is not stored: who is away misses it.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct TypingSignal {
    /// An id of this item.
    pub id: ID,
    /// Always null: signals are not replayed.
    pub cursor: Option<String>,
    /// When it was sent.
    pub occurred_at: DateTime,
    /// Whether the user types now.
    pub is_typing: bool,
    /// Who.
    #[graphql(skip)]
    pub user_id: UserId,
}
