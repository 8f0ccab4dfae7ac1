//! What a socket runs beside its loop, each as a future of its own that borrows nothing from it.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use serde_json::value::RawValue;
use tokio_util::task::AbortOnDropHandle;

use crate::features::accounts::sessions::Pass;
use crate::kernel::{Caller, Code, Error, Result, Viewer};
use crate::platform::streams::Bell;
use crate::resolvers::accounts::Renewal;
use crate::server::documents::check_json_depth;
use crate::server::execute::{Asked, Declined, Prepared};
use crate::server::live::{Delivery, LiveOperation, Recipe, Resume, guarded};
use crate::server::state::Server;

/// What a piece of work came to. `serial` names the operation, because a client may use an id again.
pub enum Done {
    /// The init payload was judged.
    Greeted(Result<Option<Pass>>),
    /// The session was looked at again.
    Checked(Result<Viewer>),
    /// An operation was run, opened or refused.
    Started { serial: u32, outcome: Started },
    /// A live operation has shown a page.
    Delivered { serial: u32, operation: Box<LiveOperation>, delivery: Delivery },
}

/// What came of an operation.
pub enum Started {
    /// It is live.
    Live(Box<LiveOperation>),
    /// It is over, with this answer; and the socket's pass was renewed.
    Answer(Box<Response>, Option<Pass>),
    /// It could not be run.
    Refused(Vec<ServerError>),
}

/// Work under way.
pub type Work = BoxFuture<'static, Done>;

/// All the work of one socket. While there is none, it keeps nothing: most sockets wait for most of their life.
#[derive(Default)]
pub struct Beside(Option<Box<FuturesUnordered<Work>>>);

impl Beside {
    /// How many pieces are under way.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |work| work.len())
    }

    /// One more piece.
    pub fn push(&mut self, work: Work) {
        self.0.get_or_insert_default().push(work);
    }

    /// What the next piece came to. Waits for ever while there is none. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Done {
        let done = match &mut self.0 {
            Some(work) => work.next().await,
            None => None,
        };
        if self.len() == 0 {
            self.0 = None;
        }
        match done {
            Some(done) => done,
            None => pending().await,
        }
    }
}

/// Judges a token, and notes what its client calls itself.
pub fn greet(server: Server, token: Option<String>, client: Option<Box<str>>) -> Work {
    async move {
        let Some(token) = token else { return Done::Greeted(Ok(None)) };
        let pass = server.sessions.authenticate(&token).await;
        if let Ok(pass) = &pass {
            server.sessions.used(pass.viewer.session, client.as_deref());
        }
        Done::Greeted(pass.map(Some))
    }
    .boxed()
}

/// Looks at a session again.
pub fn check(server: Server, viewer: Viewer) -> Work {
    async move { Done::Checked(server.sessions.check(viewer.session).await) }.boxed()
}

/// Runs an operation, or opens it if it is a subscription. It runs in a task of its own, so that a large document keeps
/// neither pings nor other operations waiting; if the socket goes, so does the task.
pub fn start(
    server: Server,
    caller: Caller,
    serial: u32,
    payload: Option<Box<RawValue>>,
    resume: Option<Box<str>>,
    bell: Bell,
) -> Work {
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        let outcome = match guarded(run(&server, &caller, payload.as_deref(), resume.as_deref(), &bell)).await {
            Ok(outcome) => outcome.unwrap_or_else(Started::Refused),
            Err(error) => Started::Refused(vec![error]),
        };
        named(outcome, &caller)
    }));
    async move {
        // Only the end of the program ends the task early.
        let outcome = task.await.unwrap_or_else(|error| Started::Refused(vec![refusal(Error::internal(error))]));
        Done::Started { serial, outcome }
    }
    .boxed()
}

/// Shows the next page of a live operation.
pub fn deliver(server: Server, caller: Caller, serial: u32, mut operation: Box<LiveOperation>) -> Work {
    async move {
        let delivery = operation.deliver(&server, &caller).await;
        Done::Delivered { serial, operation, delivery }
    }
    .boxed()
}

async fn run(
    server: &Server,
    caller: &Caller,
    payload: Option<&RawValue>,
    resume: Option<&str>,
    bell: &Bell,
) -> Result<Started, Vec<ServerError>> {
    let asked = asked(payload)?;
    let recipe = Recipe::of(&asked);
    let prepared = server.prepare(caller.viewer, asked).map_err(|declined| declined.errors)?;
    if prepared.checked.kind == OperationType::Subscription {
        let operation = server.open(caller, recipe, prepared, resume.map(Resume::Else), bell).await?;
        return Ok(Started::Live(Box::new(operation)));
    }
    let (answer, renewed) = answer(server, caller, prepared).await;
    // What fails before anything runs has no path and no data: an error of the operation, not an answer.
    let was_run = answer.data != Value::Null || answer.errors.iter().any(|error| !error.path.is_empty());
    if was_run { Ok(Started::Answer(Box::new(answer), renewed)) } else { Err(answer.errors) }
}

async fn answer(server: &Server, caller: &Caller, prepared: Prepared) -> (Response, Option<Pass>) {
    let renewed = Arc::new(Mutex::new(None));
    let slot = renewed.clone();
    let renewal: Renewal = Arc::new(move |pass| *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(pass));
    let answer = server.run_with(caller, prepared, |request| request.data(renewal)).await;
    let renewed = *renewed.lock().unwrap_or_else(PoisonError::into_inner);
    (answer, renewed)
}

fn asked(payload: Option<&RawValue>) -> Result<Asked, Vec<ServerError>> {
    let text = payload.map_or("{}", RawValue::get);
    check_json_depth(text.as_bytes()).map_err(|refusal| Declined::from(refusal).errors)?;
    serde_json::from_str(text).map_err(|_| {
        let error = Error::new(Code::BadUserInput, "`payload` is no GraphQL request: it needs a `query`.");
        vec![refusal(error)]
    })
}

/// A refusal in GraphQL's form.
pub fn refusal(error: Error) -> ServerError {
    let mut error = crate::resolvers::error::top_level(error).into_server_error(Default::default());
    // It points at no place in the document.
    error.locations.clear();
    error
}

/// Errors name the request, so that somebody finds their cause in the log.
fn named(outcome: Started, caller: &Caller) -> Started {
    let Started::Refused(mut errors) = outcome else { return outcome };
    for error in &mut errors {
        error.locations.retain(|place| place.line > 0);
        error.extensions.get_or_insert_default().set("requestId", &*caller.request_id);
    }
    Started::Refused(errors)
}
