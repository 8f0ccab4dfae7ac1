//! The hub of one instance: it knows how far each watched stream has come, and rings whoever watches.
//!
//! One task listens to the bus, takes the new events that were committed here as they were handed over, reads those of
//! others in one statement for all streams that grew, keeps the last few of each in memory and rings the bells of the
//! watchers. Watchers keep a [`Place`] and take what lies behind it at their own pace: there is no queue that a slow
//! one could fill. Every few seconds, and whenever the bus may have lost something, the heads are compared with the
//! database, so that a lost wake delays an event but never loses it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::signals::Signals;
use super::watch::{All, Bell, Watch, Watched, lock};
use super::{Event, Growth, Place, Reader, StreamName};
use crate::kernel::Result;
use crate::platform::bus::{Bus, Note};
use crate::platform::host;

/// How often heads are compared with the database at least. Jitter makes it sooner, never later.
const SWEEP_MS: u64 = 5_000;
/// The instance's own listeners for rights: the cache of sessions and the keeper of presence.
const OWN_LISTENERS: usize = 2;
/// Streams read in one statement.
const STREAMS_AT_ONCE: usize = 200;
/// Growths of one stream that wait for the hub. One that is so far behind reads the database instead.
const HANDED_MAX: usize = 64;

/// One instance's view of the streams that somebody here watches.
#[derive(Clone)]
pub struct Hub {
    reader: Reader,
    all: All,
    nudged: Arc<Mutex<HashSet<StreamName>>>,
    nudge: Arc<Notify>,
    /// What was committed here and not taken over yet.
    handed: Arc<Mutex<HashMap<StreamName, Vec<Growth>>>>,
    rights: broadcast::Sender<Option<Uuid>>,
    /// Ephemeral signals beside the streams.
    pub signals: Signals,
}

impl Hub {
    /// A hub over this reader. [`Hub::run`] makes it listen.
    pub fn new(reader: Reader) -> Self {
        let (rights, _) = broadcast::channel(256);
        Hub {
            reader,
            all: All::default(),
            nudged: Arc::default(),
            nudge: Arc::default(),
            handed: Arc::default(),
            rights,
            signals: Signals::default(),
        }
    }

    /// Reads streams.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Users whose rights changed; `None` when something may have been lost.
    pub fn rights(&self) -> broadcast::Receiver<Option<Uuid>> {
        self.rights.subscribe()
    }

    /// Whether anybody but the cache of sessions and the keeper of presence listens for them.
    pub fn has_rights_listeners(&self) -> bool {
        self.rights.receiver_count() > OWN_LISTENERS
    }

    /// Says here that the rights of a user may have changed.
    pub fn suspect(&self, user: Uuid) {
        // Nobody listening is fine.
        drop(self.rights.send(Some(user)));
    }

    /// How many streams are watched here.
    pub fn streams_watched(&self) -> usize {
        lock(&self.all).len()
    }

    /// Takes over what has just been committed here, as far as somebody watches it. A note about it must follow.
    pub fn hand_over(&self, grown: Vec<Growth>) {
        let all = lock(&self.all);
        let mut handed = lock(&self.handed);
        for growth in grown.into_iter().filter(|growth| all.contains_key(&growth.stream)) {
            let waiting = handed.entry(growth.stream.clone()).or_default();
            if waiting.len() >= HANDED_MAX {
                waiting.clear();
            }
            waiting.push(growth);
        }
    }

    /// Starts to watch, and says where the stream ends now. Everything behind that place will ring the bell.
    pub async fn watch(&self, stream: &StreamName, bell: &Bell) -> Result<(Watch, Place)> {
        // The watch stands before the head is read: what commits in between rings.
        let watch = Watch::new(&self.all, stream, bell);
        let heads = self.reader.heads(std::slice::from_ref(stream)).await?;
        let head = heads.first().map_or_else(Place::default, |(_, place)| *place);
        if watch.watched().first_head(head) {
            lock(&self.nudged).insert(stream.clone());
            self.nudge.notify_one();
        }
        Ok((watch, head))
    }

