//! `gigwire schema`: the schema in SDL, as `schema.graphql` holds it.

use super::{Failure, print};
use crate::resolvers::sdl::sdl;

/// Prints the schema.
pub fn run() -> Result<(), Failure> {
    print(&sdl()?)
}
