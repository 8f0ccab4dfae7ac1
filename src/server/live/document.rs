//! Documents of live operations, kept once however many clients sent them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::ExecutableDocument;
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

/// A subscription alone in its document, with one plain field at its root.
#[derive(Debug)]
pub struct Hoisted {
    /// Names it.
    pub key: Key,
    /// The document.
    pub document: ExecutableDocument,
    /// Bytes of its text.
    pub text_bytes: usize,
}

/// A cache of hoisted documents, bounded by bytes. What leaves it lives on in the operations that use it.
#[derive(Debug)]
pub struct Documents {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    document: Arc<Hoisted>,
    bytes: usize,
    used: u64,
}

impl Documents {
    /// An empty cache.
    pub fn new(bytes_max: usize) -> Self {
        Documents { bytes_max, kept: Mutex::default() }
    }

    /// The kept document of this key, or this one from now on.
    pub fn keep(&self, key: Key, text_bytes: usize, document: ExecutableDocument) -> Arc<Hoisted> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let used = kept.uses;
        if let Some(entry) = kept.entries.get_mut(&key) {
            entry.used = used;
            return entry.document.clone();
        }
        let bytes = text_bytes.saturating_mul(BYTES_PER_BYTE).max(BYTES_AT_LEAST);
        let document = Arc::new(Hoisted { key, document, text_bytes });
        if bytes <= self.bytes_max {
            kept.make_room(self.bytes_max - bytes);
            kept.bytes += bytes;
            kept.entries.insert(key, Entry { document: document.clone(), bytes, used });
        }
        document
    }
}

impl Kept {
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
    use async_graphql::parser::parse_query;

    use super::*;

    fn keep(documents: &Documents, n: usize) -> Arc<Hoisted> {
        let text = format!("subscription S{n} {{ a }}");
        documents.keep(key(&text, None), 1, parse_query(&text).unwrap())
    }

    #[test]
    fn the_same_text_is_kept_once() {
        let documents = Documents::new(10 * BYTES_AT_LEAST);
        assert!(Arc::ptr_eq(&keep(&documents, 1), &keep(&documents, 1)));
        assert!(!Arc::ptr_eq(&keep(&documents, 1), &keep(&documents, 2)));
        assert_ne!(key("a", None), key("a", Some("")));
        assert_ne!(key("ba", Some("a")), key("a", Some("ab")));
    }

    #[test]
    fn the_oldest_leave_and_the_bytes_stay_bounded() {
        let documents = Documents::new(10 * BYTES_AT_LEAST);
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
