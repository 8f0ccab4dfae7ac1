//! The edge: HTTP and WebSocket, and what stands in front of the engine.
//!
//! `router` names every address. A document goes through `caller` (who), `documents` (may it be looked at), `execute`
//! (is it allowed, then run) and `throttle` (how often); `http` reads and writes it, with the one table of statuses in
//! `status`. `live` keeps what clients subscribe to; `socket` brings it over WebSocket, `feed` over plain HTTP. `files`
//! takes and gives uploads. `lifecycle` begins and ends it all. `mailbox` shows a developer the letters that were captured.
//!
//! To add an address: a line in `router`. To add a way for documents to come in: read an `Asked`, then `prepare` it,
//! and `run` or `open` that; so nothing that is checked can be left out.

pub mod caller;
pub mod checked;
pub mod cors;
pub mod documents;
pub mod execute;
pub mod feed;
pub mod files;
pub mod health;
pub mod http;
pub mod lifecycle;
mod listen;
pub mod live;
pub mod mailbox;
pub mod negotiate;
mod patience;
pub mod playground;
pub mod router;
pub mod socket;
pub mod state;
pub mod status;
pub mod throttle;
