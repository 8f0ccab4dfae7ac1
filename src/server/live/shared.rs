//! Answers that serve many: an event of a topic is shaped once for all who watch it in the same way.
//!
//! Only documents whose every field is public take part, and they are run without a viewer, so that nothing of one viewer
//! can reach another even if a rule were wrong.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::kernel::Result;
use crate::platform::streams::{Bell, Event, StreamName};
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
    cells: HashMap<SharedKey, Arc<Cell>>,
    order: VecDeque<SharedKey>,
}

/// An answer that is there, or on its way.
#[derive(Debug, Default)]
struct Cell {
    answer: OnceCell<Answer>,
    /// Who is to be rung when it is there.
    bells: Mutex<Vec<Bell>>,
}

/// What there is of an answer.
pub enum Look {
    /// The answer.
    Made(Answer),
    /// Somebody shapes it, and rings when it is there or has failed.
    Coming,
    /// Nobody has asked for it yet.
    Nothing,
}

impl Shared {
    /// The kept answer, or the one that `make` makes. Whoever asks meanwhile waits for it; a failure is not kept.
    pub async fn answer(&self, key: SharedKey, make: impl Future<Output = Result<Answer>>) -> Result<Answer> {
        let making = Making { cell: self.cell(&key), shared: self, key };
        making.cell.answer.get_or_try_init(|| make).await.cloned()
    }

    /// The answer if it is there. If it is on its way, the bell rings when there is a reason to look again.
    pub fn look(&self, key: &SharedKey, bell: &Bell) -> Look {
        let Some(cell) = self.kept().cells.get(key).cloned() else { return Look::Nothing };
        if let Some(answer) = cell.answer.get() {
            return Look::Made(answer.clone());
        }
        cell.bells().push(bell.clone());
        // It may have come in between, with nobody there to ring.
        cell.answer.get().map_or(Look::Coming, |answer| Look::Made(answer.clone()))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cell(&self, key: &SharedKey) -> Arc<Cell> {
        let mut kept = self.kept();
        if let Some(cell) = kept.cells.get(key) {
            return cell.clone();
        }
        if kept.order.len() >= KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.cells.remove(&oldest);
        }
        kept.order.push_back(key.clone());
        kept.cells.entry(key.clone()).or_default().clone()
    }

    /// Makes room for another attempt.
    fn forget(&self, key: &SharedKey, cell: &Arc<Cell>) {
        let mut kept = self.kept();
        if kept.cells.get(key).is_some_and(|known| Arc::ptr_eq(known, cell)) {
            kept.cells.remove(key);
            kept.order.retain(|known| known != key);
        }
    }
}

impl Cell {
    fn bells(&self) -> MutexGuard<'_, Vec<Bell>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer on its way. However this ends, those who wait are told.
struct Making<'a> {
    shared: &'a Shared,
    key: SharedKey,
    cell: Arc<Cell>,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if self.cell.answer.get().is_none() {
            self.shared.forget(&self.key, &self.cell);
        }
        for bell in std::mem::take(&mut *self.cell.bells()) {
            bell.notify_one();
        }
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

    #[tokio::test]
    async fn whoever_looks_while_an_answer_is_made_is_rung() {
        let (shared, bell) = (Shared::default(), Bell::default());
        assert!(matches!(shared.look(&key(1), &bell), Look::Nothing));
        for failed in [true, false] {
            let (done, waits) = tokio::sync::oneshot::channel();
            let make = async { waits.await.map_err(Error::internal)? };
            let making = shared.answer(key(1), make);
            let look = async {
                assert!(matches!(shared.look(&key(1), &bell), Look::Coming));
                let outcome = if failed { Err(Error::internal("away")) } else { Ok(Some("a".into())) };
                drop(done.send(outcome));
                bell.notified().await;
            };
            let (made, ()) = tokio::join!(making, look);
            assert_eq!(made.is_err(), failed);
            match shared.look(&key(1), &bell) {
                Look::Nothing => assert!(failed, "made but gone"),
                Look::Made(answer) => assert!(!failed && answer.as_deref() == Some("a")),
                Look::Coming => panic!("nobody makes it"),
            }
        }
    }
}
