//! What an account is.

use crate::kernel::id::{FileId, SessionId, UserId};
use crate::kernel::{Code, Error, Result, Role, Roles, Timestamp, text};

/// A person's login.
#[derive(Clone, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address, in lower case. Never shown to others.
    pub email: String,
    /// When the user proved that it reads what is sent there.
    pub email_verified_at: Option<Timestamp>,
    /// The name that everyone sees.
    pub display_name: String,
    /// What the user says of itself.
    pub bio: Option<String>,
    /// Its picture.
    pub profile_image: Option<FileId>,
    /// The wide picture on top of its profile.
    pub cover_image: Option<FileId>,
    /// What the user may be.
    pub roles: Roles,
    /// Blocked by staff until then.
    pub blocked_until: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl User {
    /// Refuses a user whom staff have blocked.
    pub fn must_be_free(&self, now: Timestamp) -> Result<()> {
        match self.blocked_until {
            Some(until) if until > now => {
                let until = until.rfc3339().unwrap_or_default();
                Err(Error::new(Code::AccountBlocked, format!("This account is blocked until {until}.")))
            }
            _ => Ok(()),
        }
    }
}

/// What a new account needs, checked.
#[derive(Clone)]
pub struct SignUp {
    /// The address, in lower case.
    pub email: String,
    /// The password, in clear: it is hashed before anything else happens.
    pub password: String,
    /// The name that everyone sees.
    pub display_name: String,
    /// The roles.
    pub roles: Roles,
}

impl SignUp {
    /// Checks what a person typed. Without roles it is a customer.
    pub fn new(email: &str, password: &str, display_name: &str, roles: &[Role]) -> Result<Self> {
        let roles = if roles.is_empty() { Roles::of(&[Role::Customer]) } else { Roles::of(roles) };
        Ok(SignUp {
            email: text::email(email).map_err(|error| error.at("email"))?,
            password: text::password(password).map_err(|error| error.at("password"))?.to_owned(),
            display_name: text::line(display_name, text::DISPLAY_NAME_MAX).map_err(|error| error.at("displayName"))?,
            roles,
        })
    }
}

/// What a sign-in needs.
#[derive(Clone)]
pub struct SignIn {
    /// The address, in any case.
    pub email: String,
    /// The password, in clear.
    pub password: String,
}

/// A fresh sign-in or refresh.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
}
