//! Answers that serve many: an event of a topic is shaped once for all who watch it in the same way.
//!
//! Only documents whose every field is public take part, and they are run without a viewer, so that nothing of one viewer
//! can reach another even if a rule were wrong.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::kernel::Result;
use crate::platform::streams::{Event, StreamName};
use crate::server::documents::cache::Key;

/// Answers that are kept: a page of each of a few documents. Slow clients shape what they need again.
const KEPT_MAX: usize = 512;

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharedKey {
    document: Key,
    variables: Option<Box<str>>,
    stream: StreamName,
    seq: i64,
    mark: u64,
}

impl SharedKey {
    /// An event through a document with variables.
    pub fn new(document: Key, variables: Option<&str>, event: &Event) -> Self {
        let stream = event.stream.clone();
        SharedKey { document, variables: variables.map(Into::into), stream, seq: event.seq, mark: event.mark() }
    }
}

/// An answer as JSON; nothing if the document does not show this kind of event.
pub type Answer = Option<Arc<str>>;

/// The latest shared answers of one instance.
#[derive(Debug, Default)]
pub struct Shared {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    cells: HashMap<SharedKey, Arc<OnceCell<Answer>>>,
    order: VecDeque<SharedKey>,
}

impl Shared {
    /// The kept answer, or the one that `make` makes. Whoever asks meanwhile waits for it; a failure is not kept.
    pub async fn answer(&self, key: SharedKey, make: impl Future<Output = Result<Answer>>) -> Result<Answer> {
        let cell = self.cell(key);
        cell.get_or_try_init(|| make).await.cloned()
    }

    fn cell(&self, key: SharedKey) -> Arc<OnceCell<Answer>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = kept.cells.get(&key) {
            return cell.clone();
        }
        if kept.order.len() >= KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.cells.remove(&oldest);
        }
        kept.order.push_back(key.clone());
        kept.cells.entry(key).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Error;

    fn key(seq: i64) -> SharedKey {
        SharedKey { document: Key::default(), variables: None, stream: StreamName::announcements(), seq, mark: 0 }
    }

    #[tokio::test]
    async fn an_answer_is_made_once_and_a_failure_again() {
        let shared = Shared::default();
        assert!(shared.answer(key(1), async { Err(Error::internal("away")) }).await.is_err());
        assert_eq!(shared.answer(key(1), async { Ok(Some("a".into())) }).await.unwrap().as_deref(), Some("a"));
        assert_eq!(shared.answer(key(1), async { Ok(None) }).await.unwrap().as_deref(), Some("a"));
        for seq in 2..2_000 {
            shared.answer(key(seq), async { Ok(None) }).await.unwrap();
        }
        assert_eq!(shared.kept.lock().unwrap().cells.len(), KEPT_MAX);
        assert_eq!(shared.answer(key(1), async { Ok(None) }).await.unwrap(), None);
    }
}
