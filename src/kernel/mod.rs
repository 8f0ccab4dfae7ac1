//! Pure foundations: no I/O, no async, nothing of the product.
//!
//! To add one: a file named after the noun, tests at its end, and a line here. Whatever needs a socket, a file or the
//! wall clock belongs in [`crate::platform`].

pub mod clock;
pub mod csv;
pub mod error;
pub mod id;
pub mod life;
pub mod money;
pub mod page;
pub mod text;
pub mod viewer;

pub use clock::{Clock, Timestamp};
pub use error::{Code, Error, Result};
pub use id::Ids;
pub use life::By;
pub use money::{Currency, Money};
pub use viewer::{Actor, Caller, Role, Roles, Viewer};
