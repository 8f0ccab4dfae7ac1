//! What an account is.

use crate::kernel::id::{FileId, SessionId, UserId};
use crate::kernel::{Code, Error, Result, Role, Roles, Timestamp, Viewer, text};

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
    /// Kept out by staff; perhaps over already.
    pub block: Option<Block>,
    /// Whether others are not to see if the user is online, and when it was last.
    pub hides_presence: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl User {
    /// Whether a viewer may know if the user is online, as far as the user has a say: staff always may.
    pub fn shows_presence_to(&self, viewer: &Viewer) -> bool {
        !self.hides_presence || viewer.user == self.id || viewer.roles.is_staff()
    }

    /// Whether staff keep the user out right now.
    pub fn is_blocked(&self, now: Timestamp) -> bool {
        self.block.as_ref().is_some_and(|block| block.holds(now))
    }

    /// Refuses a user whom staff have blocked.
    pub fn must_be_free(&self, now: Timestamp) -> Result<()> {
        match &self.block {
            Some(block) if block.holds(now) => Err(block.refusal()),
            _ => Ok(()),
        }
    }
}

/// Staff keep a user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Since when.
    pub at: Timestamp,
    /// Until when; without it, until somebody lifts it.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

impl Block {
    /// Whether it is not over yet: it ends by itself.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// What the user is told. Why is between it and staff.
    pub fn refusal(&self) -> Error {
        let until = self.until.and_then(|until| until.rfc3339());
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        Error::new(Code::AccountBlocked, format!("This account is blocked{until}."))
    }
}

/// A sign-in on one device.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What the client calls itself, or what its `User-Agent` tells.
    pub client: Option<String>,
    /// The address that the sign-in came from.
    pub ip: Option<String>,
    /// When that was.
    pub created_at: Timestamp,
    /// When it was used last, to about a minute.
    pub last_seen_at: Timestamp,
}

/// Browsers by what stands in their `User-Agent`; the first that is found counts, since most name others too.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// Systems, in the same way.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What people call the client with this `User-Agent`: a browser and its system, else the name of the program.
pub fn client_name(agent: &str) -> String {
    let found =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (found(&BROWSERS), found(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent.split(['/', ' ']).next().unwrap_or(agent).to_owned(),
    }
}

/// When a user was there last.
#[derive(Clone, Copy, Debug)]
pub struct LastSeen {
    /// Who.
    pub user: UserId,
    /// When, to about a minute.
    pub at: Timestamp,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_called_what_people_call_them() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(
            [firefox, edge, safari, "Dart/3.4 (dart:io)", "curl/8.5.0"].map(client_name),
            ["Firefox on Linux", "Edge on Windows", "Safari on iOS", "Dart", "curl"]
        );
    }

    #[test]
    fn a_block_ends_by_itself() {
        let block = |until| Block { at: Timestamp(1), until, reason: "Spam.".to_owned() };
        assert!(block(None).holds(Timestamp(i64::MAX)));
        assert!(block(Some(Timestamp(5))).holds(Timestamp(4)) && !block(Some(Timestamp(5))).holds(Timestamp(5)));
    }
}
