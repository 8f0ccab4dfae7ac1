//! Subscriptions: fields that say what they show, and what they make of it.
//!
//! When a client subscribes, the field runs with a [`Probe`]: it checks permission, reports the [`View`] that it shows, and
//! yields nothing. For each event the server gives the item to the view's [`Shape`], without asking for permission in the
//! database again. So a live operation is a small record, and what it selects is loaded afresh for each event.
//!
//! To add a subscription: an interface of events in `schema/`, `live_events!` for its members, and a field that calls
//! [`durable`]; or an object, [`LiveSignal`] for it, and a field that calls [`signals`].

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{ComplexObject, Context, ID, OutputType, ServerResult, Value};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, Empty};
use uuid::Uuid;

use super::ask::Ask;
use super::engine::Engine;
use super::error::{answer, top_level};
use crate::kernel::id::{TypedId, UserId, parse};
use crate::kernel::life::State;
use crate::kernel::{Actor, Code, Error, Result, Roles, Timestamp};
use crate::platform::streams::{Event, Gap, Signal, Step, StreamName};
use crate::schema::live::{EventActor, StreamCheckpoint, StreamGap, StreamResumed};
use crate::schema::scalars::DateTime;

/// What a live operation shows.
#[derive(Clone, Debug)]
pub struct View {
    /// Where it comes from.
    pub source: Source,
    /// The cursor that the client gave.
    pub after: Option<String>,
    /// How long the client wants to be left alone behind news.
    pub throttle: Option<Duration>,
    /// What it makes of an item.
    pub shape: Shape,
}

impl View {
    /// A view of streams.
    pub fn of_streams<T: LiveEvent>(streams: Vec<StreamName>, filter: Filter) -> Self {
        View { source: Source::Streams(streams, filter), after: None, throttle: None, shape: event_shape::<T> }
    }
}

/// What a subscription's field shows of an item; nothing if it does not know this kind of item, or hides it from the viewer.
pub type Shape = for<'a> fn(&'a Item, &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>>;

/// Where a live operation's items come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Committed events of these streams, filtered.
    Streams(Vec<StreamName>, Filter),
    /// Ephemeral signals of a topic.
    Signals(String),
    /// Whether these users are online: first how it stands, then what changes.
    Presence(Vec<UserId>),
    /// The figures of the house: first as they are, then as they change.
    Figures,
}

/// Which events of a stream a view shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this noun.
    pub noun: Option<&'static str>,
    /// Only those about this subject.
    pub subject: Option<Uuid>,
    /// Those of other nouns too that this picks out.
    pub also: Option<fn(&Event) -> bool>,
    /// None of those that this picks out, whatever else holds.
    pub hides: Option<fn(&Event) -> bool>,
}

impl Filter {
    /// Whether the view shows an event.
    pub fn shows(&self, event: &Event) -> bool {
        if self.hides.is_some_and(|picks| picks(event)) {
            return false;
        }
        let is_meant = self.noun.is_none_or(|noun| noun == event.noun);
        is_meant && self.subject.is_none_or(|subject| subject == event.subject)
            || self.also.is_some_and(|picks| picks(event))
    }
}

/// One thing to deliver.
#[derive(Clone, Debug)]
pub enum Item {
    /// A committed event and the cursor behind it.
    Event(Arc<Event>, String),
    /// The stream goes on.
    Resumed(Notice),
    /// Events are missing.
    Gap(Notice, Gap),
    /// Nothing lately.
    Checkpoint(Notice),
    /// Something ephemeral.
    Signal(Signal, Notice),
}

impl Item {
    /// Where its client goes on from behind it.
    pub fn cursor(&self) -> Option<String> {
        match self {
            Item::Event(_, cursor) => Some(cursor.clone()),
            Item::Resumed(notice) | Item::Gap(notice, _) | Item::Checkpoint(notice) | Item::Signal(_, notice) => {
                notice.cursor.clone()
            }
        }
    }
}

/// The envelope of an item that is no event.
#[derive(Clone, Debug)]
pub struct Notice {
    /// An id for the client's bookkeeping.
    pub id: Uuid,
    /// Where to go on from.
    pub cursor: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
}

