//! What the tests share.

pub mod app;
pub mod inprocess;
pub mod live;
pub mod postgres;
pub mod redis;
pub mod story;
