//! The next page of a live operation.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, Value, Variables};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::event::{Page, execute_event};
use super::operation::{Kind, LiveOperation, Opening, Track, cursor};
use crate::kernel::{Caller, Error, Result};
use crate::loaders::Loaders;
use crate::platform::streams::{Ahead, Event, PAGE, Place};
use crate::resolvers::live::{Item, Notice};
use crate::server::state::Server;

/// How long to wait before a page that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often a page is tried before its errors are shown: a database that is away comes back, a bug does not.
const ATTEMPTS: u8 = 3;

/// What came of a delivery.
pub enum Delivery {
    /// Answers as JSON, in order. The operation has moved on behind them.
    Answers(Vec<String>),
    /// The caller may not see more.
    Ended(Error),
}

/// What lies ahead of an operation, and where it will stand behind it.
struct Batch {
    items: Vec<Item>,
    places: Vec<Place>,
    skipped: u32,
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

    async fn try_deliver(&mut self, server: &Server, caller: &Caller) -> Result<Vec<String>> {
        server.still_same(caller).await?;
        let batch = self.gather(server).await?;
        let page = Page {
            server,
            caller,
            document: &self.document,
            variables: variables(self.variables.as_deref()),
            loaders: Arc::new(Loaders::new(server.platform.clone())),
        };
        let has_cursor = !batch.items.is_empty();
        let answers = join_all(batch.items.into_iter().map(|item| execute_event(&page, item))).await;
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        if self.failures + 1 < ATTEMPTS && answers.iter().any(may_pass) {
            return Err(Error::internal("an event could not be shaped"));
        }
        let answers = answers.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(Error::internal)?;
        if let Kind::Streams { tracks, .. } = &mut self.kind {
            tracks.iter_mut().zip(batch.places).for_each(|(track, place)| track.place = place);
        }
        self.opening = None;
        self.skipped = batch.skipped;
        if has_cursor {
            self.told_at = Instant::now();
        }
        Ok(answers)
    }

    /// Up to a page of each stream, without moving on.
    async fn gather(&mut self, server: &Server) -> Result<Batch> {
        let wants_checkpoint = self.wants_checkpoint(server.live.limits.checkpoint);
        let (tracks, filter) = match &mut self.kind {
            Kind::Signals(watch) => {
                let items = watch.take().into_iter().map(|signal| Item::Signal(signal, notice(server, None)));
                return Ok(Batch { items: items.collect(), places: Vec::new(), skipped: 0 });
            }
            Kind::Streams { tracks, filter } => (tracks, *filter),
        };
        let reader = server.platform.hub.reader();
        let places = tracks.iter().map(|track| track.place).collect();
        let mut batch = Batch { items: Vec::new(), places, skipped: self.skipped };
        match self.opening {
            Some(Opening::Resumed) => {
                batch.items.push(Item::Resumed(notice(server, Some(cursor(reader, tracks, &batch.places)))))
            }
            Some(Opening::Gap(gap)) => {
                batch.items.push(Item::Gap(notice(server, Some(cursor(reader, tracks, &batch.places))), gap))
            }
            None => {}
        }
        for index in 0..tracks.len() {
            let events = match next_events(server, &mut tracks[index]).await? {
                Ok(events) => events,
                Err((gap, head)) => {
                    batch.places[index] = head;
                    let cursor = cursor(reader, tracks, &batch.places);
                    batch.items.push(Item::Gap(notice(server, Some(cursor)), gap));
                    batch.skipped = 0;
                    continue;
                }
            };
            for event in events {
                batch.places[index] = Place { seq: event.seq, mark: event.mark() };
                if filter.shows(&event) {
                    batch.items.push(Item::Event(event, cursor(reader, tracks, &batch.places)));
                    batch.skipped = 0;
                } else {
                    batch.skipped += 1;
                }
            }
        }
        let is_due = wants_checkpoint && batch.items.is_empty();
        if is_due || batch.skipped >= server.live.limits.checkpoint_skips {
            batch.items.push(Item::Checkpoint(notice(server, Some(cursor(reader, tracks, &batch.places)))));
            batch.skipped = 0;
        }
        Ok(batch)
    }
}

type Gapped = (crate::platform::streams::Gap, Place);

/// What comes next in one stream; or why there is no next, and the head to go on from.
async fn next_events(server: &Server, track: &mut Track) -> Result<Result<Vec<Arc<Event>>, Gapped>> {
    let reader = server.platform.hub.reader();
    let gap = match track.watch.ahead(track.place, usize::try_from(PAGE).unwrap_or(usize::MAX)) {
        Ahead::Nothing => return Ok(Ok(Vec::new())),
        Ahead::Events(events) => return Ok(Ok(events)),
        Ahead::Diverged => crate::platform::streams::Gap::Diverged,
        Ahead::Far => {
            let _turn = server.live.replays.acquire().await.map_err(Error::internal)?;
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

/// Whether an answer failed for a reason that may pass by itself.
fn may_pass(answer: &Response) -> bool {
    let retryable = |error: &async_graphql::ServerError| {
        error.extensions.as_ref().and_then(|values| values.get("retryable")) == Some(&Value::from(true))
    };
    answer.errors.iter().any(retryable)
}
