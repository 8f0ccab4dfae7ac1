//! The edge: HTTP and WebSocket, and what stands in front of the engine.

pub mod documents;
pub mod execute;
pub mod live;
pub mod playground;
pub mod socket;
pub mod state;
