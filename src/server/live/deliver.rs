//! The next page of a live operation.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Variables;
use futures_util::future::join_all;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::event::Page;
use super::operation::{Kind, LiveOperation, Opening, Track, cursor};
use crate::kernel::{Caller, Error, Result};
use crate::loaders::Loaders;
use crate::platform::streams::{Ahead, Event, Gap, PAGE, Place};
use crate::resolvers::live::{Item, Notice};
use crate::server::state::Server;

/// How long to wait before a page that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Events that are shaped at once, so that they load their objects together; fewer where they are large.
pub(super) const SHAPED_AT_ONCE: usize = 32;
/// Bytes of answers behind which a page ends early: what a client that reads nothing may hold.
pub(super) const PAGE_BYTES: usize = 64 << 10;

/// What came of a delivery.
pub enum Delivery {
    /// Answers as JSON, in order. The operation has moved on behind them.
    Answers(Vec<Arc<str>>),
    /// The caller may not see more.
    Ended(Error),
}

/// What lies ahead of an operation, and where it will stand behind it.
struct Batch<'a> {
    steps: Vec<Step>,
    places: Vec<Place>,
    skipped: u32,
    turn: Turn<'a>,
}

/// A turn to catch up, if something was read from the database. It is held until the page is shaped: a crowd that comes
/// back at once takes the memory of a few pages, not of one for each.
type Turn<'a> = Option<SemaphorePermit<'a>>;

/// An item, and the place behind it in one of the tracks, if it moves one.
struct Step {
    item: Item,
    moves: Option<(usize, Place)>,
}

impl From<Item> for Step {
    fn from(item: Item) -> Self {
        Step { item, moves: None }
    }
}

impl LiveOperation {
    /// Takes the next page and shapes its items. An operation whose page cannot be had right now stays where it is and has
    /// news again a little later.
    pub async fn deliver(&mut self, server: &Server, caller: &Caller) -> Delivery {
        self.retry_at = None;
        match self.try_deliver(server, caller).await {
            Ok(answers) => {
                self.failures = 0;
                Delivery::Answers(answers)
            }
            Err(error) if error.code.retryable() => {
                tracing::warn!(%error, "a page of a live operation failed; it is tried again");
                self.failures = self.failures.saturating_add(1);
                self.retry_at = Some(Instant::now() + RETRY);
                Delivery::Answers(Vec::new())
            }
            Err(error) => Delivery::Ended(error),
        }
    }

    async fn try_deliver(&mut self, server: &Server, caller: &Caller) -> Result<Vec<Arc<str>>> {
        server.still_same(caller).await?;
        let batch = self.gather(server).await?;
        let page = Page {
            server,
            caller,
            document: &self.document,
            variables: (self.variables.as_deref(), variables(self.variables.as_deref())),
            loaders: Arc::new(Loaders::new(server.platform.clone())),
            is_shared: self.is_shared,
            failures: self.failures,
        };
        let mut places = self.kind.places();
        let (mut answers, mut bytes) = (Vec::new(), 0);
        let mut steps = batch.steps.into_iter().peekable();
        let mut is_whole = true;
        while steps.peek().is_some() && is_whole {
            let (shaped, moves): (Vec<_>, Vec<_>) =
                steps.by_ref().take(self.handful).map(|step| (page.answer(step.item), step.moves)).unzip();
            let shaped = join_all(shaped).await.into_iter().collect::<Result<Vec<_>>>()?;
            for (answer, moves) in shaped.into_iter().zip(moves) {
                // What does not fit any more is shaped again, in smaller handfuls.
                if bytes >= PAGE_BYTES {
                    is_whole = false;
                    break;
                }
                bytes += answer.as_ref().map_or(0, |answer| answer.len());
                answers.extend(answer);
                moves.into_iter().for_each(|(index, place)| places[index] = place);
            }
            self.handful = handful(answers.len(), bytes);
            is_whole = is_whole && (bytes < PAGE_BYTES || steps.peek().is_none());
        }
        drop(batch.turn);
        // Behind the last item there may be events that are passed over.
        self.kind.move_to(if is_whole { batch.places } else { places });
        self.skipped = if is_whole { batch.skipped } else { 0 };
        self.opening = None;
        if !answers.is_empty() {
            self.told_at = Instant::now();
        }
        Ok(answers)
    }

