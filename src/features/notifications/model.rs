//! What a notification is.

use uuid::Uuid;

use super::Kind;
use crate::kernel::Timestamp;
use crate::kernel::id::{NotificationId, TypedId, UserId, encode};
use crate::kernel::page::Cursor;

/// Milliseconds that a front end shows a notification when it arrives.
pub const DISPLAY_MS: i64 = 5_000;
/// Whether a person may dismiss a notification.
pub const IS_DISMISSIBLE: bool = true;

/// What a notification is about: any object with an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The word of its id, such as `job`.
    pub kind: String,
    /// Its bare id.
    pub id: Uuid,
}

impl Subject {
    /// The id as clients know it.
    pub fn public_id(&self) -> String {
        encode(&self.kind, self.id)
    }

    /// The id of this kind.
    pub fn typed<T: TypedId>(&self) -> T {
        T::of(self.id)
    }
}

/// Something that a person is told.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// Who is told.
    pub user: UserId,
    /// What happened.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Of a message: its number in the conversation.
    pub number: Option<i64>,
    /// Small facts, as a JSON object.
    pub data: String,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// When it was dismissed.
    pub dismissed_at: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
    /// Changed last, or renewed by a further message.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Notification {
    /// Its place in a list, newest first.
    pub fn place(&self) -> Cursor {
        Cursor { key: self.created_at.0, id: self.id.uuid() }
    }
}

/// Which notifications are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of these kinds; of all when empty.
    pub kinds: Vec<Kind>,
    /// Only read ones, or only unread ones.
    pub is_read: Option<bool>,
}

/// How many notifications a user has not read.
#[derive(Clone, Copy, Debug)]
pub struct Unread {
    /// Who.
    pub user: UserId,
    /// How many.
    pub count: i64,
}
