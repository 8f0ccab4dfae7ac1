//! Live operations over real sockets: how they begin and end, and that no event is lost.

mod closing;
mod instances;
mod operations;
mod polling;
mod pruning;
mod resuming;
mod returning;
mod revocation;
