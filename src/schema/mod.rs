//! GraphQL shapes.
pub mod auth;
