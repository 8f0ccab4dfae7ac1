//! Documents that were judged, kept so that a client that sends one again pays for it once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// About how many bytes of memory a parsed document takes for each byte of its text.
const BYTES_PER_BYTE: usize = 16;
/// What it takes at least.
const BYTES_AT_LEAST: usize = 1_024;

/// Names a document: the start of a digest that nobody can make two texts for.
pub type Key = [u8; 16];

/// The key of an operation in a text.
pub fn key(text: &str, operation_name: Option<&str>) -> Key {
    let mut hash = Sha256::new();
    // A name cannot hold this byte, so no text runs into a name.
    hash.update(operation_name.unwrap_or_default());
    hash.update([u8::from(operation_name.is_some()), 0xff]);
    hash.update(text);
    let mut key = Key::default();
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

/// A cache of what was made of documents, bounded by bytes. What leaves it lives on in the operations that use it.
#[derive(Debug)]
pub struct Cache<T> {
    bytes_max: usize,
    kept: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    entries: HashMap<Key, Entry<T>>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry<T> {
    made: Arc<T>,
    bytes: usize,
    used: u64,
}

impl<T> Cache<T> {
    /// An empty cache.
    pub fn new(bytes_max: usize) -> Self {
        Cache { bytes_max, kept: Mutex::new(Kept { entries: HashMap::new(), bytes: 0, uses: 0 }) }
    }

    /// What is kept for this key.
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let used = kept.uses;
        let entry = kept.entries.get_mut(key)?;
        entry.used = used;
        Some(entry.made.clone())
    }

    /// What is kept for this key, or what was made just now, from now on.
    pub fn keep(&self, key: Key, text_bytes: usize, made: T) -> Arc<T> {
        if let Some(known) = self.get(&key) {
            return known;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = text_bytes.saturating_mul(BYTES_PER_BYTE).max(BYTES_AT_LEAST);
        let made = Arc::new(made);
        if bytes <= self.bytes_max {
            kept.make_room(self.bytes_max - bytes);
            let entry = Entry { made: made.clone(), bytes, used: kept.uses };
            kept.bytes += bytes;
            if let Some(other) = kept.entries.insert(key, entry) {
                // Somebody made the same at the same time.
                kept.bytes -= other.bytes;
            }
        }
        made
    }
}

impl<T> Kept<T> {
    /// Forgets what was not used for longest. Three quarters stay at most, so that not every newcomer sorts.
    fn make_room(&mut self, bytes: usize) {
        if self.bytes <= bytes {
            return;
        }
        let mut by_age: Vec<_> = self.entries.iter().map(|(key, entry)| (entry.used, *key)).collect();
        by_age.sort_unstable();
        for (_, key) in by_age {
            if self.bytes <= bytes / 4 * 3 {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(documents: &Cache<usize>, n: usize) -> Arc<usize> {
        documents.keep(key(&n.to_string(), None), 1, n)
    }

    #[test]
    fn the_same_text_is_kept_once() {
        let documents = Cache::new(10 * BYTES_AT_LEAST);
        assert!(Arc::ptr_eq(&keep(&documents, 1), &keep(&documents, 1)));
        assert!(!Arc::ptr_eq(&keep(&documents, 1), &keep(&documents, 2)));
        assert_ne!(key("a", None), key("a", Some("")));
        assert_ne!(key("ba", Some("a")), key("a", Some("ab")));
    }

    #[test]
    fn the_oldest_leave_and_the_bytes_stay_bounded() {
        let documents = Cache::new(10 * BYTES_AT_LEAST);
        let first = keep(&documents, 0);
        for n in 1..100 {
            keep(&documents, n);
            keep(&documents, 0);
        }
        assert!(Arc::ptr_eq(&first, &keep(&documents, 0)), "what is used stays");
        let kept = documents.kept.lock().unwrap();
        assert!(kept.bytes <= 10 * BYTES_AT_LEAST);
        assert_eq!(kept.bytes, kept.entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
}
