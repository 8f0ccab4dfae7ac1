//! Live operations over real sockets: how they begin and end, and that no event is lost.

mod closing;
mod compression;
mod crowds;
mod instances;
mod network;
mod operations;
mod polling;
mod pruning;
mod quotas;
mod resuming;
mod returning;
mod revocation;
mod throttling;
