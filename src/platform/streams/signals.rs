//! Signals: what matters only now, such as typing. Not stored, and droppable: the latest of each sender wins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::watch::{Bell, lock};

/// Senders that one watcher remembers at once; more are dropped.
const SENDERS_MAX: usize = 128;

/// One signal, as it goes over the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Who or what it is about. A newer signal of the same sender replaces an undelivered one.
    pub sender: Uuid,
    /// The small state that it tells, such as `true` for typing.
    pub state: bool,
    /// After so many milliseconds without a newer signal, `!state` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts_after_ms: Option<u64>,
    /// Told although the state is the same, because who may see it has changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_renewed: bool,
}

impl Signal {
    /// A state that lasts until the next signal of the same sender.
    pub const fn of(sender: Uuid, state: bool) -> Self {
        Signal { sender, state, reverts_after_ms: None, is_renewed: false }
    }
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
    senders: HashMap<Uuid, Last>,
}

/// The last signal of a sender.
#[derive(Default)]
struct Last {
    /// Which signal it was, so that an old timer notices a newer one.
    round: u64,
    /// The state that lasts, so that it is not told twice.
    state: Option<bool>,
}

/// The signals of one instance.
#[derive(Clone, Default)]
pub struct Signals {
    topics: Topics,
    /// Counts signals. One for all topics: they are forgotten, and come again.
    rounds: Arc<AtomicU64>,
}

/// One watcher of some topics. Dropping it stops watching.
pub struct SignalWatch {
    topics: Box<[Arc<str>]>,
    all: Topics,
    own: Arc<Inbox>,
}

impl Signals {
    /// Starts to watch topics.
    pub fn watch<T: AsRef<str>>(&self, topics: &[T], bell: &Bell) -> SignalWatch {
        let own = Arc::new(Inbox { bell: bell.clone(), waiting: Mutex::default() });
        let mut all = lock(&self.topics);
        let mut names = Vec::with_capacity(topics.len());
        for topic in topics {
            let name =
                all.get_key_value(topic.as_ref()).map_or_else(|| topic.as_ref().into(), |(name, _)| name.clone());
            all.entry(Arc::clone(&name)).or_default().boxes.push(own.clone());
            names.push(name);
        }
        drop(all);
        SignalWatch { topics: names.into(), all: self.topics.clone(), own }
    }

    /// The topics that somebody watches here and that begin like this.
    pub fn watched(&self, beginning: &str) -> Vec<Arc<str>> {
        lock(&self.topics).keys().filter(|topic| topic.starts_with(beginning)).cloned().collect()
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

    /// Hands a signal to whoever watches here. A lasting state that was told already is not told again.
    pub fn spread(&self, topic: &str, signal: Signal) {
        let mut topics = lock(&self.topics);
        let Some(watched) = topics.get_mut(topic) else { return };
        let last = watched.senders.entry(signal.sender).or_default();
        let lasting = signal.reverts_after_ms.is_none().then_some(signal.state);
        if lasting.is_some() && last.state == lasting && !signal.is_renewed {
            return;
        }
        last.state = lasting;
        last.round = self.rounds.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(after) = signal.reverts_after_ms {
            self.revert_later(topic, &signal, last.round, after);
        }
        watched.boxes.iter().for_each(|target| target.put(signal.clone()));
    }

    fn revert_later(&self, topic: &str, signal: &Signal, round: u64, after_ms: u64) {
        let signals = self.clone();
        let topic = topic.to_owned();
        let reverted = Signal { state: !signal.state, reverts_after_ms: None, ..signal.clone() };
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let is_latest = lock(&signals.topics)
                .get(topic.as_str())
                .and_then(|watched| watched.senders.get(&reverted.sender))
                .is_some_and(|last| last.round == round);
            if is_latest {
                signals.spread(&topic, reverted);
            }
        });
    }
}

