//! What conversations and messages are, and what follows from their numbers.

use uuid::Uuid;

use crate::kernel::id::{BookingId, ConversationId, JobId, MessageId, TypedId, UserId};
use crate::kernel::page::Cursor;
use crate::kernel::{Code, Error, Result, Timestamp, text};

/// What kind of thing people talk about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A customer's job.
    Job,
    /// A contract.
    Booking,
    /// A contractor's published service.
    Listing,
}

impl SubjectKind {
    const ALL: [SubjectKind; 3] = [SubjectKind::Job, SubjectKind::Booking, SubjectKind::Listing];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            SubjectKind::Job => "job",
            SubjectKind::Booking => "booking",
            SubjectKind::Listing => "listing",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a conversation is about. Chat knows its kind and id only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its bare id.
    pub id: Uuid,
}

impl Subject {
    /// A job.
    pub fn job(id: JobId) -> Self {
        Subject { kind: SubjectKind::Job, id: id.uuid() }
    }

    /// A booking.
    pub fn booking(id: BookingId) -> Self {
        Subject { kind: SubjectKind::Booking, id: id.uuid() }
    }

    /// The job, if it is one.
    pub fn job_id(&self) -> Option<JobId> {
        (self.kind == SubjectKind::Job).then(|| JobId::of(self.id))
    }
}

/// One of the two people of a conversation, with the marks that the other sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user: UserId,
    /// How many messages this person has written.
    pub written: i64,
    /// The number of the last message that this person has read, or 0.
    pub read_number: i64,
    /// How many of the other's messages this person has read.
    pub read_count: i64,
    /// The number of the last message that has reached a device of this person, or 0.
    pub delivered_number: i64,
}

/// A conversation, as one of its two people sees it, or staff who read along: these stand behind one of the two.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Who is looking.
    pub viewer: UserId,
    /// How many of the staff read along, because of a dispute.
    pub staff: i64,
    /// What it is about.
    pub subject: Subject,
    /// The person who is looking, or whom staff stand behind.
    pub me: Participant,
    /// The other person.
    pub other: Participant,
    /// Whether it takes messages.
    pub is_active: bool,
    /// The number of its last message, which is also how many there are.
    pub last_number: i64,
    /// Its last message, if there is one.
    pub last_message: Option<MessageId>,
    /// Its last message's instant, or its own while it is empty.
    pub active_at: Timestamp,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change, those of either person's marks included.
    pub version: i64,
}

impl Conversation {
    /// Whether the viewer is of the staff and no part of the conversation.
    pub fn is_read_along(&self) -> bool {
        self.viewer != self.me.user
    }

    /// How many of the other's messages I have not read. Nothing is addressed to staff.
    pub fn unread(&self) -> i64 {
        if self.is_read_along() { 0 } else { self.other.written - self.me.read_count }
    }

    /// Both people, in an order that is the same for both.
    pub fn people(&self) -> [UserId; 2] {
        let (me, other) = (self.me.user, self.other.user);
        if me < other { [me, other] } else { [other, me] }
    }

    /// How far one of its messages has come: what the one who did not write it has seen.
    pub fn status(&self, message: &Message) -> Status {
        let receiver = if message.sender == self.me.user { &self.other } else { &self.me };
        if message.number <= receiver.read_number {
            Status::Read
        } else if message.number <= receiver.delivered_number {
            Status::Delivered
        } else {
            Status::Sent
        }
    }

    /// Its place in the list of a person's conversations.
    pub fn place(&self) -> Cursor {
        Cursor { key: self.active_at.0, id: self.id.uuid() }
    }
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Stored.
    Sent,
    /// On a device of the receiver.
    Delivered,
    /// Read by the receiver.
    Read,
}

/// A message, as one of the two people sees it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Its place there: 1, 2, 3 without gaps.
    pub number: i64,
    /// Who said it.
    pub sender: UserId,
    /// What was said.
    pub content: String,
    /// The sender's own key for it.
    pub client_message_id: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change of the message itself.
    pub version: i64,
    /// Who is looking.
    pub viewer: UserId,
}

impl Message {
    /// The sender's own key, for the sender alone.
    pub fn own_key(&self) -> Option<&str> {
        self.client_message_id.as_deref().filter(|_| self.viewer == self.sender)
    }

    /// The version that clients see: it grows with the status too, which is no column of the message.
    pub const fn seen_version(&self, status: Status) -> i64 {
        self.version + status as i64
    }

