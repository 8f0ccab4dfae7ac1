//! Who is asking, and on whose behalf something is done.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::{SessionId, UserId};
use super::{By, Error, Result};

/// What a user may be. One user holds several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Posts jobs and pays.
    Customer,
    /// Offers and works.
    Contractor,
    /// Staff for content and people.
    Moderator,
    /// Staff for everything.
    Admin,
}

impl Role {
    /// All roles, in the order of their bits.
    pub const ALL: [Role; 4] = [Role::Customer, Role::Contractor, Role::Moderator, Role::Admin];

    const fn bit(self) -> i64 {
        1 << self as i64
    }

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Customer => "CUSTOMER",
            Role::Contractor => "CONTRACTOR",
            Role::Moderator => "MODERATOR",
            Role::Admin => "ADMIN",
        }
    }
}

/// A set of roles, stored as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Roles(pub i64);

impl Roles {
    /// The set of these.
    pub fn of(roles: &[Role]) -> Self {
        Roles(roles.iter().fold(0, |bits, role| bits | role.bit()))
    }

    /// Whether the set holds the role.
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether the set holds a role of staff.
    pub const fn is_staff(self) -> bool {
        self.has(Role::Moderator) || self.has(Role::Admin)
    }

    /// The roles, one by one.
    pub fn list(self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.has(*role)).collect()
    }
}

/// A signed-in user with a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user.
    pub user: UserId,
    /// The session that the token names.
    pub session: SessionId,
    /// The roles, as they are now rather than when the token was made.
    pub roles: Roles,
    /// How often staff have disconnected the user: what was opened before the last time ends.
    pub disconnections: i64,
}

impl Viewer {
    /// How staff stand to every object; nothing for everybody else.
    pub fn staff(&self) -> Option<By> {
        self.roles.is_staff().then_some(By::Staff)
    }

    /// The role in which staff act, the mightier one where somebody has both.
    pub fn staff_role(&self) -> Option<Role> {
        [Role::Admin, Role::Moderator].into_iter().find(|role| self.roles.has(*role))
    }

    /// The role in which staff act; refuses everyone else.
    pub fn must_be_staff(&self) -> Result<Role> {
        self.staff_role().ok_or_else(|| Error::forbidden("Only staff may do this."))
    }

    /// Refuses everyone without the role.
    pub fn must_be(&self, role: Role) -> Result<()> {
        if self.roles.has(role) {
            return Ok(());
        }
        Err(Error::forbidden(format!("Only users with the role {} may do this.", role.name())))
    }
}

/// Everything known about where a request comes from.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The signed-in user, if any.
    pub viewer: Option<Viewer>,
    /// Names the request in logs, audit rows and answers.
    pub request_id: Arc<str>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's own name for itself (`User-Agent`).
    pub agent: Option<Arc<str>>,
    /// Scheme and host that the request was sent to, such as `https://api.example.org`.
    pub base: Option<Arc<str>>,
}

impl Caller {
    /// The signed-in user, or `UNAUTHENTICATED`.
    pub fn viewer(&self) -> Result<Viewer> {
        self.viewer.ok_or_else(Error::unauthenticated)
    }

    /// A caller for work that no request asked for.
    pub fn system(request_id: impl Into<Arc<str>>) -> Self {
        Caller { viewer: None, request_id: request_id.into(), ip: None, agent: None, base: None }
    }
}

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, in the role that it acted in.
    User(UserId, Role),
    /// A timer or a task.
    System,
}

impl Actor {
    /// As it is stored: the user, and the name of the role.
    pub const fn parts(self) -> (Option<UserId>, Option<&'static str>) {
        match self {
            Actor::User(user, role) => (Some(user), Some(role.name())),
            Actor::System => (None, None),
        }
    }
}