    /// Listens to the bus until told to stop.
    pub async fn run(self, bus: Arc<dyn Bus>, stop: CancellationToken) {
        let mut notes = bus.subscribe();
        let mut dirty = HashSet::new();
        let mut sweep_at = next_sweep();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                note = notes.next() => match note {
                    Some(note) => self.take(note, &mut dirty).await,
                    None => return,
                },
                () = self.nudge.notified() => dirty.extend(lock(&self.nudged).drain()),
                () = tokio::time::sleep_until(sweep_at) => {
                    self.sweep(&mut dirty).await;
                    sweep_at = next_sweep();
                }
            }
            // Whatever else has arrived meanwhile joins the same read.
            while let Some(Some(note)) = notes.next().now_or_never() {
                self.take(note, &mut dirty).await;
            }
            if let Err(error) = self.catch_up(&mut dirty).await {
                tracing::warn!(%error, "the streams could not be read; the next sweep tries again");
            }
        }
    }

    async fn take(&self, note: Note, dirty: &mut HashSet<StreamName>) {
        match note {
            Note::Heads(heads) => {
                let all = lock(&self.all);
                for (stream, head) in heads {
                    let stream = StreamName::from_text(stream);
                    if all.get(&stream).is_some_and(|watched| watched.is_behind(head)) {
                        dirty.insert(stream);
                    }
                }
            }
            Note::Signal { topic, body } => self.signals.deliver(&topic, &body),
            // Nobody listening for rights is fine.
            Note::Rights(user) => drop(self.rights.send(Some(user))),
            Note::Resync => {
                drop(self.rights.send(None));
                self.sweep(dirty).await;
            }
        }
    }

    /// Marks the streams whose head is not where it was known to be: further, further back, or another event at its place.
    async fn sweep(&self, dirty: &mut HashSet<StreamName>) {
        let names: Vec<_> = lock(&self.all).keys().cloned().collect();
        match self.reader.heads(&names).await {
            Ok(heads) => {
                let all = lock(&self.all);
                let moved =
                    |(stream, head): &(StreamName, Place)| all.get(stream).is_some_and(|at| at.has_moved(*head));
                dirty.extend(heads.into_iter().filter(moved).map(|(stream, _)| stream));
            }
            Err(error) => tracing::warn!(%error, "the heads could not be compared; the next sweep tries again"),
        }
    }

    /// Some of the dirty streams, and from where each is to be read. Streams that nobody watches any more are forgotten,
    /// and those whose watcher has just come back and is still asking for the head: it hears of everything that made them
    /// dirty. Read now, they would be compared with a head that was set meanwhile, and look like another course.
    fn behind(&self, dirty: &mut HashSet<StreamName>) -> (Vec<Arc<Watched>>, Vec<(StreamName, i64)>) {
        let all = lock(&self.all);
        dirty.retain(|stream| all.get(stream).is_some_and(|watched| watched.known().is_some()));
        let watched = dirty.iter().filter_map(|stream| all.get(stream)).take(STREAMS_AT_ONCE);
        let known = |watched: &Arc<Watched>| Some((watched.clone(), (watched.name.clone(), watched.known()?)));
        watched.filter_map(known).unzip()
    }

    /// Moves on with what was handed over. Streams that are whole then need not be read.
    fn take_handed(&self, dirty: &mut HashSet<StreamName>) {
        let all = lock(&self.all);
        lock(&self.handed).retain(|stream, grown| {
            let Some(watched) = all.get(stream) else { return false };
            if watched.take_grown(grown) {
                dirty.remove(stream);
            }
            !grown.is_empty()
        });
    }

    /// Brings the dirty streams up to date.
    async fn catch_up(&self, dirty: &mut HashSet<StreamName>) -> Result<()> {
        self.take_handed(dirty);
        while !dirty.is_empty() {
            let (behind, wanted) = self.behind(dirty);
            let events = self.reader.from_inclusive(&wanted).await?;
            let cut = Reader::was_cut(events.len());
            let last = events.last().map(|event| event.stream.clone());
            let mut by_stream: HashMap<StreamName, Vec<Arc<Event>>> = HashMap::new();
            for event in events {
                by_stream.entry(event.stream.clone()).or_default().push(Arc::new(event));
            }
            for watched in behind {
                let news = by_stream.remove(&watched.name).unwrap_or_default();
                // A read that was cut off did not reach every stream, and the last one only in part.
                if cut && news.is_empty() {
                    continue;
                }
                if !(cut && last.as_ref() == Some(&watched.name)) {
                    dirty.remove(&watched.name);
                }
                watched.take(news);
            }
        }
        Ok(())
    }
}

fn next_sweep() -> Instant {
    Instant::now() + Duration::from_millis(SWEEP_MS - host::jitter(SWEEP_MS / 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::db::Db;

    #[tokio::test]
    async fn a_stream_whose_head_is_being_read_is_not_read_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("a.db").display()), 1).await.unwrap();
        let hub = Hub::new(Reader::new(db, Uuid::nil()));
        let stream = StreamName::announcements();
        let dirty = || HashSet::from([stream.clone()]);
        let is_read = |dirty: &mut HashSet<StreamName>| hub.behind(dirty).1;
        // Its last watcher left after it had become dirty ..
        assert!(is_read(&mut dirty()).is_empty());
        // .. another one comes and asks for the head. Had the stream been read from its beginning meanwhile, the first
        // event would not be the one at that head, as if the database had taken another course.
        let watch = Watch::new(&hub.all, &stream, &Bell::default());
        let mut marked = dirty();
        assert!(is_read(&mut marked).is_empty() && marked.is_empty());
        watch.watched().first_head(Place { seq: 7, mark: 1 });
        assert_eq!(is_read(&mut dirty()), [(stream.clone(), 7)]);
        assert!(!watch.has_news(Place { seq: 7, mark: 1 }));
    }
}
