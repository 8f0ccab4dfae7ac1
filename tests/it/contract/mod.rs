//! What every backend of a contract must do: one list of cases, run against each of them.
//!
//! To add a backend: a fixture in the file of its contract, and a line that runs the cases on it.

mod bus;
mod bus_faults;
mod database;
mod files;
mod limits;
