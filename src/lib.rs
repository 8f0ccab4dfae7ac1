//! gigwire, the backend of a service marketplace.

pub mod cli;
pub mod features;
pub mod kernel;
pub mod loaders;
pub mod platform;
pub mod resolvers;
pub mod schema;
pub mod server;
pub mod tasks;
