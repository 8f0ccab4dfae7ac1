//! From a subscription's text to the record of a live operation.

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, ServerError};
use futures_util::StreamExt;

use super::document::Hoisted;
use super::event::guarded;
use super::figures;
use super::operation::{Kind, LiveOperation, Opening, Track};
use super::trim;
use crate::kernel::id::{TypedId, UserId};
use crate::kernel::{Caller, Error, Result};
use crate::platform::presence;
use crate::platform::streams::{Bell, Gap, Place, Signal, SignalWatch, StreamName};
use crate::resolvers::error::top_level;
use crate::resolvers::live::{Probe, Source, View};
use crate::server::documents::{cache, hoist};
use crate::server::execute::{Asked, Declined, Prepared, complete};
use crate::server::state::Server;

/// What is kept of a request beside what [`Server::prepare`] makes of it.
pub struct Recipe {
    key: cache::Key,
    text_bytes: usize,
    variables: Option<Box<str>>,
}

impl Recipe {
    /// Reads it off a request.
    pub fn of(asked: &Asked) -> Self {
        let text = asked.query.as_deref().unwrap_or_default();
        let variables = asked.variables.as_ref().map(|sent| sent.get()).filter(|sent| *sent != "{}");
        Recipe {
            key: cache::key(text, asked.operation_name.as_deref()),
            text_bytes: text.len(),
            variables: variables.map(Into::into),
        }
    }
}

/// A cursor that a client brought along beside its document.
#[derive(Clone, Copy)]
pub enum Resume<'a> {
    /// To go on from where the document names none: it speaks for a whole socket.
    Else(&'a str),
    /// To go on from whatever the document says: it was given out by this very operation, before its connection broke.
    Rather(&'a str),
}

impl<'a> Resume<'a> {
    /// Where to go on from; `after` is what the document names.
    fn cursor(resume: Option<Self>, after: Option<&'a str>) -> Option<&'a str> {
        match resume {
            Some(Resume::Rather(cursor)) => Some(cursor),
            Some(Resume::Else(cursor)) => after.or(Some(cursor)),
            None => after,
        }
    }
}

impl Server {
    /// Opens a live operation that was prepared, or says why not. `bell` rings when there may be news.
    pub async fn open(
        &self,
        caller: &Caller,
        recipe: Recipe,
        prepared: Prepared,
        resume: Option<Resume<'_>>,
        bell: &Bell,
    ) -> Result<LiveOperation, Vec<ServerError>> {
        debug_assert_eq!(prepared.checked.kind, OperationType::Subscription, "queries and mutations are run");
        self.throttle(caller, &prepared).await.map_err(failed)?;
        let operation_name = prepared.checked.operation_name.as_deref();
        let (mut document, _) = hoist::hoist_subscription(&prepared.checked.document, operation_name)
            .map_err(|refusal| Declined::from(refusal).errors)?;
        let probe = Probe::default();
        let api = self.api(&prepared);
        let request = self.request(caller, document.clone(), None, prepared.variables).data(probe.clone());
        let mut answers = api.execute_stream(request);
        // A probe yields nothing, so whatever comes is the refusal.
        if let Some(mut refusal) = guarded(answers.next()).await.map_err(|error| vec![error])? {
            complete(&mut refusal);
            return Err(refusal.errors);
        }
        prepared.checked.has_passed();
        let (view, _) = probe.take().map_err(failed)?;
        let (throttle, shape) = (view.throttle, view.shape);
        let (kind, opening) = self.attach(view, resume, bell).await.map_err(failed)?;
        let unused = trim::take_settings(&mut document);
        let variables = recipe.variables.and_then(|json| without(json, &unused));
        let hoisted = Hoisted { key: recipe.key, document, text_bytes: recipe.text_bytes };
        let document = self.live.documents.keep(recipe.key, recipe.text_bytes, hoisted);
        let alive = self.live.alive.clone();
        let is_public = prepared.checked.is_public;
        let operation = LiveOperation::new(document, variables, shape, kind, opening, is_public, alive);
        Ok(LiveOperation { throttle, ..operation })
    }

    /// Watches what the view shows, and finds where its client stands.
    pub(super) async fn attach(
        &self,
        view: View,
        resume: Option<Resume<'_>>,
        bell: &Bell,
    ) -> Result<(Kind, Option<Opening>)> {
        let (streams, filter) = match view.source {
            Source::Signals(topic) => {
                return Ok((Kind::Signals(self.platform.hub.signals.watch(&[topic], bell)), None));
            }
            Source::Presence(users) => return Ok((Kind::Signals(self.watch_presence(&users, bell).await), None)),
            Source::Figures => return Ok((Kind::Signals(self.watch_figures(bell)), None)),
            Source::Streams(streams, filter) => (streams, filter),
        };
        // The watches stand before the cursor is judged: what commits meanwhile rings.
        let mut tracks = Vec::with_capacity(streams.len());
        for stream in &streams {
            let (watch, place) = self.platform.hub.watch(stream, bell).await?;
            tracks.push(Track { watch, place });
        }
        let mut opening = None;
        if let Some(cursor) = Resume::cursor(resume, view.after.as_deref()) {
            opening = Some(match self.places(cursor, &streams, &tracks).await? {
                Ok(places) => {
                    tracks.iter_mut().zip(places).for_each(|(track, place)| track.place = place);
                    Opening::Resumed
                }
                // The client reloads everything, so every stream goes on from its head.
                Err(gap) => Opening::Gap(gap),
            });
        }
        Ok((Kind::Streams { tracks: tracks.into(), filter }, opening))
    }

    /// Watches the figures of the house, beginning with how they are.
    fn watch_figures(&self, bell: &Bell) -> SignalWatch {
        let watch = self.platform.hub.signals.watch(&[figures::TOPIC], bell);
        watch.begin([figures::changed()]);
        watch
    }

    /// Watches users, beginning with how it stands with each.
    async fn watch_presence(&self, users: &[UserId], bell: &Bell) -> SignalWatch {
        let topics: Vec<_> = users.iter().map(|user| presence::topic(*user)).collect();
        // The watch stands before anything is looked up: who comes or goes meanwhile is newer.
        let watch = self.platform.hub.signals.watch(&topics, bell);
        let online = self.platform.presence.online(users).await;
        watch.begin(users.iter().map(|user| Signal::of(user.uuid(), online.contains(user))));
        watch
    }

    /// Where a cursor stands in each of these streams, or why it cannot be gone on from in one of them.
    async fn places(&self, cursor: &str, streams: &[StreamName], tracks: &[Track]) -> Result<Result<Vec<Place>, Gap>> {
        let mut places = Vec::with_capacity(streams.len());
        for (stream, track) in streams.iter().zip(tracks) {
            match self.platform.hub.reader().resume(cursor, stream, track.place).await? {
                Ok(place) => places.push(place),
                Err(gap) => return Ok(Err(gap)),
            }
        }
        Ok(Ok(places))
    }
}

/// The variables without some of them; nothing if none is left.
fn without(json: Box<str>, unused: &[Name]) -> Option<Box<str>> {
    if unused.is_empty() {
        return Some(json);
    }
    let mut values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).ok()?;
    values.retain(|name, _| unused.iter().all(|unused| unused != name));
    (!values.is_empty()).then(|| serde_json::Value::from(values).to_string().into())
}

fn failed(error: Error) -> Vec<ServerError> {
    vec![top_level(error).into_server_error(Default::default())]
}
