//! Lives as data: that the tables are whole, that what they say happens, and what people are told of it.

mod available;
mod changes;
mod disputes;
mod lives;
mod money;
mod preview;
