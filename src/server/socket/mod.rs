//! GraphQL over WebSocket: both subprotocols, one loop.
//!
//! - `protocol`: what is said, what is answered, and the table of close codes; pure;
//! - `auth`: who connects;
//! - `wire`: frames in and out;
//! - `work`: what runs beside the loop, as futures that borrow nothing from it;
//! - `operations`: what is kept of each operation;
//! - `connection`: the loop; `executions`: what its client asks for; `deliveries`: what is new for it; `life`: what happens
//!   to it by itself.
//!
//! A socket is one task. It queues nothing without bound: a live operation is a place in a stream
//! ([`super::live`]), and it is given the next page only when the frames of the last have gone out.
//!
//! To add a reason to close: a line in the table of `protocol`. To add something to wait for: a branch of the loop in
//! `connection`, or of `rare` if it seldom happens; a future in `work`, or a time in [`super::live::Timers`].

mod auth;
mod connection;
mod deliveries;
mod executions;
mod life;
mod operations;
mod protocol;
mod wire;
mod work;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use self::connection::Connection;
use self::protocol::Dialect;
use super::cors::Origins;
use super::state::Server;
use crate::kernel::Caller;

/// Bytes of one message of a client at most.
pub const MESSAGE_MAX: usize = 1 << 20;
/// Bytes read at once. A larger message is read in several steps; most are smaller, and each socket keeps a buffer.
const READ_BUFFER: usize = 512;
/// Bytes that are collected before they are written. A burst leaves a buffer of twice this size behind, for as long as the
/// socket lives; to shape what is in it costs far more than to write it in a few steps.
const WRITE_BUFFER: usize = 1 << 10;

/// Answers a request to upgrade. `caller` is what is known of the request; who is signed in is settled by the init message.
pub fn upgrade(server: &Server, upgrade: WebSocketUpgrade, headers: &HeaderMap, caller: Caller) -> Response {
    if server.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "The server is about to stop; try again.").into_response();
    }
    if !Origins::new(&server.platform.config).allow(headers) {
        return (StatusCode::FORBIDDEN, "This origin may not connect; name it in cors.allowed_origins.")
            .into_response();
    }
    let offered: Vec<_> = upgrade.requested_protocols().filter_map(|name| Dialect::of(name.to_str().ok()?)).collect();
    let Some(dialect) = [Dialect::Transport, Dialect::Legacy].into_iter().find(|known| offered.contains(known)) else {
        let message = "Offer a subprotocol: graphql-transport-ws, or graphql-ws for old clients.";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(Into::into);
    let mut upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX);
    upgrade.set_selected_protocol(HeaderValue::from_static(dialect.name()));
    let server = server.clone();
    upgrade.on_upgrade(move |socket| {
        // In a task of its own, so that nothing of the request is kept as long as the socket lives.
        let sockets = server.sockets.clone();
        sockets.spawn(Box::new(Connection::new(server, dialect, socket, caller, token)).run());
        std::future::ready(())
    })
}