impl Notice {
    /// The envelope in the API's shape: id, cursor, instant.
    pub fn parts(&self) -> (ID, Option<String>, DateTime) {
        (ID(crate::kernel::id::encode("item", self.id)), self.cursor.clone(), DateTime(self.at))
    }
}

/// With this a subscription's field runs when a client subscribes: to check permission and report what it found.
#[derive(Clone, Default)]
pub struct Probe(Arc<Mutex<Option<(View, Engine)>>>);

impl Probe {
    /// The view that the field reported, and the engine that ran it.
    pub fn take(&self) -> Result<(View, Engine)> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.ok_or_else(|| Error::internal("a subscription's field reported no view"))
    }

    fn report(&self, ctx: &Context<'_>, view: View) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((view, ctx.into()));
    }
}

/// An interface of events.
pub trait LiveEvent: OutputType + Sized + 'static {
    /// An event in its shape; `None` for a kind that the interface does not know.
    fn event(event: &Arc<Event>, cursor: &str) -> Option<Self>;
    /// The stream goes on.
    fn resumed(item: StreamResumed) -> Self;
    /// Events are missing.
    fn gap(item: StreamGap) -> Self;
    /// Nothing lately.
    fn checkpoint(item: StreamCheckpoint) -> Self;

    /// Any item in its shape.
    fn of(item: &Item) -> Option<Self> {
        match item {
            Item::Event(event, cursor) => Self::event(event, cursor),
            Item::Resumed(notice) => {
                let (id, cursor, occurred_at) = notice.parts();
                Some(Self::resumed(StreamResumed { id, cursor, occurred_at }))
            }
            Item::Gap(notice, reason) => {
                let (id, cursor, occurred_at) = notice.parts();
                Some(Self::gap(StreamGap { id, cursor, occurred_at, reason: (*reason).into() }))
            }
            Item::Checkpoint(notice) => {
                let (id, cursor, occurred_at) = notice.parts();
                Some(Self::checkpoint(StreamCheckpoint { id, cursor, occurred_at }))
            }
            Item::Signal(..) => None,
        }
    }
}

/// Says which kinds of events are which members of an interface.
macro_rules! live_events {
    ($interface:ident { $($kind:expr => $variant:ident($object:ident),)* }) => {
        impl $crate::resolvers::live::LiveEvent for $interface {
            fn event(event: &std::sync::Arc<$crate::platform::streams::Event>, cursor: &str) -> Option<Self> {
                match event.kind.as_str() {
                    $(kind if kind == $kind => Some($interface::$variant($object::new(event, cursor.to_owned()))),)*
                    _ => None,
                }
            }
            fn resumed(item: $crate::schema::live::StreamResumed) -> Self {
                $interface::Resumed(item)
            }
            fn gap(item: $crate::schema::live::StreamGap) -> Self {
                $interface::Gap(item)
            }
            fn checkpoint(item: $crate::schema::live::StreamCheckpoint) -> Self {
                $interface::Checkpoint(item)
            }
        }
    };
}
pub(crate) use live_events;

/// Who caused an event, as far as the viewer may know.
#[ComplexObject]
impl EventActor {
    /// The user. Null for timers and tasks, and for staff to everybody but staff: who has which role is nobody else's
    /// business.
    async fn id(&self, ctx: &Context<'_>) -> Option<ID> {
        let Actor::User(user, role) = self.actor else { return None };
        let knows = |viewer: crate::kernel::Viewer| viewer.user == user || viewer.roles.is_staff();
        let may_see = !Roles::of(&[role]).is_staff() || ctx.caller().viewer.is_some_and(knows);
        may_see.then(|| user.into())
    }
}

/// Where an object stood before a step in its life and where it stood afterwards, as the event of it says.
pub fn step<S: State, T: From<S>>(event: &Event) -> async_graphql::Result<(T, T)> {
    let Step { from, to } = answer(event.read_facts())?;
    let state = |name: &str| {
        let known = S::parse(name).ok_or_else(|| Error::internal(format!("an event with an unknown state, {name}")));
        answer(known).map(T::from)
    };
    Ok((state(&from)?, state(&to)?))
}

