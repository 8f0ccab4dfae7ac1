//! Notifications in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, OneofObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::scalars::{DateTime, Json};
use crate::features::{announcements, notifications as feature};

/// Something that a user is told in the app: what another person or a timer did. It is for that user alone.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct Notification {
    /// The id.
    pub id: ID,
    /// What happened.
    pub kind: NotificationKind,
    /// How loud it is.
    pub level: NotificationLevel,
    /// One line, for people.
    pub title: String,
    /// Small facts of what happened, such as the state reached (`to`). Never what a person wrote.
    pub data: Json,
    /// When it was read; null as long as it is unread.
    pub read_at: Option<DateTime>,
    /// When it was dismissed; null as long as it is on the list.
    pub dismissed_at: Option<DateTime>,
    /// Whether it may be dismissed.
    pub is_dismissible: bool,
    /// For how many milliseconds to show it when it arrives.
    pub display_ms: i32,
    /// When it came.
    pub created_at: DateTime,
    /// Changed last: read, dismissed, or renewed by a further message.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole notification, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Notification>,
}

impl From<Arc<feature::Notification>> for Notification {
    fn from(row: Arc<feature::Notification>) -> Self {
        let notice = row.kind.notice();
        Notification {
            id: row.id.into(),
            kind: row.kind.into(),
            level: notice.level.into(),
            title: notice.title.to_owned(),
            data: Json(serde_json::from_str(&row.data).unwrap_or_default()),
            read_at: row.read_at.map(DateTime),
            dismissed_at: row.dismissed_at.map(DateTime),
            is_dismissible: feature::model::IS_DISMISSIBLE,
            display_ms: super::int(feature::model::DISPLAY_MS),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of notifications, newest first.
    NotificationConnection, NotificationEdge, Notification, Access::SelfOnly
}

/// What kinds of notifications there are.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Kind")]
pub enum NotificationKind {
    /// A job got its contractor.
    JobAssigned,
    /// A job is done.
    JobCompleted,
    /// A job was given up.
    JobCancelled,
    /// The viewer's own offer went out.
    OfferSent,
    /// Somebody made the viewer an offer.
    OfferReceived,
    /// The viewer's offer was accepted.
    OfferAccepted,
    /// An offer was declined, or the job went to somebody else.
    OfferDeclined,
    /// Whoever made an offer took it back.
    OfferWithdrawn,
    /// Nobody answered an offer in time. Both sides are told.
    OfferExpired,
    /// A booking was made.
    BookingCreated,
    /// The contractor began.
    BookingStarted,
    /// The contractor is done.
    BookingDelivered,
    /// The customer is content.
    BookingCompleted,
    /// The price that was put off is in the contractor's wallet.
    BookingReleased,
    /// A booking was given up.
    BookingCancelled,
    /// The other party proposes another price or time.
    BookingChangeProposed,
    /// The other party agreed to another price or time.
    BookingChangeAccepted,
    /// The other party, or staff, declined another price or time.
    BookingChangeDeclined,
    /// The other party took its proposal of another price or time back.
    BookingChangeWithdrawn,
    /// Nobody answered a proposal of another price or time in time. Both parties are told.
    BookingChangeExpired,
    /// The other party disagrees, and the money is frozen.
    DisputeOpened,
    /// Somebody proposes how to end a dispute.
    DisputeProposed,
    /// The other party added files to a dispute.
    DisputeEvidenceAdded,
    /// A dispute went to staff.
    DisputeEscalated,
    /// Whoever opened a dispute took it back.
    DisputeWithdrawn,
    /// The two agreed.
    DisputeAgreed,
    /// Staff decided a dispute.
    DisputeDecided,
    /// Somebody wrote. One for each conversation, as long as it is unread.
    MessageReceived,
    /// What the other party of a booking wrote about the viewer is there for all to read.
    ReviewReceived,
    /// The viewer's money has arrived.
    PaymentReceived,
    /// The viewer's money will not arrive.
    PaymentFailed,
}

/// How loud a notification is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "announcements::Level")]
pub enum NotificationLevel {
    /// Good to know.
    Info,
    /// Something went well.
    Success,
    /// Something needs attention.
    Warning,
    /// Something is broken.
    Error,
}

/// Which notifications are wanted.
#[derive(Default, InputObject)]
pub struct NotificationFilter {
    /// Only of these kinds; of all when absent or empty.
    pub kinds: Option<Vec<NotificationKind>>,
    /// Only read ones (true), or only unread ones (false).
    pub is_read: Option<bool>,
}

impl From<NotificationFilter> for feature::Filter {
    fn from(filter: NotificationFilter) -> Self {
        let kinds = filter.kinds.into_iter().flatten().map(Into::into).collect();
        feature::Filter { kinds, is_read: filter.is_read }
    }
}

/// What was read: one notification, or all of them.
#[derive(OneofObject)]
pub enum NotificationMarkReadInput {
    /// This notification.
    NotificationId(ID),
    /// All that are there now: only `true`.
    All(bool),
}

/// What is to leave the list.
#[derive(InputObject)]
pub struct NotificationDismissInput {
    /// The notification.
    pub notification_id: ID,
}

macro_rules! notification_payload {
    ($(#[$doc:meta])* $payload:ident, $(#[$about:meta])*) => {
        $(#[$doc])*
        #[derive(Default, SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
        pub struct $payload {
            $(#[$about])*
            pub notification: Option<Notification>,
            /// How many notifications are unread now.
            pub unread_count: Option<i32>,
            /// Why it was refused. Empty when it was done.
            pub user_errors: Vec<NotificationError>,
        }
        payload!($payload, NotificationError);
    };
}
notification_payload! {
    /// What was read.
    NotificationMarkReadPayload,
    /// The notification; null when all were marked.
}
notification_payload! {
    /// What left the list.
    NotificationDismissPayload,
    /// The notification.
}

user_error! {
    /// Why something about a notification was refused.
    NotificationError, NotificationErrorCode {
        /// A value breaks a rule, such as `all: false`.
        Invalid,
        /// There is no such notification for you.
        NotFound,
    }
}

event_object! {
    /// A notification came, or was renewed by a further message of its conversation.
    NotificationReceived, Access::SelfOnly
}
event_object! {
    /// A notification was read, on some device of the viewer; or the conversation that it is about.
    NotificationRead, Access::SelfOnly
}
event_object! {
    /// The viewer marked all notifications as read: each that came before this is.
    NotificationsRead, Access::SelfOnly
}
event_object! {
    /// A notification was dismissed, on some device of the viewer.
    NotificationDismissed, Access::SelfOnly
}

event_interface! {
    /// What happens to the viewer's notifications.
    NotificationEvent, Access::SignedIn, {
        /// A notification came.
        Received(NotificationReceived),
        /// A notification was read.
        Read(NotificationRead),
        /// All notifications were read.
        AllRead(NotificationsRead),
        /// A notification was dismissed.
        Dismissed(NotificationDismissed),
    }
}
