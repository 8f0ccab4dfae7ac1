//! The questions of one request, gathered.
//!
//! Whoever asks first lets the others run once and then reads for all of them; they sleep until then, and are woken
//! once. If it goes before it has read, each of them reads for itself.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::dataloader::BatchFn;
use ::dataloader::cached::Loader;
use tokio_util::sync::CancellationToken;

use crate::kernel::{Error, Result};

/// How often the first one lets others run. Objects ask all of their fields in one turn; those that were woken by the end of
/// another round are a turn behind the one that led it.
const YIELDS: usize = 1;
/// How often an answer is looked for that somebody else took away unread.
const ATTEMPTS: usize = 3;

/// A question as the loader keeps it. The loader prints each one for an error that it seldom needs, so this prints nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Question<K>(pub K);

impl<K> Debug for Question<K> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// A loader whose questions are gathered.
pub(super) struct Gather<K, V, F>
where
    K: Copy + Eq + Hash,
    V: Clone,
    F: BatchFn<Question<K>, V>,
{
    loader: Loader<Question<K>, V, F>,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    /// What was answered, for those who wait: the loader's own lock would hold up a large list.
    known: HashMap<K, V>,
    /// What is being gathered.
    round: Option<Round<K>>,
}

struct Round<K> {
    keys: Vec<K>,
    /// Cancelled when it is over.
    over: CancellationToken,
}

/// What somebody who asks does next.
enum Turn<'a, K, V> {
    /// Take the answer.
    Take(V),
    /// Wait for the end of the round.
    Wait(CancellationToken),
    /// Read for all.
    Lead(Lead<'a, K, V>),
}

impl<K, V, F> Gather<K, V, F>
where
    K: Copy + Eq + Hash,
    V: Clone,
    F: BatchFn<Question<K>, V>,
{
    /// Nothing is asked yet.
    pub fn new(read: F) -> Self {
        let state = State { known: HashMap::new(), round: None };
        Gather { loader: Loader::new(read).with_yield_count(0), state: Mutex::new(state) }
    }

    /// The answer to a question.
    pub async fn load(&self, key: K) -> Result<V> {
        // What few do is in a box: each field that asks has the room for all of this.
        match self.turn(key) {
            Turn::Take(answer) => return Ok(answer),
            Turn::Wait(over) => over.cancelled().await,
            Turn::Lead(lead) => Box::pin(self.lead(lead)).await,
        }
        if let Some(answer) = lock(&self.state).known.get(&key) {
            return Ok(answer.clone());
        }
        Box::pin(self.load_alone(key)).await
    }

    /// The answer when whoever led went before it was done.
    async fn load_alone(&self, key: K) -> Result<V> {
        let mut answer = self.loader.try_load(Question(key)).await;
        for _ in 1..ATTEMPTS {
            if answer.is_ok() {
                break;
            }
            answer = self.loader.try_load(Question(key)).await;
        }
        answer.map_err(Error::internal)
    }

    fn turn(&self, key: K) -> Turn<'_, K, V> {
        let mut state = lock(&self.state);
        if let Some(answer) = state.known.get(&key) {
            return Turn::Take(answer.clone());
        }
        if let Some(round) = &mut state.round {
            round.keys.push(key);
            return Turn::Wait(round.over.clone());
        }
        let over = CancellationToken::new();
        state.round = Some(Round { keys: vec![key], over: over.clone() });
        Turn::Lead(Lead { state: &self.state, over, is_open: true })
    }

    async fn lead(&self, mut lead: Lead<'_, K, V>) {
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        let questions = lead.close().into_iter().map(Question).collect();
        if let Ok(answers) = self.loader.try_load_many(questions).await {
            lock(&self.state).known.extend(answers.into_iter().map(|(question, answer)| (question.0, answer)));
        }
    }
}

/// Whoever leads a round. Dropped, the round is over, however it went.
struct Lead<'a, K, V> {
    state: &'a Mutex<State<K, V>>,
    over: CancellationToken,
    is_open: bool,
}

impl<K, V> Lead<'_, K, V> {
    /// Ends the gathering, and gives what was asked.
    fn close(&mut self) -> Vec<K> {
        let is_open = std::mem::replace(&mut self.is_open, false);
        let round = if is_open { lock(self.state).round.take() } else { None };
        round.map(|round| round.keys).unwrap_or_default()
    }
}

impl<K, V> Drop for Lead<'_, K, V> {
    fn drop(&mut self) {
        self.close();
        self.over.cancel();
    }
}

fn lock<K, V>(state: &Mutex<State<K, V>>) -> MutexGuard<'_, State<K, V>> {
    // Nothing here panics while it holds the lock.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::future::{join_all, select};

    use super::*;

    /// Doubles numbers, slowly, and counts how often it is asked.
    struct Doubling(Arc<AtomicUsize>);

    impl BatchFn<Question<u64>, u64> for Doubling {
        async fn load(&mut self, questions: &[Question<u64>]) -> HashMap<Question<u64>, u64> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            questions.iter().map(|question| (*question, question.0 * 2)).collect()
        }
    }

    fn doubling() -> (Gather<u64, u64, Doubling>, Arc<AtomicUsize>) {
        let reads = Arc::default();
        (Gather::new(Doubling(Arc::clone(&reads))), reads)
    }

    #[tokio::test]
    async fn one_read_answers_all_that_ask_at_once() {
        let (gather, reads) = doubling();
        let answers = join_all((0..150).map(async |n| gather.load(n / 2).await.unwrap())).await;
        assert!(answers.into_iter().eq((0..150).map(|n| n / 2 * 2)));
        assert_eq!(reads.load(Ordering::SeqCst), 1);
        assert_eq!(gather.load(7).await.unwrap(), 14, "what is known is not read again");
        assert_eq!(gather.load(100).await.unwrap(), 200);
        assert_eq!(reads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn nobody_waits_for_one_that_went() {
        for pauses in 0..8 {
            let (gather, _) = doubling();
            let lead = gather.load(1).boxed();
            let gone = async {
                for _ in 0..pauses {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            // The first one goes while it gathers or reads, and two wait for it.
            let both = join_all([2, 3].map(|n| gather.load(n)));
            let leaving = async { drop(select(lead, gone.boxed()).await) };
            let (_, found) = tokio::join!(leaving, tokio::time::timeout(Duration::from_secs(5), both));
            let found: Vec<_> = found.expect("nobody is left waiting").into_iter().map(Result::unwrap).collect();
            assert_eq!(found, [4, 6]);
            assert_eq!(gather.load(1).await.unwrap(), 2);
        }
    }
}
