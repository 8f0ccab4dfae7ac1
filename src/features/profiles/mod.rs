//! Profiles: what a user shows of itself. The text is the account's, the pictures are uploads; this brings them together.
//!
//! It has no tables: [`commands::update`] writes through the commands of accounts and uploads, and everybody reads the
//! account.

pub mod commands;
pub mod events;
pub mod model;

pub use model::Change;
