//! The limits of live operations and sockets. Each is a field, so that a test can wait less.

use std::time::Duration;

/// What one instance grants to its sockets.
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// Operations that one socket may have open at once.
    pub operations_per_socket: usize,
    /// Sockets that one user may have open on this instance.
    pub sockets_per_user: usize,
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
    /// How often it is noted that a socket's session is in use.
    pub noted: Duration,
    /// How often a client of the current subprotocol is pinged.
    pub ping: Duration,
    /// How often a client of the old subprotocol is told that the socket lives.
    pub keep_alive: Duration,
    /// After how long a quiet view whose stream moved on gets a younger cursor.
    pub checkpoint: Duration,
    /// After how many events that it does not show a view gets a younger cursor.
    pub checkpoint_skips: u32,
}

impl Default for LiveLimits {
    fn default() -> Self {
        LiveLimits {
            operations_per_socket: 50,
            sockets_per_user: 10,
            replays: 64,
            document_bytes: 16 << 20,
            init: Duration::from_secs(5),
            write: Duration::from_secs(15),
            sweep: Duration::from_secs(5),
            noted: Duration::from_secs(20),
            ping: Duration::from_secs(25),
            keep_alive: Duration::from_secs(15),
            checkpoint: Duration::from_secs(30),
            checkpoint_skips: 100,
        }
    }
}
