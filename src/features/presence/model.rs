//! How it stands with a user, as somebody sees it.

use crate::kernel::id::UserId;

/// Users that one view watches at most.
pub const WATCHED_MAX: usize = 100;

/// How it stands with a user that a viewer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who.
    pub user: UserId,
    /// Who looks.
    pub viewer: UserId,
    /// Whether a connection of the user lives somewhere.
    pub is_online: bool,
}

/// How many connections a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Whose.
    pub user: UserId,
    /// How many, over all instances.
    pub count: u64,
}
