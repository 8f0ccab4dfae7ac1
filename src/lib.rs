//! gigwire, the backend of a service marketplace.
pub mod kernel;
pub mod schema;
pub mod server;
