//! What the tests share.

pub mod app;
pub mod arena;
pub mod books;
pub mod inprocess;
pub mod live;
pub mod market;
pub mod pictures;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod s3;
pub mod story;
