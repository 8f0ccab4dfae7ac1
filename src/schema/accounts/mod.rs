//! Accounts in the API.

mod rights;

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

pub use self::rights::*;
use super::auth::{Access, auth};
use super::error::{payload, user_error};
use super::scalars::{DateTime, EmailAddress};
use crate::features::accounts as feature;
use crate::kernel;

/// A person's account, as everyone sees it. Contact details are never part of it.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Public))]
pub struct User {
    /// The id.
    pub id: ID,
    /// The name that everyone sees.
    pub display_name: String,
    /// What the user says of itself. Null when it says nothing.
    pub bio: Option<String>,
    /// Since when.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole account, for guarded fields.
    #[graphql(skip)]
    pub row: Arc<feature::User>,
}

impl From<Arc<feature::User>> for User {
    fn from(row: Arc<feature::User>) -> Self {
        User {
            id: row.id.into(),
            display_name: row.display_name.clone(),
            bio: row.bio.clone(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

/// The signed-in user's own view: everything that belongs to it. Whoever signs up or in gets it in the same answer.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct Viewer {
    /// The account.
    pub user: User,
}

/// What a user may be. One user holds several.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "kernel::Role")]
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

/// What a user may choose to be. Roles of staff are granted, not chosen.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum SelfRole {
    /// Posts jobs and pays.
    Customer,
    /// Offers and works.
    Contractor,
}

impl From<SelfRole> for kernel::Role {
    fn from(role: SelfRole) -> Self {
        match role {
            SelfRole::Customer => kernel::Role::Customer,
            SelfRole::Contractor => kernel::Role::Contractor,
        }
    }
}

/// The tokens of a sign-in.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct SessionTokens {
    /// Goes into `Authorization: Bearer ..` and into the init payload of a socket.
    pub access_token: String,
    /// Buys the next pair, once. Keep it secret.
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: DateTime,
}

impl From<&feature::SignedIn> for SessionTokens {
    fn from(signed_in: &feature::SignedIn) -> Self {
        SessionTokens {
            access_token: signed_in.access_token.clone(),
            refresh_token: signed_in.refresh_token.clone(),
            expires_at: DateTime(signed_in.expires_at),
        }
    }
}

/// What a new account needs.
#[derive(InputObject)]
pub struct AccountSignUpInput {
    /// The address to sign in with. Unique, without regard to case.
    pub email: EmailAddress,
    /// 8 to 200 characters.
    #[graphql(secret)]
    pub password: String,
    /// The name that everyone sees: 1 to 80 characters.
    pub display_name: String,
    /// What the user wants to be. CUSTOMER when empty.
    #[graphql(default)]
    pub roles: Vec<SelfRole>,
}

/// What a sign-in needs.
#[derive(InputObject)]
pub struct AccountSignInInput {
    /// The address.
    pub email: EmailAddress,
    /// The password.
    #[graphql(secret)]
    pub password: String,
}

/// What a refresh needs.
#[derive(InputObject)]
pub struct SessionRefreshInput {
    /// The refresh token of the last pair.
    #[graphql(secret)]
    pub refresh_token: String,
}

/// How to send a new code.
#[derive(InputObject)]
pub struct EmailVerificationSendInput {
    /// The language of the letter, such as `en`; the house's when absent, or when there are no letters in it.
    pub language: Option<String>,
}

/// The code of a letter.
#[derive(InputObject)]
pub struct EmailVerifyInput {
    /// The digits; spaces between them do no harm.
    #[graphql(secret)]
    pub code: String,
}

/// Which sessions to end.
#[derive(InputObject)]
pub struct SessionSignOutInput {
    /// Ends all sessions of the viewer, not only this one.
    #[graphql(default)]
    pub all: bool,
}

/// What an open socket needs to go on.
#[derive(InputObject)]
pub struct ConnectionRenewInput {
    /// A fresh access token of the same user.
    #[graphql(secret)]
    pub access_token: String,
}

/// The new account, signed in.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct AccountSignUpPayload {
    /// The tokens.
    pub session: Option<SessionTokens>,
    /// The new user's own view.
    pub viewer: Option<Viewer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(AccountSignUpPayload, AccountError);

/// The new session.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct AccountSignInPayload {
    /// The tokens.
    pub session: Option<SessionTokens>,
    /// The user's own view.
    pub viewer: Option<Viewer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(AccountSignInPayload, AccountError);

/// The next pair of tokens.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct SessionRefreshPayload {
    /// The tokens.
    pub session: Option<SessionTokens>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(SessionRefreshPayload, AccountError);

/// What was ended.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct SessionSignOutPayload {
    /// How many sessions.
    pub ended_count: Option<i32>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(SessionSignOutPayload, AccountError);

/// How long the socket may go on.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct ConnectionRenewPayload {
    /// When the fresh token ends.
    pub expires_at: Option<DateTime>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(ConnectionRenewPayload, AccountError);

/// The code that is on its way.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct EmailVerificationSendPayload {
    /// How long the code is good.
    pub expires_at: Option<DateTime>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(EmailVerificationSendPayload, AccountError);

/// The user with its verified address.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct EmailVerifyPayload {
    /// The user's own view.
    pub viewer: Option<Viewer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AccountError>,
}
payload!(EmailVerifyPayload, AccountError);

user_error! {
    /// Why something about an account was refused.
    AccountError, AccountErrorCode {
        /// A value breaks a rule: empty, too short, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// The address has an account already.
        EmailTaken,
        /// Address or password is wrong.
        BadCredentials,
        /// The refresh token is unknown, used up or ended.
        BadRefreshToken,
        /// The account is blocked by staff.
        AccountBlocked,
        /// There is no such user or session for the viewer.
        NotFound,
        /// Nobody does this to the own account.
        OwnAccount,
        /// There would be no administrator any more.
        LastAdmin,
        /// The object changed meanwhile, or its state does not allow this.
        Conflict,
        /// The one-time code is wrong. So are at most five within an hour.
        CodeWrong,
        /// There is no live one-time code: it is used, replaced or past its end.
        CodeExpired,
        /// Too many wrong one-time codes within the hour; a new code does not help.
        TooManyTries,
        /// The e-mail address is verified already.
        EmailVerified,
    }
}
