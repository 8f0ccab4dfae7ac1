//! Answers that serve many: an event of a topic is shaped once for all who watch it in the same way.
//!
//! Only documents whose every field is public take part, and they are run without a viewer, so that nothing of one viewer
//! can reach another even if a rule were wrong.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::kernel::{Error, Result};
use crate::platform::streams::{Bell, Event, StreamName};
use crate::server::documents::cache::Key;

/// For how long nobody tries again what could not be made: of a crowd, one a second does, not each of it at once.
pub(super) const RETRY: Duration = Duration::from_secs(1);
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
    /// What could not be made lately, and when.
    failed: HashMap<SharedKey, Instant>,
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
    /// It could not be made a moment ago.
    Failed,
    /// Nobody has asked for it yet.
    Nothing,
}

impl Shared {
    /// The kept answer, or the one that `make` makes. Whoever asks meanwhile waits for it; a failure is kept for a moment.
    pub async fn answer(&self, key: SharedKey, make: impl Future<Output = Result<Answer>>) -> Result<Answer> {
        let Some(cell) = self.cell(&key) else {
            return Err(too_soon());
        };
        let making = Making { cell, shared: self, key };
        let make = || async {
            // Those who waited for one that failed have their turn one after the other.
            if self.kept().has_failed(&making.key) {
                return Err(too_soon());
            }
            let answer = make.await;
            if answer.is_err() {
                self.kept().fail(&making.key);
            }
            answer
        };
        making.cell.answer.get_or_try_init(make).await.cloned()
    }

    /// The answer if it is there. If it is on its way, the bell rings when there is a reason to look again.
    pub fn look(&self, key: &SharedKey, bell: &Bell) -> Look {
        // Held until the bell hangs there: whoever cannot make the answer takes the cell away first, and then rings.
        let kept = self.kept();
        let Some(cell) = kept.cells.get(key) else {
            return if kept.has_failed(key) { Look::Failed } else { Look::Nothing };
        };
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

    /// The place of an answer; none as long as it is too soon to try again.
    fn cell(&self, key: &SharedKey) -> Option<Arc<Cell>> {
        let mut kept = self.kept();
        if let Some(cell) = kept.cells.get(key) {
            return Some(cell.clone());
        }
        if kept.has_failed(key) {
            return None;
        }
        if kept.order.len() >= KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.cells.remove(&oldest);
        }
        kept.order.push_back(key.clone());
        Some(kept.cells.entry(key.clone()).or_default().clone())
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

impl Kept {
    fn has_failed(&self, key: &SharedKey) -> bool {
        self.failed.get(key).is_some_and(|at| at.elapsed() < RETRY)
    }

    fn fail(&mut self, key: &SharedKey) {
        self.failed.retain(|_, at| at.elapsed() < RETRY);
        self.failed.insert(key.clone(), Instant::now());
    }
}

impl Cell {
    fn bells(&self) -> MutexGuard<'_, Vec<Bell>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_soon() -> Error {
    Error::internal("an event could not be shaped a moment ago")
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    fn key(seq: i64) -> SharedKey {
        SharedKey { document: Key::default(), variables: None, stream: StreamName::announcements(), seq, mark: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_made_once_and_a_failure_again_in_a_moment() {
        let (shared, bell) = (Shared::default(), Bell::default());
        assert!(shared.answer(key(1), async { Err(Error::internal("away")) }).await.is_err());
        assert!(matches!(shared.look(&key(1), &bell), Look::Failed));
        assert!(shared.answer(key(1), async { unreachable!("too soon") }).await.is_err());
        tokio::time::sleep(RETRY).await;
        assert!(matches!(shared.look(&key(1), &bell), Look::Nothing));
        assert_eq!(shared.answer(key(1), async { Ok(Some("a".into())) }).await.unwrap().as_deref(), Some("a"));
        assert_eq!(shared.answer(key(1), async { Ok(None) }).await.unwrap().as_deref(), Some("a"));
        for seq in 2..2_000 {
            shared.answer(key(seq), async { Ok(None) }).await.unwrap();
        }
        assert_eq!(shared.kept.lock().unwrap().cells.len(), KEPT_MAX);
        assert_eq!(shared.answer(key(1), async { Ok(None) }).await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn of_those_who_wait_for_a_failure_nobody_tries_at_once() {
        let (shared, tries) = (Shared::default(), AtomicUsize::new(0));
        let make = || async {
            tries.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(RETRY / 2).await;
            Err(Error::internal("away"))
        };
        let outcomes = join_all((0..5).map(|_| shared.answer(key(1), make()))).await;
        assert!(outcomes.iter().all(Result::is_err));
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
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
                Look::Failed => assert!(failed, "made but gone"),
                Look::Nothing => panic!("forgotten"),
                Look::Made(answer) => assert!(!failed && answer.as_deref() == Some("a")),
                Look::Coming => panic!("nobody makes it"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