    /// Up to a page of each stream, laid out as items, without moving on.
    async fn gather<'a>(&mut self, server: &'a Server) -> Result<Batch<'a>> {
        let tracks = match &mut self.kind {
            Kind::Streams { tracks, .. } => tracks,
            Kind::Signals(watch) => {
                let items = watch.take().into_iter().map(|signal| Item::Signal(signal, notice(server, None)));
                let steps = items.map(Step::from).collect();
                return Ok(Batch { steps, places: Vec::new(), skipped: 0, turn: None });
            }
        };
        let mut pages = Vec::with_capacity(tracks.len());
        let mut turn = None;
        for track in tracks.iter_mut() {
            pages.push(match next_events(server, track, &mut turn).await? {
                Ok(events) => events,
                Err((gap, head)) => {
                    // The watch has turned to the new course already, so the gap is kept until it is told.
                    track.place = head;
                    self.opening = Some(Opening::Gap(gap));
                    Vec::new()
                }
            });
        }
        Ok(self.lay_out(server, pages, turn))
    }

    fn lay_out<'a>(&self, server: &Server, pages: Vec<Vec<Arc<Event>>>, turn: Turn<'a>) -> Batch<'a> {
        let mut batch = Batch { steps: Vec::new(), places: self.kind.places(), skipped: self.skipped, turn };
        let Kind::Streams { tracks, filter } = &self.kind else { return batch };
        let cursor = |places: &[Place]| cursor(server.platform.hub.reader(), tracks, places);
        let notice = |places: &[Place]| notice(server, Some(cursor(places)));
        match self.opening {
            Some(Opening::Resumed) => batch.steps.push(Item::Resumed(notice(&batch.places)).into()),
            Some(Opening::Gap(gap)) => batch.steps.push(Item::Gap(notice(&batch.places), gap).into()),
            None => {}
        }
        for (index, events) in pages.into_iter().enumerate() {
            for event in events {
                let place = Place { seq: event.seq, mark: event.mark() };
                batch.places[index] = place;
                if filter.shows(&event) {
                    let item = Item::Event(event, cursor(&batch.places));
                    batch.steps.push(Step { item, moves: Some((index, place)) });
                    batch.skipped = 0;
                } else {
                    batch.skipped += 1;
                }
            }
        }
        let limits = &server.live.limits;
        let is_due = batch.steps.is_empty() && self.wants_checkpoint(limits.checkpoint);
        if is_due || batch.skipped >= limits.checkpoint_skips {
            batch.steps.push(Item::Checkpoint(notice(&batch.places)).into());
            batch.skipped = 0;
        }
        batch
    }
}

/// How many events to shape at once behind so many answers of so many bytes: about a page, if the next are like them.
fn handful(count: usize, bytes: usize) -> usize {
    let each = (bytes / count.max(1)).max(1);
    (PAGE_BYTES / each).clamp(1, SHAPED_AT_ONCE)
}

/// Why a stream cannot be gone on with, and its head.
type Gapped = (Gap, Place);

/// What comes next in one stream; or why there is no next, and the head to go on from.
async fn next_events<'a>(
    server: &'a Server,
    track: &mut Track,
    turn: &mut Turn<'a>,
) -> Result<Result<Vec<Arc<Event>>, Gapped>> {
    let reader = server.platform.hub.reader();
    let gap = match track.watch.ahead(track.place, usize::try_from(PAGE).unwrap_or(usize::MAX)) {
        Ahead::Nothing => return Ok(Ok(Vec::new())),
        Ahead::Events(events) => return Ok(Ok(events)),
        Ahead::Diverged => Gap::Diverged,
        Ahead::Far => {
            // One for all streams of a view: whoever held one and waited for another could wait for each other.
            if turn.is_none() {
                *turn = Some(server.live.replays.acquire().await.map_err(Error::internal)?);
            }
            match reader.page(track.watch.stream(), track.place).await? {
                Ok(events) if events.is_empty() => return Err(Error::internal("a stream's head has no event")),
                Ok(events) => return Ok(Ok(events.into_iter().map(Arc::new).collect())),
                Err(gap) => gap,
            }
        }
    };
    Ok(Err((gap, track.watch.follow(reader).await?)))
}

impl Server {
    /// Refuses a caller whose session has ended or whose rights are not what they were.
    pub async fn still_same(&self, caller: &Caller) -> Result<()> {
        let Some(viewer) = caller.viewer else { return Ok(()) };
        let now = self.sessions.check(viewer.session).await?;
        if now == viewer {
            return Ok(());
        }
        Err(Error::forbidden("The account's roles changed; open a new socket."))
    }
}

fn notice(server: &Server, cursor: Option<String>) -> Notice {
    Notice { id: server.platform.ids.uuid(), cursor, at: server.platform.clock.now() }
}

/// The variables were read once when the operation was opened, so they are readable.
fn variables(json: Option<&str>) -> Variables {
    json.and_then(|json| serde_json::from_str(json).ok()).map(Variables::from_json).unwrap_or_default()
}
