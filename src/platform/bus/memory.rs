//! The bus of a single instance: nothing leaves the process.

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{Bus, LISTENER_BACKLOG, Listener, Note};

/// Delivers notes to the listeners of this process. The other backends hold one for their local half.
#[derive(Debug)]
pub struct MemoryBus {
    notes: broadcast::Sender<Note>,
}

impl MemoryBus {
    /// A bus without listeners yet.
    pub fn new() -> Self {
        MemoryBus { notes: broadcast::Sender::new(LISTENER_BACKLOG) }
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        MemoryBus::new()
    }
}

#[async_trait]
impl Bus for MemoryBus {
    fn publish(&self, note: Note) {
        // The only failure is that nobody listens, which is nobody's loss.
        let _ = self.notes.send(note);
    }

    fn subscribe(&self) -> Listener {
        Listener { notes: self.notes.subscribe() }
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn close(&self) {}
}
