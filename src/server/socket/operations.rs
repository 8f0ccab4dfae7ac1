//! The operations of one socket: which are open, which rest, and whose turn it is.

use tokio::time::Instant;

use crate::server::live::LiveOperation;

/// The operations of one socket. There are few, so a list serves.
#[derive(Default)]
pub struct Operations {
    slots: Vec<Slot>,
    /// Where the next round begins, so that a busy operation does not keep the others waiting.
    turn: usize,
    serial: u32,
}

struct Slot {
    id: Box<str>,
    serial: u32,
    /// A live operation that waits for its bell; nothing while a future holds it, or for queries and mutations.
    resting: Option<Box<LiveOperation>>,
    /// Bytes of a live operation's document and variables.
    bytes: usize,
}

impl Operations {
    /// How many are open.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Opens one and names it; nothing if its id is in use.
    pub fn add(&mut self, id: &str) -> Option<u32> {
        if self.slots.iter().any(|slot| &*slot.id == id) {
            return None;
        }
        self.serial = self.serial.wrapping_add(1);
        self.slots.push(Slot { id: id.into(), serial: self.serial, resting: None, bytes: 0 });
        Some(self.serial)
    }

    /// The name of one that is open.
    pub fn serial(&self, id: &str) -> Option<u32> {
        self.slots.iter().find(|slot| &*slot.id == id).map(|slot| slot.serial)
    }

    /// The id of one that is still open.
    pub fn id(&self, serial: u32) -> Option<&str> {
        self.slots.iter().find(|slot| slot.serial == serial).map(|slot| &*slot.id)
    }

    /// Keeps an operation that went live, if all together have at most so many bytes.
    pub fn keep(&mut self, serial: u32, operation: Box<LiveOperation>, bytes_max: usize) -> bool {
        let taken: usize = self.slots.iter().map(|slot| slot.bytes).sum();
        let bytes = operation.bytes();
        if taken + bytes > bytes_max {
            return false;
        }
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.serial == serial) {
            slot.bytes = bytes;
        }
        self.rest(serial, operation);
        true
    }

    /// Puts a live operation to rest, unless it was ended meanwhile.
    pub fn rest(&mut self, serial: u32, operation: Box<LiveOperation>) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.serial == serial) {
            slot.resting = Some(operation);
        }
    }

    /// Ends one by its name.
    pub fn end(&mut self, serial: u32) {
        self.slots.retain(|slot| slot.serial != serial);
    }

    /// Ends one as its client asks.
    pub fn stop(&mut self, id: &str) {
        self.slots.retain(|slot| &*slot.id != id);
    }

    /// Tells all of them that the bell has rung.
    pub fn rung(&mut self) {
        self.slots.iter_mut().filter_map(|slot| slot.resting.as_mut()).for_each(|operation| operation.rung());
    }

    /// When one of them will have news that no bell tells of.
    pub fn wakes_at(&self) -> Option<Instant> {
        self.slots.iter().filter_map(|slot| slot.resting.as_ref()?.wakes_at()).min()
    }

    /// The next resting operation with news, in turns.
    pub fn take_ready(&mut self, has_news: impl Fn(&LiveOperation) -> bool) -> Option<(u32, Box<LiveOperation>)> {
        let count = self.slots.len();
        for offset in 0..count {
            let index = (self.turn + offset) % count;
            let slot = &mut self.slots[index];
            if slot.resting.as_deref().is_some_and(&has_news) {
                self.turn = index + 1;
                return slot.resting.take().map(|operation| (slot.serial, operation));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_by_one_at_a_time() {
        let mut operations = Operations::default();
        let first = operations.add("a").unwrap();
        assert_eq!(operations.add("a"), None);
        operations.stop("a");
        let second = operations.add("a").unwrap();
        assert_ne!(first, second);
        operations.end(first);
        assert_eq!((operations.len(), operations.id(first), operations.id(second)), (1, None, Some("a")));
    }
}
