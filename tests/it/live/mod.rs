//! Live operations over real sockets: how they begin and end, and that no event is lost.

mod closing;
mod crowds;
mod instances;
mod operations;
mod resuming;
mod returning;
