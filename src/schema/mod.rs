//! GraphQL shapes: objects, inputs, enums and payloads, one file per noun.
//!
//! A shape holds what its row holds; fields that need a look-up are added in `resolvers/` under the same noun. Each
//! type names in `@auth` who may read it. Each doc comment here is a description in the API.
//!
//! To add a type: in its noun's file, derived against [`object`], with a directive from [`auth`] and a doc for everything;
//! payloads, error codes, pages and events have a macro each, in [`mod@error`], [`connection`] and [`live`]. Then
//! `cargo run -- schema > schema.graphql`.

pub mod accounts;
pub mod admin;
pub mod alerts;
pub mod announcements;
pub mod auth;
pub mod bookings;
pub mod changes;
pub mod chat;
pub mod connection;
pub mod cost;
pub mod disputes;
pub mod earnings;
pub mod error;
pub mod jobs;
pub mod live;
pub mod money;
pub mod node;
pub mod notifications;
pub mod object;
pub mod offers;
pub mod period;
pub mod presence;
pub mod profiles;
pub mod proof;
pub mod reviews;
pub mod scalars;
pub mod stream;
pub mod transitions;
pub mod uploads;
pub mod wallet;

/// A version fits into GraphQL's 32-bit Int: nothing changes two billion times.
pub(crate) fn version(version: i64) -> i32 {
    int(version)
}

/// A count in GraphQL's 32-bit Int; one that does not fit is shown as the largest that does.
pub(crate) fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
