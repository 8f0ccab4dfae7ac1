//! Clients that put load on a server, and the means to look at it from outside while they do.
//!
//! - [`socket`], [`engine`]: WebSockets that speak graphql-transport-ws, and Socket.IO; [`http`] and [`wire`]: GraphQL
//!   over HTTP with everything, and with nothing but speed;
//! - [`program`]: a program that is measured, and what it uses of the machine;
//! - [`report`]: tables and quantiles.
//!
//! The programs beside it: `sockets` (run by `scripts/siege`), `bench` and `ceiling` (run by `scripts/bench`).

pub mod engine;
pub mod http;
pub mod program;
pub mod report;
pub mod socket;
pub mod wire;

/// What may go wrong, in words.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
