//! Watching one stream: what the hub knows of it, and the handle that a watcher holds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Event, Growth, Place, Reader, StreamName};
use crate::kernel::Result;

/// Events of one stream that are kept for watchers who are a little behind.
const RECENT: usize = 32;
/// More watchers than this are a crowd.
const CROWD: usize = 64;
/// How long a crowd waits behind the first of it. What that one shapes serves the others, and what comes in between reaches
/// them in one frame with it.
const MOMENT: Duration = Duration::from_millis(2);

/// Rung when something that its owner watches has changed. One bell serves a whole socket.
pub type Bell = Arc<Notify>;

/// All streams watched on this instance.
pub(super) type All = Arc<Mutex<HashMap<StreamName, Arc<Watched>>>>;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here panics while it holds a lock; if it ever did, the data would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the hub knows of one stream.
pub(super) struct Watched {
    pub(super) name: StreamName,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `None` until the head was read for the first time.
    head: Option<Place>,
    /// The highest head that a note named before the head was read.
    announced: i64,
    /// Grows when the database took another course.
    course: u64,
    recent: VecDeque<Arc<Event>>,
    bells: Vec<Bell>,
    /// Whether a crowd is about to be rung.
    is_calling: bool,
}

/// What lies behind a place.
pub enum Ahead {
    /// Nothing yet.
    Nothing,
    /// These events, next in order.
    Events(Vec<Arc<Event>>),
    /// More than is kept in memory: read the database.
    Far,
    /// The database took another course than the watcher saw.
    Diverged,
}

impl Watched {
    /// Whether a note about this head is news. Before the head is known, the note is remembered.
    pub(super) fn is_behind(&self, head: i64) -> bool {
        let mut state = lock(&self.state);
        state.announced = state.announced.max(head);
        state.head.is_some_and(|known| known.seq < head)
    }

    /// Whether the database's head is another than the known one: a number that is used again carries another mark.
    /// A later one is remembered like a note about it: what is handed over meanwhile may not reach as far.
    pub(super) fn has_moved(&self, head: Place) -> bool {
        let mut state = lock(&self.state);
        state.announced = state.announced.max(head.seq);
        state.head.is_some_and(|known| known != head)
    }

    /// The number of the last known event; none until the head was read for the first time. From then on only
    /// [`Watched::take`] moves it.
    pub(super) fn known(&self) -> Option<i64> {
        lock(&self.state).head.map(|head| head.seq)
    }

    /// Sets the head if it was not known, and says whether a note has already announced more.
    pub(super) fn first_head(&self, head: Place) -> bool {
        let mut state = lock(&self.state);
        let known = *state.head.get_or_insert(head);
        state.announced > known.seq
    }

    /// Takes over events from the known head on, that one included, and rings.
    pub(super) fn take(self: &Arc<Self>, events: Vec<Arc<Event>>) {
        let mut state = lock(&self.state);
        let known = state.head.unwrap_or_default();
        let is_known = |event: &Arc<Event>| event.seq == known.seq && event.mark() == known.mark;
        let diverged = known.seq > 0 && !events.first().is_some_and(is_known);
        if diverged {
            state.course += 1;
            state.announced = 0;
            state.recent.clear();
            state.head = Some(Place::default());
        }
        let news = events.into_iter().filter(|event| diverged || event.seq > known.seq);
        if state.push(news) || diverged {
            self.ring(&mut state);
        }
    }

    /// Takes over growth that begins exactly where the stream is known to end, and rings. What is known already is dropped.
    /// Says whether everything that notes have announced is known now.
    pub(super) fn take_grown(self: &Arc<Self>, grown: &mut Vec<Growth>) -> bool {
        let mut state = lock(&self.state);
        let mut has_news = false;
        while let Some(head) = state.head
            && let Some(next) = grown.iter().position(|growth| growth.behind == head)
        {
            has_news |= state.push(grown.swap_remove(next).events);
        }
        if has_news {
            self.ring(&mut state);
        }
        grown.retain(|growth| state.head.is_none_or(|head| growth.behind.seq > head.seq));
        state.head.is_some_and(|head| head.seq >= state.announced)
    }

    /// Rings all watchers; of a crowd the first, and the others a moment later.
    fn ring(self: &Arc<Self>, state: &mut State) {
        if state.bells.len() <= CROWD {
            return state.ring_all();
        }
        if let Some(first) = state.bells.first() {
            first.notify_one();
        }
        if !std::mem::replace(&mut state.is_calling, true) {
            let watched = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(MOMENT).await;
                let mut state = lock(&watched.state);
                state.is_calling = false;
                state.ring_all();
            });
        }
    }
}

impl State {
    /// Puts events behind the head, and says whether there were any.
    fn push(&mut self, events: impl IntoIterator<Item = Arc<Event>>) -> bool {
        let mut any = false;
        for event in events {
            self.head = Some(event.place());
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(event);
            any = true;
        }
        any
    }

    fn ring_all(&self) {
        self.bells.iter().for_each(|bell| bell.notify_one());
    }
}

/// One watcher of one stream. Dropping it stops watching.
pub struct Watch {
    watched: Arc<Watched>,
    all: All,
    bell: Bell,
    course: u64,
}

impl Watch {
    pub(super) fn new(all: &All, stream: &StreamName, bell: &Bell) -> Self {
        let mut map = lock(all);
        let fresh = || Arc::new(Watched { name: stream.clone(), state: Mutex::default() });
        let watched = map.entry(stream.clone()).or_insert_with(fresh).clone();
        // Inside the lock of the map, so that a watcher who leaves at the same time does not remove the entry.
        let mut state = lock(&watched.state);
        state.bells.push(bell.clone());
        let course = state.course;
        drop(state);
        Watch { watched, all: all.clone(), bell: bell.clone(), course }
    }

    pub(super) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// The stream's name.
    pub fn stream(&self) -> &StreamName {
        &self.watched.name
    }

    /// Whether anything may lie behind a place.
    pub fn has_news(&self, place: Place) -> bool {
        let state = lock(&self.watched.state);
        state.course != self.course || state.head.is_some_and(|head| head.seq > place.seq)
    }

    /// What lies behind a place, up to `limit` events.
    pub fn ahead(&self, place: Place, limit: usize) -> Ahead {
        let state = lock(&self.watched.state);
        if state.course != self.course {
            return Ahead::Diverged;
        }
        if state.head.is_none_or(|head| head.seq <= place.seq) {
            return Ahead::Nothing;
        }
        match state.recent.front() {
            Some(oldest) if oldest.seq <= place.seq + 1 => {
                let behind = state.recent.iter().filter(|event| event.seq > place.seq);
                Ahead::Events(behind.take(limit).cloned().collect())
            }
            _ => Ahead::Far,
        }
    }

    /// Goes on with the database's new course, from its head.
    pub async fn follow(&mut self, reader: &Reader) -> Result<Place> {
        // The course is read first: one that changes during the look-up shows itself again.
        let course = lock(&self.watched.state).course;
        let heads = reader.heads(std::slice::from_ref(self.stream())).await?;
        self.course = course;
        Ok(heads.first().map_or_else(Place::default, |(_, place)| *place))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        let mut state = lock(&self.watched.state);
        if let Some(index) = state.bells.iter().position(|bell| Arc::ptr_eq(bell, &self.bell)) {
            state.bells.swap_remove(index);
        }
        if state.bells.is_empty() {
            all.remove(&self.watched.name);
        }
    }
}

#[cfg(test)]
mod tests;
