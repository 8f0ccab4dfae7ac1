//! The next page of a live operation.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::event::Page;
use super::operation::{Kind, LiveOperation, Opening, Track, cursor};
use super::progress::{Progress, Shown, Step};
use super::shared::RETRY;
use crate::kernel::{Actor, Caller, Error, Result};
use crate::platform::streams::{Ahead, Event, Gap, PAGE, Place, Signal, interleave};
use crate::resolvers::live::{Item, Notice};
use crate::server::state::Server;

/// Events of a stream in one page.
const PAGE_LEN: usize = PAGE as usize;

/// What came of a delivery.
pub enum Delivery {
    /// Answers in order. The operation has moved on behind them.
    Answers(Vec<Shown>),
    /// The caller may not see more.
    Ended(Error),
}

/// What lies ahead of an operation, and where it will stand behind it.
struct Batch<'a> {
    steps: Vec<Step>,
    /// What the steps were made of, where nothing else keeps it.
    signals: Vec<Signal>,
    places: Vec<Place>,
    skipped: u32,
    /// Whether more is known to lie behind it.
    is_cut: bool,
    turn: Turn<'a>,
}

/// A turn to catch up, if something was read from the database. It is held until the page is shaped: a crowd that comes
/// back at once takes the memory of a few pages, not of one for each.
type Turn<'a> = Option<SemaphorePermit<'a>>;

impl LiveOperation {
    /// Takes the next page and shapes its items. An operation whose page cannot be had right now stays where it is and has
    /// news again a little later.
    pub async fn deliver(&mut self, server: &Server, caller: &Caller) -> Delivery {
        self.rests_until = None;
        match self.try_deliver(server, caller).await {
            Ok(answers) => {
                self.failures = 0;
                Delivery::Answers(answers)
            }
            Err(error) if error.code.retryable() => {
                tracing::warn!(%error, "a page of a live operation failed; it is tried again");
                self.failures = self.failures.saturating_add(1);
                self.rests_until = Some(Instant::now() + RETRY);
                Delivery::Answers(Vec::new())
            }
            Err(error) => Delivery::Ended(error),
        }
    }

    async fn try_deliver(&mut self, server: &Server, caller: &Caller) -> Result<Vec<Shown>> {
        server.still_same(caller).await?;
        let batch = self.gather(server).await?;
        let page = Page {
            server,
            caller,
            document: &self.document,
            shape: self.shape,
            variables: self.variables.as_deref(),
            tools: OnceLock::new(),
            is_shared: self.is_shared,
            failures: self.failures,
        };
        let Batch { steps, signals, .. } = batch;
        let (count, mut progress) = (steps.len(), Progress::from(self.kind.places()));
        let outcome = progress.shape(&page, steps, self.handful).await;
        let shown = if outcome.is_ok() { progress.passed } else { 0 };
        self.kind.give_back(signals.into_iter().skip(shown));
        outcome?;
        self.handful = progress.handful();
        let (is_whole, answers) = (progress.passed == count, progress.answers);
        drop(batch.turn);
        if is_whole && !batch.is_cut && !answers.is_empty() {
            // What happens until then is merged. A client that catches up is not held up.
            self.rests_until = self.throttle.map(|window| Instant::now() + window);
        }
        // Behind the last item there may be events that are passed over.
        self.kind.move_to(if is_whole { batch.places } else { progress.places });
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
                let signals = watch.take();
                let items = signals.iter().map(|signal| Item::Signal(signal.clone(), notice(server, None)));
                let steps = items.map(Step::from).collect();
                return Ok(Batch { steps, signals, places: Vec::new(), skipped: 0, is_cut: false, turn: None });
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
        let is_cut = pages.iter().any(|page| page.len() >= PAGE_LEN);
        let (places, skipped) = (self.kind.places(), self.skipped);
        let mut batch = Batch { steps: Vec::new(), signals: Vec::new(), places, skipped, is_cut, turn };
        let Kind::Streams { tracks, filter } = &self.kind else { return batch };
        let cursor = |places: &[Place]| cursor(server.platform.hub.reader(), tracks, places);
        let notice = |places: &[Place]| notice(server, Some(cursor(places)));
        match self.opening {
            Some(Opening::Resumed) => batch.steps.push(Item::Resumed(notice(&batch.places)).into()),
            Some(Opening::Gap(gap)) => batch.steps.push(Item::Gap(notice(&batch.places), gap).into()),
            None => {}
        }
        for (index, event) in interleave(pages, |event| event.occurred_at) {
            let place = event.place();
            batch.places[index] = place;
            if filter.shows(&event) {
                let item = Item::Event(event, cursor(&batch.places));
                batch.steps.push(Step { item, moves: Some((index, place)) });
                batch.skipped = 0;
            } else {
                batch.skipped += 1;
            }
        }
        if self.throttle.is_some() {
            merge(&mut batch.steps);
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

/// Leaves the last of the events of one kind about one object by one person. The others keep their order, so a cursor
/// between them passes over nothing but events whose successor is still to come.
fn merge(steps: &mut Vec<Step>) {
    let mut seen = HashSet::new();
    let mut is_last = |step: &Step| match &step.item {
        Item::Event(event, _) => {
            let by = match event.actor {
                Actor::User(user, _) => Some(user),
                Actor::System => None,
            };
            seen.insert((event.kind.clone(), event.object, by))
        }
        _ => true,
    };
    let mut kept: Vec<_> = steps.drain(..).rev().filter(|step| is_last(step)).collect();
    kept.reverse();
    *steps = kept;
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
    let gap = match track.watch.ahead(track.place, PAGE_LEN) {
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
        let now = self.sessions.check_connected(viewer.session).await?;
        if now == viewer {
            return Ok(());
        }
        // What was opened goes by what was granted then: other roles, or staff have disconnected the user since.
        Err(Error::forbidden("The account's rights changed; open a new connection."))
    }
}

fn notice(server: &Server, cursor: Option<String>) -> Notice {
    Notice { id: server.platform.ids.uuid(), cursor, at: server.platform.clock.now() }
}
