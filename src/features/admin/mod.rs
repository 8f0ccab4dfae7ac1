//! What staff see of the whole house: its figures, counted once for all who look.
//!
//! To add a figure: a field of [`Figures`], its count in `queries.rs`, and its field in `schema/admin.rs`.

pub mod board;
pub mod model;
pub mod queries;

pub use board::Board;
pub use model::Figures;
