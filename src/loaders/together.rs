//! Questions of many requests, asked together.
//!
//! The loaders of a request gather what the request asks. Under load many requests ask at the same time, and mostly for the
//! same kinds of things; so a batch lets all others ask first that can run now, one that finds two under way waits, and
//! what has gathered by then becomes one statement. Nobody waits for a timer, nothing is kept: each answer was read after
//! its question was asked. Who asks is part of the question wherever the answer depends on it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::kernel::{Error, Result};

/// Statements of one kind that are under way at once: a slow one does not hold up all others.
const FLIGHTS: usize = 2;
/// Questions in one statement, about.
const AT_ONCE: usize = 500;

/// All answers of a statement.
type Answers<K, V> = Arc<HashMap<K, V>>;

/// Reads the answers to questions, in a task of its own.
pub type Read<K, V> = Arc<dyn Fn(Vec<K>) -> BoxFuture<'static, HashMap<K, V>> + Send + Sync>;

/// The questions of a batch, and who waits for the answers.
type Asked<K, V> = (Vec<K>, oneshot::Sender<Answers<K, V>>);

/// The questions of a statement, and who waits for their answers.
type Taken<K, V> = (Vec<K>, Vec<oneshot::Sender<Answers<K, V>>>);

/// Questions of one kind.
pub struct Together<K, V> {
    read: Read<K, V>,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    waiting: Vec<Asked<K, V>>,
    flights: usize,
}

impl<K, V> Together<K, V>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Nothing is asked yet.
    pub fn new(read: Read<K, V>) -> Arc<Self> {
        Arc::new(Together { read, state: Mutex::new(State { waiting: Vec::new(), flights: 0 }) })
    }

    /// The answers to these questions, and perhaps to others.
    pub async fn ask(self: &Arc<Self>, keys: Vec<K>) -> Result<Answers<K, V>> {
        let (answer, answered) = oneshot::channel();
        let must_fly = {
            let mut state = self.state();
            state.waiting.push((keys, answer));
            let is_free = state.flights < FLIGHTS;
            state.flights += usize::from(is_free);
            is_free
        };
        if must_fly {
            // Whoever asks may be gone before the others have their answers.
            tokio::spawn(Flight { of: self.clone(), has_landed: false }.run());
        }
        answered.await.map_err(Error::internal)
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        // Nothing here panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those that read, until nobody waits.
struct Flight<K, V> {
    of: Arc<Together<K, V>>,
    /// Whether it is counted no more.
    has_landed: bool,
}

impl<K, V> Flight<K, V>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    async fn run(mut self) {
        loop {
            // Whoever can run now has its turn first, and may ask the same kind of thing.
            tokio::task::yield_now().await;
            let Some((keys, waiting)) = self.take() else { return };
            let answers = Arc::new((self.of.read)(keys).await);
            for answer in waiting {
                // Whoever asked may be gone.
                drop(answer.send(answers.clone()));
            }
        }
    }

    /// What is to be read next. With nothing, the flight has landed: under the same lock, so that whoever asks a moment later
    /// finds room for another one.
    fn take(&mut self) -> Option<Taken<K, V>> {
        let mut state = self.of.state();
        if state.waiting.is_empty() {
            state.flights -= 1;
            self.has_landed = true;
            return None;
        }
        let (mut keys, mut count) = (HashSet::new(), 0);
        for (asked, _) in &state.waiting {
            if count > 0 && keys.len() + asked.len() > AT_ONCE {
                break;
            }
            keys.extend(asked.iter().copied());
            count += 1;
        }
        Some((keys.into_iter().collect(), state.waiting.drain(..count).map(|(_, answer)| answer).collect()))
    }
}

impl<K, V> Drop for Flight<K, V> {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        // Reading has panicked. With nobody to read for them, those who wait are told so.
        let mut state = self.of.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.flights -= 1;
        state.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    fn doubling(reads: &Arc<AtomicUsize>) -> Arc<Together<u64, u64>> {
        let reads = reads.clone();
        Together::new(Arc::new(move |keys: Vec<u64>| {
            reads.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(!keys.contains(&13), "an unlucky number");
                tokio::task::yield_now().await;
                keys.into_iter().map(|key| (key, key * 2)).collect()
            }
            .boxed()
        }))
    }

    #[tokio::test]
    async fn what_gathers_is_read_together_and_everybody_has_its_own() {
        let reads = Arc::default();
        let together = doubling(&reads);
        let ask = |n: u64| {
            let together = together.clone();
            async move { together.ask(vec![n, n + 1]).await.unwrap()[&n] }
        };
        assert_eq!(ask(4).await, 8, "nobody waits for others");
        assert_eq!(reads.swap(0, Ordering::SeqCst), 1);
        let answers = join_all((100..1_100).map(ask)).await;
        assert!(answers.into_iter().eq((100..1_100).map(|n| n * 2)));
        let reads = reads.load(Ordering::SeqCst);
        assert!((2..20).contains(&reads), "{reads} reads for 1,000 requests");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_is_left_waiting_when_the_last_flight_lands() {
        let together = doubling(&Arc::default());
        let ask = |n: u64| {
            let together = together.clone();
            tokio::spawn(async move {
                for number in 0..2_000 {
                    let key = [100 + n * 10_000 + number];
                    let asked = tokio::time::timeout(std::time::Duration::from_secs(10), together.ask(key.to_vec()));
                    assert_eq!(asked.await.expect("left waiting").unwrap()[&key[0]], key[0] * 2);
                }
            })
        };
        for asked in join_all((0..3).map(ask)).await {
            asked.unwrap();
        }
    }

    #[tokio::test]
    async fn a_panic_fails_those_who_wait_and_nobody_else() {
        let together = doubling(&Arc::default());
        assert!(together.ask(vec![13]).await.is_err());
        assert_eq!(together.ask(vec![1]).await.unwrap()[&1], 2);
        // It looks once more whether anybody waits.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(together.state().flights, 0);
    }
}
