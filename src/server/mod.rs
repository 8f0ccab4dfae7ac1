//! The edge: HTTP and WebSocket, and what stands in front of the engine.
//!
//! `router` names every address. A document goes through `caller` (who), `documents` (may it be looked at), `execute`
//! (is it allowed, then run) and `throttle` (how often); `http` reads and writes it, with the one table of statuses in
//! `status`. `socket` speaks WebSocket and `live` keeps what its clients subscribe to. `lifecycle` begins and ends it
//! all.
//!
//! To add an address: a line in `router`. To add a way for documents to come in: read an `Asked`, then `prepare` and
//! `run` it, or `subscribe`; so nothing that is checked can be left out.

pub mod caller;
pub mod cors;
pub mod documents;
pub mod execute;
pub mod health;
pub mod http;
pub mod lifecycle;
mod listen;
pub mod live;
pub mod negotiate;
pub mod playground;
pub mod router;
pub mod socket;
pub mod state;
pub mod status;
pub mod throttle;
