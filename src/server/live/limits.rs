//! The limits of live operations, sockets and feeds. Each is a field, so that a test can wait less.

use std::time::Duration;

use crate::platform::config::Config;

/// What one instance grants to its connections.
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// Operations that one socket may have open at once.
    pub operations_per_socket: usize,
    /// Queries, mutations and beginning subscriptions of one socket that run at once.
    pub executions_per_socket: u16,
    /// Bytes of documents and variables of the live operations of one socket.
    pub document_bytes_per_socket: usize,
    /// Sockets and feeds that one user may have open on this instance.
    pub connections_per_user: usize,
    /// Sockets and feeds that may be open from one network while nobody is signed in.
    pub connections_per_address: usize,
    /// Pages of missed events that are read at once, over all sockets.
    pub replays: usize,
    /// Bytes of hoisted documents that are kept.
    pub document_bytes: usize,
    /// How long a client may take to say `connection_init`.
    pub init: Duration,
    /// How long a client may take none of what is sent to it.
    pub write: Duration,
    /// How often quiet views are looked at.
    pub sweep: Duration,
    /// How often it is noted that a connection's session is in use.
    pub noted: Duration,
    /// How often a client of the current subprotocol is pinged.
    pub ping: Duration,
    /// How often a client of the old subprotocol is told that the socket lives.
    pub keep_alive: Duration,
    /// How long a stream of events may be quiet before it shows that it lives.
    pub comment: Duration,
    /// The same for a response in parts.
    pub heartbeat: Duration,
    /// After how long a quiet view whose stream moved on gets a younger cursor.
    pub checkpoint: Duration,
    /// After how many events that it does not show a view gets a younger cursor.
    pub checkpoint_skips: u32,
}

impl LiveLimits {
    /// Those of the settings.
    pub fn of(config: &Config) -> Self {
        let live = &config.live;
        let number = |setting: u32| usize::try_from(setting).unwrap_or(usize::MAX);
        LiveLimits {
            operations_per_socket: number(live.operations_per_socket),
            executions_per_socket: live.executions_per_socket,
            document_bytes_per_socket: number(live.document_bytes_per_socket),
            connections_per_user: number(live.connections_per_user),
            connections_per_address: number(config.widened(live.connections_per_address)),
            ..LiveLimits::default()
        }
    }
}

impl Default for LiveLimits {
    fn default() -> Self {
        LiveLimits {
            operations_per_socket: 50,
            executions_per_socket: 10,
            document_bytes_per_socket: 256 << 10,
            connections_per_user: 10,
            connections_per_address: 200,
            replays: 8,
            document_bytes: 16 << 20,
            init: Duration::from_secs(5),
            write: Duration::from_secs(15),
            sweep: Duration::from_secs(5),
            noted: Duration::from_secs(20),
            ping: Duration::from_secs(25),
            keep_alive: Duration::from_secs(15),
            comment: Duration::from_secs(12),
            heartbeat: Duration::from_secs(5),
            checkpoint: Duration::from_secs(30),
            checkpoint_skips: 100,
        }
    }
}