impl Inbox {
    fn put(&self, mut signal: Signal) {
        let mut waiting = lock(&self.waiting);
        if let Some(index) = waiting.iter().position(|older| older.sender == signal.sender) {
            signal.is_renewed |= waiting.swap_remove(index).is_renewed;
        }
        if waiting.len() < SENDERS_MAX {
            waiting.push(signal);
        }
        self.bell.notify_one();
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

    /// Puts back what was taken and could not be shown. Whatever is newer stays in its place.
    pub fn give_back(&self, signals: impl IntoIterator<Item = Signal>) {
        let mut waiting = lock(&self.own.waiting);
        for signal in signals {
            if let Some(newer) = waiting.iter_mut().find(|newer| newer.sender == signal.sender) {
                newer.is_renewed |= signal.is_renewed;
            } else if waiting.len() < SENDERS_MAX {
                waiting.push(signal);
            }
        }
    }

    /// Begins with how things stood when they were looked up: of topics and signals in the same order, those of senders
    /// that nothing newer has come from.
    pub fn begin(&self, signals: impl IntoIterator<Item = Signal>) {
        let mut topics = lock(&self.all);
        for (topic, signal) in self.topics.iter().zip(signals) {
            let Some(watched) = topics.get_mut(topic) else { continue };
            watched.senders.entry(signal.sender).or_default().state.get_or_insert(signal.state);
            if !lock(&self.own.waiting).iter().any(|newer| newer.sender == signal.sender) {
                self.own.put(signal);
            }
        }
    }
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        for name in &self.topics {
            if let Some(topic) = all.get_mut(name) {
                topic.boxes.retain(|other| !Arc::ptr_eq(other, &self.own));
                if topic.boxes.is_empty() {
                    all.remove(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typing(sender: u128, state: bool) -> String {
        let signal = Signal::of(Uuid::from_u128(sender), state);
        serde_json::to_string(&Signal { reverts_after_ms: state.then_some(6_000), ..signal }).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_wins_and_reverts_by_itself() {
        let signals = Signals::default();
        let watch = signals.watch(&["conversation"], &Bell::default());
        signals.deliver("conversation", &typing(1, false));
        signals.deliver("conversation", &typing(1, true));
        signals.deliver("another", &typing(1, true));
        let states = |watch: &SignalWatch| watch.take().iter().map(|signal| signal.state).collect::<Vec<_>>();
        assert_eq!(states(&watch), [true]);
        tokio::time::sleep(Duration::from_millis(6_100)).await;
        assert_eq!(states(&watch), [false]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_timer_does_not_end_what_was_said_since() {
        let signals = Signals::default();
        let first = signals.watch(&["conversation"], &Bell::default());
        signals.deliver("conversation", &typing(1, true));
        drop(first);
        tokio::time::sleep(Duration::from_millis(4_000)).await;
        let second = signals.watch(&["conversation"], &Bell::default());
        signals.deliver("conversation", &typing(1, true));
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        assert!(second.take().iter().all(|signal| signal.state), "six seconds are not over");
        tokio::time::sleep(Duration::from_millis(3_100)).await;
        assert!(second.take().iter().all(|signal| !signal.state) && !second.has_news());
    }

    #[test]
    fn what_is_given_back_waits_behind_what_is_newer() {
        let (signals, bell) = (Signals::default(), Bell::default());
        let of = |sender, state| Signal::of(Uuid::from_u128(sender), state);
        let watch = signals.watch(&["presence"], &bell);
        signals.spread("presence", of(1, true));
        signals.spread("presence", of(2, true));
        let taken = watch.take();
        signals.spread("presence", of(1, false));
        watch.give_back(taken);
        assert_eq!(watch.take(), [of(1, false), of(2, true)]);
    }

    #[test]
    fn a_topic_that_nobody_watches_is_forgotten() {
        let signals = Signals::default();
        drop(signals.watch(&["conversation", "another"], &Bell::default()));
        assert_eq!(signals.topics_watched(), 0);
    }

    #[test]
    fn a_state_that_lasts_is_told_once_to_each() {
        let (signals, bell) = (Signals::default(), Bell::default());
        let online = |state| Signal::of(Uuid::from_u128(1), state);
        let first = signals.watch(&["presence"], &bell);
        first.begin([online(true)]);
        signals.spread("presence", online(true));
        assert_eq!(first.take(), [online(true)]);
        let second = signals.watch(&["presence"], &bell);
        signals.spread("presence", online(false));
        // Looked up before the signal came.
        second.begin([online(true)]);
        assert_eq!((first.take(), second.take()), (vec![online(false)], vec![online(false)]));
        signals.spread("presence", online(false));
        assert!(!first.has_news() && !second.has_news());
        // A renewed one counts, also when a plain one takes its place before it is taken.
        signals.spread("presence", Signal { is_renewed: true, ..online(false) });
        signals.spread("presence", online(true));
        assert_eq!(first.take(), [Signal { is_renewed: true, ..online(true) }]);
    }
}
