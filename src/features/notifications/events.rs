//! The facts that notifications state, and those of chat that speak for them.

use super::Notification;
use crate::features::chat;
use crate::kernel::Actor;
use crate::kernel::id::UserId;
use crate::platform::streams::{Draft, Event};

/// The subscription that shows them.
pub const NOUN: &str = "notification";
/// A notification came.
pub const RECEIVED: &str = "NotificationReceived";
/// A notification was read.
pub const READ: &str = "NotificationRead";
/// All notifications were read.
pub const ALL_READ: &str = "NotificationsRead";
/// A notification was dismissed.
pub const DISMISSED: &str = "NotificationDismissed";

/// A notification came.
pub fn received(notification: &Notification) -> Draft {
    about(RECEIVED, notification, notification.version)
}

/// A notification was read, on some device of its user.
pub fn read(notification: &Notification) -> Draft {
    about(READ, notification, notification.version + 1)
}

/// A notification was dismissed, on some device of its user.
pub fn dismissed(notification: &Notification) -> Draft {
    about(DISMISSED, notification, notification.version + 1)
}

/// A user has read everything so far.
pub fn all_read(user: UserId) -> Draft {
    Draft::new(NOUN, ALL_READ, user, 1).to([user])
}

fn about(kind: &'static str, notification: &Notification, version: i64) -> Draft {
    Draft::new(NOUN, kind, notification.id, version).to([notification.user])
}

/// Whether an event of chat speaks for a notification in the stream that holds it: a message of the other person, which
/// makes or renews one, or what the stream's owner has read.
pub fn concerns(event: &Event) -> bool {
    let Some(owner) = event.stream.owner() else { return false };
    match event.kind.as_str() {
        chat::events::CREATED => !matches!(event.actor, Actor::User(actor, _) if actor == owner),
        chat::events::READ => event.read_facts::<chat::events::ReadFacts>().is_ok_and(|facts| facts.reader == owner),
        _ => false,
    }
}
