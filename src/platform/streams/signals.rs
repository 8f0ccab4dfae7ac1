//! Signals: what matters only now, such as typing. Not stored, and droppable: the latest of each sender wins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::watch::{Bell, lock};

/// Senders that one watcher of a topic remembers at once; more are dropped.
const SENDERS_MAX: usize = 64;

/// One signal, as it goes over the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Who or what it is about. A newer signal of the same sender replaces an undelivered one.
    pub sender: Uuid,
    /// The small state that it tells, such as `true` for typing.
    pub state: bool,
    /// After so many milliseconds without a newer signal, `!state` is told.
    pub reverts_after_ms: Option<u64>,
}

#[derive(Default)]
struct Inbox {
    bell: Bell,
    waiting: Mutex<Vec<Signal>>,
}

type Topics = Arc<Mutex<HashMap<Arc<str>, Topic>>>;

#[derive(Default)]
struct Topic {
    boxes: Vec<Arc<Inbox>>,
    /// Counts the signals of each sender, so that an old timer notices a newer signal.
    rounds: HashMap<Uuid, u64>,
}

/// The signals of one instance.
#[derive(Clone, Default)]
pub struct Signals {
    topics: Topics,
}

/// One watcher of one topic. Dropping it stops watching.
pub struct SignalWatch {
    topic: Arc<str>,
    topics: Topics,
    own: Arc<Inbox>,
}

impl Signals {
    /// Starts to watch a topic.
    pub fn watch(&self, topic: &str, bell: &Bell) -> SignalWatch {
        let topic: Arc<str> = topic.into();
        let own = Arc::new(Inbox { bell: bell.clone(), waiting: Mutex::default() });
        lock(&self.topics).entry(topic.clone()).or_default().boxes.push(own.clone());
        SignalWatch { topic, topics: self.topics.clone(), own }
    }

    /// How many topics are watched here.
    pub fn topics_watched(&self) -> usize {
        lock(&self.topics).len()
    }

    /// Hands a signal from the bus to whoever watches.
    pub fn deliver(&self, topic: &str, body: &str) {
        match serde_json::from_str(body) {
            Ok(signal) => self.spread(topic, signal),
            Err(error) => tracing::debug!(%error, topic, "an unreadable signal was dropped"),
        }
    }

    fn spread(&self, topic: &str, signal: Signal) {
        let mut topics = lock(&self.topics);
        let Some(watched) = topics.get_mut(topic) else { return };
        let round = watched.rounds.entry(signal.sender).or_default();
        *round += 1;
        if let Some(after) = signal.reverts_after_ms {
            self.revert_later(topic, &signal, *round, after);
        }
        for target in &watched.boxes {
            let mut waiting = lock(&target.waiting);
            waiting.retain(|older| older.sender != signal.sender);
            if waiting.len() < SENDERS_MAX {
                waiting.push(signal.clone());
            }
            target.bell.notify_one();
        }
    }

    fn revert_later(&self, topic: &str, signal: &Signal, round: u64, after_ms: u64) {
        let signals = self.clone();
        let topic = topic.to_owned();
        let reverted = Signal { state: !signal.state, reverts_after_ms: None, ..signal.clone() };
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let is_latest = lock(&signals.topics)
                .get(topic.as_str())
                .is_some_and(|watched| watched.rounds.get(&reverted.sender) == Some(&round));
            if is_latest {
                signals.spread(&topic, reverted);
            }
        });
    }
}

impl SignalWatch {
    /// Whether anything waits.
    pub fn has_news(&self) -> bool {
        !lock(&self.own.waiting).is_empty()
    }

    /// What waits, the latest of each sender.
    pub fn take(&self) -> Vec<Signal> {
        std::mem::take(&mut *lock(&self.own.waiting))
    }
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        if let Some(topic) = topics.get_mut(&self.topic) {
            topic.boxes.retain(|other| !Arc::ptr_eq(other, &self.own));
            if topic.boxes.is_empty() {
                topics.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typing(sender: u128, state: bool) -> String {
        serde_json::to_string(&Signal { sender: Uuid::from_u128(sender), state, reverts_after_ms: Some(6_000) })
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_wins_and_reverts_by_itself() {
        let signals = Signals::default();
        let watch = signals.watch("conversation", &Bell::default());
        signals.deliver("conversation", &typing(1, false));
        signals.deliver("conversation", &typing(1, true));
        signals.deliver("another", &typing(1, true));
        let states = |watch: &SignalWatch| watch.take().iter().map(|signal| signal.state).collect::<Vec<_>>();
        assert_eq!(states(&watch), [true]);
        tokio::time::sleep(Duration::from_millis(6_100)).await;
        assert_eq!(states(&watch), [false]);
    }

    #[test]
    fn a_topic_that_nobody_watches_is_forgotten() {
        let signals = Signals::default();
        drop(signals.watch("conversation", &Bell::default()));
        assert_eq!(signals.topics_watched(), 0);
    }
}
