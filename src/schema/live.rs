//! What every subscription has in common: the envelope of events, and the items that speak of the stream itself.

use async_graphql::{Enum, ID, SimpleObject};

use super::auth::{Access, auth};
use super::scalars::DateTime;
use crate::platform::streams::Gap;

/// The stream goes on from the cursor that was given; what was missed follows, then what happens.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct StreamResumed {
    /// An id of this item.
    pub id: ID,
    /// Where to go on from, for `after`.
    pub cursor: Option<String>,
    /// When it was sent.
    pub occurred_at: DateTime,
}

/// Events are missing: reload what is shown, and go on with this cursor.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct StreamGap {
    /// An id of this item.
    pub id: ID,
    /// Where the stream ends now: what comes behind it follows.
    pub cursor: Option<String>,
    /// When it was sent.
    pub occurred_at: DateTime,
    /// Why events are missing.
    pub reason: StreamGapReason,
}

/// Nothing for this subscription lately, but the stream moved on: a younger cursor to keep.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct StreamCheckpoint {
    /// An id of this item.
    pub id: ID,
    /// Where to go on from, for `after`.
    pub cursor: Option<String>,
    /// When it was sent.
    pub occurred_at: DateTime,
}

/// Why a stream cannot be continued from a cursor.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Gap")]
pub enum StreamGapReason {
    /// The cursor comes from another database, or from one before a restore.
    Epoch,
    /// The cursor is ahead of the stream: the database lost events.
    Ahead,
    /// Another event stands at the cursor's place: the database took another course.
    Diverged,
    /// The place is so old that its events were removed.
    Pruned,
    /// So many events were missed that reloading is cheaper.
    Backlog,
    /// The cursor speaks of another stream.
    Foreign,
    /// This is no cursor.
    Invalid,
}

/// Who caused an event.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Public))]
pub struct EventActor {
    /// The role that the user acted in. Null for timers and tasks.
    pub role: Option<super::accounts::Role>,
    /// The user and the role, for fields that need a look.
    #[graphql(skip)]
    pub actor: crate::kernel::Actor,
}

/// Declares an event in the API: the envelope, and the committed event inside for the fields that `resolvers/` adds.
macro_rules! event_object {
    ($(#[$doc:meta])* $name:ident, $access:expr) => {
        $(#[$doc])*
        #[derive(Clone, async_graphql::SimpleObject)]
        #[graphql(crate = "crate::schema::object", complex, directive = $crate::schema::auth::auth::apply($access))]
        pub struct $name {
            /// The event's id: the same after a reconnect.
            pub id: async_graphql::ID,
            /// Where to go on from, for `after`.
            pub cursor: Option<String>,
            /// When it happened.
            pub occurred_at: $crate::schema::scalars::DateTime,
            /// Its number in the stream.
            pub number: $crate::schema::scalars::BigInt,
            /// Who caused it.
            pub actor: $crate::schema::live::EventActor,
            /// The request that caused it.
            pub request_id: String,
            /// The committed event.
            #[graphql(skip)]
            pub event: std::sync::Arc<$crate::platform::streams::Event>,
        }

        impl $name {
            /// The event in the API's shape.
            pub fn new(event: &std::sync::Arc<$crate::platform::streams::Event>, cursor: String) -> Self {
                $name {
                    id: event.id.into(),
                    cursor: Some(cursor),
                    occurred_at: $crate::schema::scalars::DateTime(event.occurred_at),
                    number: $crate::schema::scalars::BigInt(event.seq),
                    actor: event.actor.into(),
                    request_id: event.request_id.clone(),
                    event: event.clone(),
                }
            }
        }
    };
}
pub(crate) use event_object;

/// Declares an interface of events: the envelope that all share, the noun's own events, and the items that speak of the
/// stream itself.
macro_rules! event_interface {
    ($(#[$doc:meta])* $interface:ident, $access:expr, { $($(#[$about:meta])* $variant:ident($object:ident),)* }) => {
        $(#[$doc])*
        #[derive(async_graphql::Interface)]
        #[graphql(
            crate = "crate::schema::object",
            directive = $crate::schema::auth::auth::apply($access),
            field(name = "id", ty = "&async_graphql::ID", desc = "The event's id: the same after a reconnect."),
            field(name = "cursor", ty = "&Option<String>", desc = "Where to go on from, for `after`."),
            field(name = "occurred_at", ty = "&crate::schema::scalars::DateTime", desc = "When it happened.")
        )]
        pub enum $interface {
            $($(#[$about])* $variant($object),)*
            /// The stream goes on.
            Resumed($crate::schema::live::StreamResumed),
            /// Events are missing.
            Gap($crate::schema::live::StreamGap),
            /// Nothing for this view lately.
            Checkpoint($crate::schema::live::StreamCheckpoint),
        }
    };
}
pub(crate) use event_interface;

impl From<crate::kernel::Actor> for EventActor {
    fn from(actor: crate::kernel::Actor) -> Self {
        let role = match actor {
            crate::kernel::Actor::User(_, role) => Some(role.into()),
            crate::kernel::Actor::System => None,
        };
        EventActor { role, actor }
    }
}
