//! Changes of a booking: either party proposes another price or another time, and the other one agrees or not.
//!
//! Of a booking at most one change is PENDING: a new one takes the place of the one before, whoever made that. It expires
//! by itself, and it ends when its booking goes where nothing is changed any more: [`projection`] sees to that. Agreed to,
//! the difference of price and fee moves at once, and the booking has new terms.
//!
//! Everything that happens to a change locks its booking first: of several endings at once one is done.
//!
//! To add a step: a row in [`LIFE`], its outcome in the wallet's table, a command, and a line in [`preview`].

pub mod commands;
pub mod events;
pub mod model;
pub mod preview;
pub mod projection;
pub mod queries;
mod store;

pub use model::{Change, LIFE, Propose, Status, Terms};
