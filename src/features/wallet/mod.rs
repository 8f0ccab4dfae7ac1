//! The wallet: everybody's money, as a ledger in double entry.
//!
//! A **purse** is one account of the ledger: a user's available money, the escrow of one deal, the platform's fees, the
//! gateway to the outside. A **transfer** moves an amount from one purse to another and is never changed; a **hold** is
//! a group of pending transfers that is later posted, voided or expired, exactly once. [`ledger`] is the only writer.
//!
//! Other features ask the table in [`outcomes`] what a transition does to a deal, and let [`escrow`] post it.
//!
//! To add a movement of money: a kind in [`model::Kind`], and an outcome in [`outcomes`]. What is no deal fills a
//! [`ledger::Batch`] with legs and applies it once. A batch refuses to spend what is not there.

pub mod commands;
pub mod escrow;
pub mod events;
pub mod fees;
pub mod freezing;
pub mod history;
pub mod ledger;
pub mod model;
pub mod outcomes;
mod parts;
pub mod queries;
pub mod statement;
mod store;

pub use fees::{Quote, Rates};
pub use model::{Balance, Payment, PaymentStatus, Transaction};
