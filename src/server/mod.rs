//! The edge: HTTP and WebSocket, and what stands in front of the engine.

pub mod documents;
pub mod execute;
pub mod playground;
pub mod state;
