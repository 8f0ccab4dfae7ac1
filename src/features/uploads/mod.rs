//! Uploads: how a file comes in, is checked, and is kept for as long as something needs it.
//!
//! | state | means | goes to |
//! |---|---|---|
//! | PENDING | a client may put its bytes | READY, REFUSED |
//! | READY | checked, and a file | |
//! | REFUSED | it was not what was announced | |
//!
//! What a client puts is never what others get: pictures are decoded and encoded anew, documents are copied, to a key
//! that nobody can put to. Every object has its row in `objects` before it is written, and every row that nothing needs
//! has an instant at which it is removed: so whatever dies half way, nothing is forgotten and nothing half-written shows.
//!
//! To add a purpose: a variant of [`Purpose`] with its policy, its value in `schema/uploads.rs`, and the command that
//! attaches its files with [`commands::attach`] and lets them go with [`commands::detach`].

pub mod commands;
pub mod events;
mod images;
mod inspect;
pub mod model;
pub mod queries;
mod store;

pub use model::{NewUpload, Purpose, Refusal, Signed, Status, Upload};