/// Something ephemeral as a viewer sees it.
pub trait LiveSignal: OutputType + Sized + 'static {
    /// The signal in its shape, or nothing where the viewer is not to see it.
    fn of(ctx: &Context<'_>, signal: &Signal, notice: &Notice) -> impl Future<Output = Result<Option<Self>>> + Send;
}

/// What a subscription's field yields to the engine: nothing, since the server delivers.
pub type Live<T> = Empty<T>;

/// News at most so often, in milliseconds.
const THROTTLE_MS: RangeInclusive<u64> = 100..=10_000;

/// A view of streams. The arguments `after` and `throttleMs` of its field say how the client wants its news; `authorise` runs
/// when it subscribes, not for each event.
pub async fn durable<T: LiveEvent>(
    ctx: &Context<'_>,
    (after, throttle_ms): (Option<String>, Option<i32>),
    authorise: impl AsyncFnOnce() -> Result<(Vec<StreamName>, Filter)>,
) -> async_graphql::Result<Live<T>> {
    let throttle = throttle_ms.map(throttle).transpose().map_err(top_level)?;
    let (streams, filter) = authorise().await.map_err(top_level)?;
    let view = View { after, throttle, ..View::of_streams::<T>(streams, filter) };
    ctx.data_unchecked::<Probe>().report(ctx, view);
    Ok(stream::empty())
}

/// A view of signals.
pub async fn signals<T: LiveSignal>(
    ctx: &Context<'_>,
    authorise: impl AsyncFnOnce() -> Result<Source>,
) -> async_graphql::Result<Live<T>> {
    let source = authorise().await.map_err(top_level)?;
    let view = View { source, after: None, throttle: None, shape: signal_shape::<T> };
    ctx.data_unchecked::<Probe>().report(ctx, view);
    Ok(stream::empty())
}

fn event_shape<'a, T: LiveEvent>(item: &'a Item, ctx: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>> {
    async move {
        let Some(value) = T::of(item) else { return Ok(None) };
        shown(ctx, &value).await.map(Some)
    }
    .boxed()
}

fn signal_shape<'a, T: LiveSignal>(item: &'a Item, ctx: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>> {
    async move {
        let Item::Signal(signal, notice) = item else { return Ok(None) };
        let found = T::of(ctx, signal, notice).await;
        let Some(value) = found.map_err(|error| top_level(error).into_server_error(ctx.item.pos))? else {
            return Ok(None);
        };
        shown(ctx, &value).await.map(Some)
    }
    .boxed()
}

async fn shown<T: OutputType>(ctx: &Context<'_>, value: &T) -> ServerResult<Value> {
    value.resolve(&ctx.with_selection_set(&ctx.item.node.selection_set), ctx.item).await
}

fn throttle(ms: i32) -> Result<Duration> {
    let ms = u64::try_from(ms).ok().filter(|ms| THROTTLE_MS.contains(ms)).ok_or_else(|| {
        let (least, most) = (THROTTLE_MS.start(), THROTTLE_MS.end());
        Error::new(Code::BadUserInput, format!("`throttleMs` is from {least} to {most}."))
    })?;
    Ok(Duration::from_millis(ms))
}

/// The one object that a view is narrowed to, if its field was given an id: `NOT_FOUND` unless the viewer may see it.
pub async fn only<I: TypedId, T>(
    id: Option<ID>,
    visible: impl AsyncFnOnce(I) -> Result<Option<T>>,
) -> Result<Option<Uuid>> {
    let Some(id) = id else { return Ok(None) };
    let id: I = parse(&id)?;
    visible(id).await?.map(|_| Some(id.uuid())).ok_or_else(|| Error::not_found(I::PREFIX))
}

/// The viewer's own stream, filtered by noun and perhaps by subject.
pub fn own(ctx: &Context<'_>, noun: &'static str, subject: Option<Uuid>) -> Result<(Vec<StreamName>, Filter)> {
    let viewer = ctx.viewer()?;
    Ok((vec![StreamName::user(viewer.user)], Filter { noun: Some(noun), subject, ..Filter::default() }))
}
