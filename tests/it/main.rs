//! The integration tests, one binary: a module per noun, through GraphQL only.
//!
//! To add one: a file named after the noun and a line here.
// In an optimised build, the compiler looks through all futures of the schema at once.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests make ids and ask the clock as they like")]

mod access;
mod accounts;
mod alerts;
mod answers;
mod bookings;
mod budget;
mod changes;
mod chat;
mod client;
mod columns;
mod config;
mod contract;
mod disputes;
mod figures;
mod house;
mod http;
mod jobs;
mod lifecycle;
mod live;
mod mail;
mod model;
mod notifications;
mod offers;
mod presence;
mod proof;
mod races;
mod reviews;
mod schema;
mod support;
mod transitions;
mod uploads;
mod wallet;
