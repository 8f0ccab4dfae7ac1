//! What speaks HTTP.
pub mod playground;
