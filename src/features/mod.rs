//! The product: one folder per noun, the same six files in each.
//!
//! - `mod.rs` says what the noun is and what it does;
//! - `model.rs` holds its types, states and pure transitions;
//! - `commands.rs` has one function per mutation: may the viewer -> transaction -> store -> audit -> event -> commit;
//! - `queries.rs` reads what a viewer may see, and the batches that loaders ask for;
//! - `store.rs` holds the SQL, without decisions;
//! - `events.rs` names the facts that the feature states.
//!
//! Features use each other's models, commands, queries and events, never a store, and only in one direction:
//! `tests/it/house/imports.rs` holds the arrows.
//!
//! To add one: the folder with its six files, a line here, its row of arrows, its ids in `kernel/id.rs`, its tables in
//! `migrations/`, and files of the same name in `schema/` and `resolvers/`. [`announcements`] is the smallest to look
//! at. What only follows from the events of others is a projection: a line in [`PROJECTIONS`]. What has a life as a table
//! has a line in [`lives`].

pub mod accounts;
pub mod admin;
pub mod alerts;
pub mod announcements;
pub mod bookings;
pub mod changes;
pub mod chat;
pub mod disputes;
pub mod earnings;
pub mod jobs;
pub mod notifications;
pub mod offers;
pub mod presence;
pub mod profiles;
pub mod proof;
pub mod reviews;
pub mod uploads;
pub mod wallet;

use crate::kernel::life::Chart;
use crate::platform::work::Projection;

/// What follows from events inside their own transaction.
pub const PROJECTIONS: &[Projection] =
    &[changes::projection::project, earnings::projection::project, notifications::projection::project];

/// The lives of everything that has one.
pub fn lives() -> Vec<Chart> {
    vec![
        jobs::LIFE.chart(),
        offers::LIFE.chart(),
        bookings::LIFE.chart(),
        changes::LIFE.chart(),
        disputes::LIFE.chart(),
    ]
}
