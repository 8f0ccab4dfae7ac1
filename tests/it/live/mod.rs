//! Live operations over real sockets: how they begin and end, and that no event is lost.

mod closing;
mod instances;
mod network;
mod operations;
mod resuming;
mod returning;
