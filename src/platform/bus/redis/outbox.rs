//! The notes that wait for Redis: bounded in number and in age.
//!
//! Publishing only puts a note here. The publisher takes batches out, and gives back a batch that could not be sent. What
//! grows too old or too much is dropped from the old end and remembered as one flag, [`Batch::lost`], which becomes a
//! [`Note::Resync`] for the other instances: after an outage they get one hint to read again, not minutes of stale ones.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::platform::bus::Note;

/// How many notes may wait.
const MOST_WAITING: usize = 10_000;
/// How long a note may wait before a resync says it better.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How many notes travel in one frame.
const LARGEST_BATCH: usize = 256;

/// A bounded queue from many publishing tasks to one that sends.
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
    grown: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    lost: bool,
    closed: bool,
}

struct Waiting {
    since: Instant,
    note: Note,
}

/// Notes that were taken out to be sent together.
pub struct Batch {
    /// Notes before these were dropped: the other instances have to read again.
    pub lost: bool,
    waiting: Vec<Waiting>,
}

impl Outbox {
    /// Adds a note, dropping the oldest one when the outbox is full.
    pub fn push(&self, note: Note, now: Instant) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        if state.waiting.len() >= MOST_WAITING {
            state.drop_oldest();
        }
        state.waiting.push_back(Waiting { since: now, note });
        drop(state);
        self.grown.notify_one();
    }

    /// Takes the oldest notes that are still worth sending.
    pub fn take(&self, now: Instant) -> Batch {
        let mut state = self.state();
        while state.waiting.front().is_some_and(|oldest| now.duration_since(oldest.since) > LONGEST_WAIT) {
            state.drop_oldest();
        }
        let count = state.waiting.len().min(LARGEST_BATCH);
        Batch { lost: std::mem::take(&mut state.lost), waiting: state.waiting.drain(..count).collect() }
    }

    /// Puts a batch that could not be sent back to where it was.
    pub fn give_back(&self, batch: Batch) {
        let mut state = self.state();
        state.lost |= batch.lost;
        for waiting in batch.waiting.into_iter().rev() {
            state.waiting.push_front(waiting);
        }
    }

    /// Waits until something is pushed. For the one task that takes.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// Takes nothing more in; what waits can still be taken out.
    pub fn close(&self) {
        self.state().closed = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_oldest(&mut self) {
        let dropped = self.waiting.pop_front();
        // A lost signal is not worth a re-read by everybody.
        self.lost |= dropped.is_some_and(|waiting| !matches!(waiting.note, Note::Signal { .. }));
    }
}

impl Batch {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        !self.lost && self.waiting.is_empty()
    }

    /// What to tell, oldest first.
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.lost.then_some(&Note::Resync).into_iter().chain(self.waiting.iter().map(|waiting| &waiting.note))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;

    fn rights(number: u128) -> Note {
        Note::Rights(Uuid::from_u128(number))
    }

    fn signal() -> Note {
        Note::Signal { topic: Arc::from("t"), body: Arc::from("{}") }
    }

    fn told(batch: &Batch) -> Vec<Note> {
        batch.notes().cloned().collect()
    }

    #[tokio::test]
    async fn a_batch_given_back_comes_first_again() {
        let (outbox, now) = (Outbox::default(), Instant::now());
        outbox.push(rights(1), now);
        outbox.push(rights(2), now);
        let batch = outbox.take(now);
        outbox.push(rights(3), now);
        outbox.give_back(batch);
        assert_eq!(told(&outbox.take(now)), [rights(1), rights(2), rights(3)]);
        assert!(outbox.take(now).is_empty());
    }

    #[tokio::test]
    async fn old_notes_become_one_resync() {
        let (outbox, start) = (Outbox::default(), Instant::now());
        let later = start + LONGEST_WAIT + Duration::from_millis(1);
        outbox.push(rights(1), start);
        outbox.push(rights(2), start);
        outbox.push(rights(3), later);
        let batch = outbox.take(later);
        assert_eq!(told(&batch), [Note::Resync, rights(3)]);
        // A failed attempt must not forget that something was lost.
        outbox.give_back(batch);
        assert_eq!(told(&outbox.take(later)), [Note::Resync, rights(3)]);
    }

    #[tokio::test]
    async fn old_signals_vanish() {
        let (outbox, start) = (Outbox::default(), Instant::now());
        outbox.push(signal(), start);
        assert!(outbox.take(start + LONGEST_WAIT * 2).is_empty());
    }

    #[tokio::test]
    async fn a_full_outbox_drops_the_oldest_and_says_so() {
        let (outbox, now) = (Outbox::default(), Instant::now());
        for number in 0..=MOST_WAITING as u128 {
            outbox.push(rights(number), now);
        }
        let first = outbox.take(now);
        assert_eq!(told(&first)[..2], [Note::Resync, rights(1)]);
        let mut count = told(&first).len() - 1;
        loop {
            let batch = outbox.take(now);
            if batch.is_empty() {
                break;
            }
            count += told(&batch).len();
        }
        assert_eq!(count, MOST_WAITING);
    }

    #[tokio::test]
    async fn a_closed_outbox_only_empties() {
        let (outbox, now) = (Outbox::default(), Instant::now());
        outbox.push(rights(1), now);
        outbox.close();
        outbox.push(rights(2), now);
        assert_eq!(told(&outbox.take(now)), [rights(1)]);
    }
}
