//! `@cost`: what a field costs, in the schema itself, where that is more than 1.
//!
//! `server/documents/cost.rs` adds it up before anything runs, times the rows of the pages around the field.

#![expect(missing_docs, reason = "the directive's macro makes items of its own")]

use async_graphql::TypeDirective;

/// Says that a field costs more than 1, for each row that it is asked of.
#[TypeDirective(location = "FieldDefinition")]
pub fn cost(#[graphql(desc = "How much.")] weight: u32) {}

/// What somebody may do next with a row.
pub const TRANSITIONS: u32 = 5;
/// A command that is run to the brink of its commit: as much work as the command itself.
pub const REHEARSAL: u32 = 50;
/// Something that is added up from all that ever happened to a wallet.
pub const HISTORY: u32 = 50;
