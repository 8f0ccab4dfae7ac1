//! The record of a live operation: what it shows, and how far its client has come.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::document::Hoisted;
use super::progress::SHAPED_AT_ONCE;
use crate::platform::streams::{Cursor, Gap, Place, Reader, Signal, SignalWatch, Watch};
use crate::resolvers::live::{Filter, Shape};

/// One subscription of one client.
pub struct LiveOperation {
    pub(super) document: Arc<Hoisted>,
    /// As JSON, which is the smallest form. Most operations have none.
    pub(super) variables: Option<Box<str>>,
    /// What its field shows of an item.
    pub(super) shape: Shape,
    pub(super) kind: Kind,
    /// Whether its answers serve everybody who watches the same.
    pub(super) is_shared: bool,
    /// What the client is told first.
    pub(super) opening: Option<Opening>,
    /// Events passed over since the client got a cursor.
    pub(super) skipped: u32,
    /// When the client got its last cursor.
    pub(super) told_at: Instant,
    /// Attempts at the next page that failed for a reason that may pass.
    pub(super) failures: u8,
    /// How long the client wants to be left alone behind news.
    pub(super) throttle: Option<Duration>,
    /// Not before then is the next page taken.
    pub(super) rests_until: Option<Instant>,
    /// Whether its next answer is shaped by somebody else, who will ring.
    pub(super) is_waiting: bool,
    /// Events that are shaped at once.
    pub(super) handful: usize,
    /// Makes it count as alive.
    pub(super) _alive: Arc<()>,
}

/// Where its items come from.
pub(super) enum Kind {
    /// Committed events.
    Streams { tracks: Box<[Track]>, filter: Filter },
    /// Ephemeral signals.
    Signals(SignalWatch),
}

impl Kind {
    /// Where the client stands in each stream.
    pub(super) fn places(&self) -> Vec<Place> {
        match self {
            Kind::Streams { tracks, .. } => tracks.iter().map(|track| track.place).collect(),
            Kind::Signals(_) => Vec::new(),
        }
    }

    /// Keeps signals that could not be shown. Events stay where they are anyway.
    pub(super) fn give_back(&self, unshown: impl Iterator<Item = Signal>) {
        if let Kind::Signals(watch) = self {
            watch.give_back(unshown);
        }
    }

    /// Moves the client on.
    pub(super) fn move_to(&mut self, places: Vec<Place>) {
        if let Kind::Streams { tracks, .. } = self {
            tracks.iter_mut().zip(places).for_each(|(track, place)| track.place = place);
        }
    }
}

/// One stream of a view, and how far the client has come in it.
pub(super) struct Track {
    pub(super) watch: Watch,
    pub(super) place: Place,
}

/// What a client that came with a cursor is told first.
#[derive(Clone, Copy)]
pub(super) enum Opening {
    /// What was missed follows.
    Resumed,
    /// Something is missing; the view goes on from the heads.
    Gap(Gap),
}

impl LiveOperation {
    pub(super) fn new(
        document: Arc<Hoisted>,
        variables: Option<Box<str>>,
        shape: Shape,
        kind: Kind,
        opening: Option<Opening>,
        is_public: bool,
        alive: Arc<()>,
    ) -> Self {
        let is_topic = |track: &Track| track.watch.stream().is_topic();
        let is_shared = is_public
            && match &kind {
                // The cursor of an event in a view of several streams depends on how far the others have come.
                Kind::Streams { tracks, .. } => tracks.len() == 1 && tracks.iter().all(is_topic),
                Kind::Signals(_) => false,
            };
        LiveOperation {
            document,
            variables,
            shape,
            kind,
            is_shared,
            opening,
            skipped: 0,
            told_at: Instant::now(),
            failures: 0,
            throttle: None,
            rests_until: None,
            is_waiting: false,
            handful: SHAPED_AT_ONCE,
            _alive: alive,
        }
    }

    /// Whether [`LiveOperation::deliver`] has something to do. `checkpoint` is the age at which a quiet view gets a younger
    /// cursor. Ask when the bell rings, and every few seconds, because checkpoints and repeats ring no bell.
    pub fn has_news(&self, checkpoint: Duration) -> bool {
        let is_resting = self.rests_until.is_some_and(|at| at > Instant::now());
        !is_resting && !self.is_waiting && (self.is_behind() || self.wants_checkpoint(checkpoint))
    }

    /// The bell has rung: what it waits for may be there.
    pub fn rung(&mut self) {
        self.is_waiting = false;
    }

    fn is_behind(&self) -> bool {
        match &self.kind {
            Kind::Signals(watch) => watch.has_news(),
            Kind::Streams { tracks, .. } => {
                self.opening.is_some() || tracks.iter().any(|track| track.watch.has_news(track.place))
            }
        }
    }

    /// Bytes that its client sent and that are kept, whoever else sent the same.
    pub fn bytes(&self) -> usize {
        self.document.text_bytes + self.variables.as_ref().map_or(0, |json| json.len())
    }

    /// When there will be news that no bell tells of.
    pub fn wakes_at(&self) -> Option<Instant> {
        self.rests_until.filter(|_| !self.is_waiting && self.is_behind())
    }

    pub(super) fn wants_checkpoint(&self, age: Duration) -> bool {
        self.skipped > 0 && self.told_at.elapsed() >= age
    }
}

/// A cursor of all tracks, each at its place.
pub(super) fn cursor(reader: &Reader, tracks: &[Track], places: &[Place]) -> String {
    let places = tracks.iter().zip(places).map(|(track, place)| (track.watch.stream().clone(), *place)).collect();
    Cursor { epoch: reader.epoch(), places }.encode()
}
