//! Sessions, roles and blocks in the API.

use async_graphql::{ID, InputObject, SimpleObject};

use super::{AccountError, Role, SelfRole, User, Viewer};
use crate::features::accounts as feature;
use crate::kernel::id::SessionId;
use crate::schema::auth::{Access, auth};
use crate::schema::error::payload;
use crate::schema::scalars::DateTime;

/// A sign-in on one device. Only its user sees it.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct Session {
    /// The id, for `sessionEnd`.
    pub id: ID,
    /// What the client calls itself (`clientName` in the payload of `connection_init`), or what its `User-Agent` tells.
    /// Null when it says nothing.
    pub client_name: Option<String>,
    /// The address that the sign-in came from.
    pub ip_address: Option<String>,
    /// When the user signed in.
    pub created_at: DateTime,
    /// When it was used last, to about a minute.
    pub last_seen_at: DateTime,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl Session {
    /// A session, as the session `current` sees it.
    pub fn new(row: feature::Session, current: SessionId) -> Self {
        Session {
            is_current: row.id == current,
            id: row.id.into(),
            client_name: row.client,
            ip_address: row.ip,
            created_at: DateTime(row.created_at),
            last_seen_at: DateTime(row.last_seen_at),
        }
    }
}

/// Staff keep a user out.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Moderator))]
pub struct UserBlock {
    /// Since when.
    pub blocked_at: DateTime,
    /// When it ends by itself. Null when somebody has to lift it.
    pub block_until: Option<DateTime>,
    /// Why. The user does not see it.
    pub block_reason: String,
}

impl From<&feature::Block> for UserBlock {
    fn from(block: &feature::Block) -> Self {
        UserBlock {
            blocked_at: DateTime(block.at),
            block_until: block.until.map(DateTime),
            block_reason: block.reason.clone(),
        }
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct SessionEndInput {
    /// One of the viewer's.
    pub session_id: ID,
}

/// Whose connections to end, and why.
#[derive(InputObject)]
pub struct SessionDisconnectInput {
    /// Whose.
    pub user_id: ID,
    /// Why: 1 to 1000 characters, for the audit log.
    pub reason: String,
}

/// What the viewer wants to be as well.
#[derive(InputObject)]
pub struct AccountRoleAddInput {
    /// The role.
    pub role: SelfRole,
}

/// What a user is from now on.
#[derive(InputObject)]
pub struct UserRolesSetInput {
    /// Whose roles.
    pub user_id: ID,
    /// All roles that the user has from now on; at least one.
    pub roles: Vec<Role>,
    /// Why: 1 to 1000 characters, for the audit log.
    pub reason: String,
}

/// Whom to keep out, how long, and why.
#[derive(InputObject)]
pub struct UserBlockInput {
    /// Whom.
    pub user_id: ID,
    /// When it ends by itself. When absent, somebody has to lift it.
    pub block_until: Option<DateTime>,
    /// Why: 1 to 1000 characters, for staff and the audit log.
    pub reason: String,
}

/// Whom to let in again, and why.
#[derive(InputObject)]
pub struct UserUnblockInput {
    /// Whom.
    pub user_id: ID,
    /// Why: 1 to 1000 characters, for the audit log.
    pub reason: String,
}

/// What is left.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct SessionEndPayload {
    /// The user's own view, with the sessions that are left.
    pub viewer: Option<Viewer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(SessionEndPayload, AccountError);

/// Who was disconnected.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Moderator))]
pub struct SessionDisconnectPayload {
    /// The user.
    pub user: Option<User>,
    /// How many live connections it had.
    pub ended_count: Option<i32>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(SessionDisconnectPayload, AccountError);

/// The viewer with its roles.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct AccountRoleAddPayload {
    /// The user's own view.
    pub viewer: Option<Viewer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(AccountRoleAddPayload, AccountError);

/// The user with its roles.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct UserRolesSetPayload {
    /// The user.
    pub user: Option<User>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(UserRolesSetPayload, AccountError);

/// The user who is kept out.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Moderator))]
pub struct UserBlockPayload {
    /// The user.
    pub user: Option<User>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(UserBlockPayload, AccountError);

/// The user who is let in again.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Moderator))]
pub struct UserUnblockPayload {
    /// The user; on CONFLICT as it is now.
    pub user: Option<User>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(UserUnblockPayload, AccountError);
