//! Accounts: people, their sign-ins and their tokens.
//!
//! A sign-in makes a session. Its access token is a short-lived JWT that carries the session's id and nothing else;
//! roles and blocks are looked up, so that they count at once. Its refresh token is opaque: each one works once and
//! derives its successor, so that a stolen one shows itself when it is used a second time.
//!
//! A new account gets two letters: a welcome, and one of the [`codes`], with which [`verification`] sees that its address
//! is its own.
//!
//! [`sessions`] answers who a token belongs to right now. A command that changes somebody's rights says so with
//! `rights::changed`, and every instance looks again. [`rights`] is what staff do: roles, blocks, disconnecting. What a user shows of itself is changed in
//! `features/profiles`, since pictures are uploads.

pub mod codes;
pub mod commands;
pub mod events;
pub mod model;
pub mod passwords;
pub mod queries;
pub mod rights;
pub mod sessions;
mod store;
pub mod tokens;
pub mod verification;

pub use model::{Block, LastSeen, Session, SignIn, SignUp, SignedIn, User};
pub use sessions::Sessions;
pub(crate) use store::may_deal;
