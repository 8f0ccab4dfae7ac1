//! Subscriptions: each field is declared once and serves twice.
//!
//! When a client subscribes, the field runs with a [`Mode::Probe`]: it checks permission, reports the [`View`] that it
//! shows, and yields nothing. For each event the server runs the same document again with a [`Mode::Deliver`]: the field
//! yields that one item, without asking for permission in the database again. So a live operation is a small record, and
//! what it selects is loaded afresh for each event.
//!
//! To add a subscription: an interface of events in `schema/`, `live_events!` for its members, and a field that calls
//! [`durable`].

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{ComplexObject, Context, ID};
use futures_util::stream::{self, BoxStream, StreamExt};
use uuid::Uuid;

use super::ask::Ask;
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
}

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

/// Why a subscription's field is run.
#[derive(Clone)]
pub enum Mode {
    /// To check permission and report the view.
    Probe(Arc<Mutex<Option<View>>>),
    /// To shape one item.
    Deliver(Arc<Item>),
}

impl Mode {
    /// A probe, and where its finding will be.
    pub fn probe() -> (Self, Arc<Mutex<Option<View>>>) {
        let found = Arc::default();
        (Mode::Probe(Arc::clone(&found)), found)
    }
}

/// An interface of events.
pub trait LiveEvent: Sized + Send + 'static {
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

/// What a subscription's field yields.
pub type Live<T> = BoxStream<'static, T>;

/// News at most so often, in milliseconds.
const THROTTLE_MS: RangeInclusive<u64> = 100..=10_000;

/// A view of streams. The arguments `after` and `throttleMs` of its field say how the client wants its news; `authorise` runs
/// when it subscribes, not for each event.
pub async fn durable<T: LiveEvent>(
    ctx: &Context<'_>,
    (after, throttle_ms): (Option<String>, Option<i32>),
    authorise: impl AsyncFnOnce() -> Result<(Vec<StreamName>, Filter)>,
) -> async_graphql::Result<Live<T>> {
    match ctx.data_unchecked::<Mode>() {
        Mode::Deliver(item) => Ok(stream::iter(T::of(item)).boxed()),
        Mode::Probe(found) => {
            let throttle = throttle_ms.map(throttle).transpose().map_err(top_level)?;
            let (streams, filter) = authorise().await.map_err(top_level)?;
            report(found, View { source: Source::Streams(streams, filter), after, throttle });
            Ok(stream::empty().boxed())
        }
    }
}

/// A view of signals. `shape` makes the item that the field yields, or nothing where the viewer is not to see it.
pub async fn signals<T: Send + 'static>(
    ctx: &Context<'_>,
    authorise: impl AsyncFnOnce() -> Result<Source>,
    shape: impl AsyncFnOnce(&Signal, &Notice) -> Result<Option<T>>,
) -> async_graphql::Result<Live<T>> {
    match ctx.data_unchecked::<Mode>() {
        Mode::Deliver(item) => match &**item {
            Item::Signal(signal, notice) => Ok(stream::iter(shape(signal, notice).await.map_err(top_level)?).boxed()),
            _ => Ok(stream::empty().boxed()),
        },
        Mode::Probe(found) => {
            let source = authorise().await.map_err(top_level)?;
            report(found, View { source, after: None, throttle: None });
            Ok(stream::empty().boxed())
        }
    }
}

fn throttle(ms: i32) -> Result<Duration> {
    let ms = u64::try_from(ms).ok().filter(|ms| THROTTLE_MS.contains(ms)).ok_or_else(|| {
        let (least, most) = (THROTTLE_MS.start(), THROTTLE_MS.end());
        Error::new(Code::BadUserInput, format!("`throttleMs` is from {least} to {most}."))
    })?;
    Ok(Duration::from_millis(ms))
}

fn report(found: &Mutex<Option<View>>, view: View) {
    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
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