    /// Its place in the conversation.
    pub fn place(&self) -> Cursor {
        Cursor { key: self.number, id: self.id.uuid() }
    }
}

/// What a new message needs, checked.
#[derive(Clone, Debug)]
pub struct Send {
    /// Where.
    pub conversation: ConversationId,
    /// What.
    pub content: String,
    /// With it, a repetition gives the first message.
    pub client_message_id: Option<String>,
}

impl Send {
    /// Checks what a person typed.
    pub fn new(conversation: ConversationId, content: &str, client_message_id: Option<&str>) -> Result<Self> {
        let key = client_message_id.map(text::key).transpose();
        Ok(Send {
            conversation,
            content: text::message(content).map_err(|error| error.at("content"))?,
            client_message_id: key.map_err(|error| error.at("clientMessageId"))?,
        })
    }
}

/// The two people in the order in which they are stored. Nobody talks to themselves.
pub fn pair((one, two): (UserId, UserId)) -> Result<(UserId, UserId)> {
    match one.cmp(&two) {
        std::cmp::Ordering::Less => Ok((one, two)),
        std::cmp::Ordering::Greater => Ok((two, one)),
        std::cmp::Ordering::Equal => Err(Error::new(Code::Invalid, "A conversation needs two people.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u128) -> Participant {
        let user = UserId::of(Uuid::from_u128(n));
        Participant { user, written: 0, read_number: 0, read_count: 0, delivered_number: 0 }
    }

    fn conversation(me: Participant, other: Participant) -> Conversation {
        Conversation {
            id: ConversationId::of(Uuid::nil()),
            viewer: me.user,
            staff: 0,
            subject: Subject { kind: SubjectKind::Listing, id: Uuid::nil() },
            me,
            other,
            is_active: true,
            last_number: me.written + other.written,
            last_message: None,
            active_at: Timestamp(0),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            version: 1,
        }
    }

    fn message(number: i64, sender: UserId, viewer: UserId) -> Message {
        Message {
            id: MessageId::of(Uuid::nil()),
            conversation: ConversationId::of(Uuid::nil()),
            number,
            sender,
            content: String::new(),
            client_message_id: Some("key".to_owned()),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            version: 1,
            viewer,
        }
    }

    #[test]
    fn own_messages_are_never_unread() {
        let me = Participant { written: 5, read_count: 1, ..person(1) };
        let other = Participant { written: 3, ..person(2) };
        assert_eq!(conversation(me, other).unread(), 2);
        assert_eq!(conversation(other, me).unread(), 5);
    }

    #[test]
    fn the_receivers_marks_make_the_status() {
        let other = Participant { read_number: 1, delivered_number: 2, ..person(2) };
        let seen = conversation(person(1), other);
        let status = |number| seen.status(&message(number, person(1).user, person(1).user));
        assert_eq!([status(1), status(2), status(3)], [Status::Read, Status::Delivered, Status::Sent]);
        assert_eq!(seen.status(&message(1, other.user, person(1).user)), Status::Sent, "my marks count for theirs");
        let versions = [1, 2, 3].map(|n| message(n, other.user, other.user).seen_version(status(n)));
        assert_eq!(versions, [3, 2, 1]);
    }

    #[test]
    fn keys_are_for_the_sender_only() {
        let (one, two) = (person(1).user, person(2).user);
        assert_eq!(message(1, one, one).own_key(), Some("key"));
        assert_eq!(message(1, one, two).own_key(), None);
    }

    #[test]
    fn people_stand_in_one_order_for_both() {
        let seen = |me, other| conversation(person(me), person(other)).people();
        assert_eq!(seen(1, 2), seen(2, 1));
        let (one, two) = (person(1).user, person(2).user);
        assert_eq!(pair((two, one)).unwrap(), (one, two));
        assert_eq!(pair((one, one)).unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn each_wrong_text_points_at_its_field() {
        let id = ConversationId::of(Uuid::nil());
        let refused = |content: &str, key| Send::new(id, content, key).unwrap_err();
        assert_eq!(refused(" \u{0} ", None).code, Code::Invalid);
        assert_eq!(refused(&"x".repeat(2_001), None).code, Code::TooLong);
        assert_eq!(refused("hi", Some("")).field.unwrap(), ["clientMessageId"]);
        assert!(Send::new(id, "hi", None).unwrap().client_message_id.is_none());
    }
}
