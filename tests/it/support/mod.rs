//! What the tests share.

pub mod inprocess;
pub mod redis;
