//! Presence in the API.

use async_graphql::{ID, SimpleObject};

use super::accounts::User;
use super::auth::{Access, auth};
use super::connection::connection;
use super::scalars::DateTime;
use crate::kernel::id::UserId;

/// Whether a user is there, for those who may see it: the user, people with a shared conversation, and staff.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Presence {
    /// Whether a connection of the user lives. It holds a few seconds longer, so that a reconnect is no absence.
    pub is_online: bool,
    /// Who.
    #[graphql(skip)]
    pub user_id: UserId,
}

/// A user came online or left. It is not stored: who is away misses it, and is told how it stands when it comes back.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct PresenceSignal {
    /// An id of this item.
    pub id: ID,
    /// Always null: signals are not replayed.
    pub cursor: Option<String>,
    /// When it was sent.
    pub occurred_at: DateTime,
    /// Who.
    pub user: User,
    /// How it stands now. Null once the user hides it; then nothing more is told.
    pub presence: Option<Presence>,
}

connection! {
    /// Users who are online, in the order of their ids. Who comes or leaves meanwhile is neither repeated nor skipped.
    UserConnection, UserEdge, User, Access::Moderator
}
