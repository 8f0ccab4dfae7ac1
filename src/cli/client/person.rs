//! Somebody who uses the API through this client: what commands ask of a [`Session`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::documents::START;
use super::operations::{Live, Once, Refusal, Request};
use super::scribe::Scribe;
use super::session::{Ask, Session, State};
use super::socket::Target;
use super::tokens::Tokens;

/// Commands that wait to be heard.
const ASKS_MAX: usize = 64;
/// A subscription that begins with no word of its own counts as open when it was not refused within this time.
const SETTLE: Duration = Duration::from_millis(300);

/// Why a command failed.
#[derive(Debug)]
pub enum Trouble {
    /// The server said no.
    Refused(Refusal),
    /// What was waited for did not come.
    Unmet(String),
    /// The command cannot be understood, or not here.
    Usage(String),
    /// There is no connection.
    Unreachable(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused(refusal) => write!(f, "refused: {} {}", refusal.code, refusal.message),
            Trouble::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Trouble::Unmet(text) | Trouble::Usage(text) => f.write_str(text),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::Refused(refusal)
    }
}

struct Watched {
    id: u64,
    view: String,
    subject: Option<String>,
}

/// One person.
pub struct Person {
    /// The conversation that `say` speaks in.
    pub conversation: Option<String>,
    asks: mpsc::Sender<Ask>,
    state: watch::Receiver<State>,
    watched: Vec<Watched>,
    last_id: u64,
    patience: Duration,
}

impl Person {
    /// Begins to connect, as nobody.
    pub fn new(name: &str, target: Target, scribe: Arc<Scribe>, patience: Duration) -> Self {
        let (asks, taken) = mpsc::channel(ASKS_MAX);
        let (told, state) = watch::channel(State::Down("not connected yet".to_owned()));
        tokio::spawn(Session::new(name, target, scribe, taken, told).run());
        Person { conversation: None, asks, state, watched: Vec::new(), last_id: 0, patience }
    }

    async fn ask(&self, ask: Ask) -> Result<(), Trouble> {
        self.asks.send(ask).await.map_err(|_| Trouble::Unreachable("the connection is closed".to_owned()))
    }

    async fn wait<T>(&self, reply: oneshot::Receiver<T>) -> Result<T, Trouble> {
        match timeout(self.patience, reply).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Refusal::new("INTERRUPTED", "somebody else signed in or out meanwhile").into()),
            Err(_) => Err(match &*self.state.borrow() {
                State::Down(why) => Trouble::Unreachable(why.clone()),
                State::Up => Trouble::Unmet(format!("no answer within {} s", self.patience.as_secs())),
            }),
        }
    }

    /// The whole answer to a query or a mutation.
    pub async fn answer(&self, request: Request, is_repeatable: bool) -> Result<Value, Trouble> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Once(request, Once { reply, is_repeatable })).await?;
        Ok(self.wait(answer).await??)
    }

    /// The data of a query or a mutation that does no harm when it is sent twice, and must not be refused.
    pub async fn data(&self, request: Request) -> Result<Value, Trouble> {
        let mut answer = self.answer(request, true).await?;
        match Refusal::of_answer(&answer) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(answer["data"].take()),
        }
    }

    /// How long a ping and its pong take.
    pub async fn ping(&self) -> Result<Duration, Trouble> {
        let (reply, pong) = oneshot::channel();
        let begun = Instant::now();
        self.ask(Ask::Ping(reply)).await?;
        self.wait(pong).await?;
        Ok(begun.elapsed())
    }

    /// Is this user from now on, or nobody. What was open is closed.
    pub async fn become_user(&mut self, tokens: Option<Tokens>) -> Result<(), Trouble> {
        let (reply, became) = oneshot::channel();
        self.watched.clear();
        self.conversation = None;
        self.ask(Ask::Become(tokens, reply)).await?;
        self.wait(became).await
    }

    /// Follows a subscription, from now on or behind a cursor, and says whether it is open.
    pub async fn watch(
        &mut self,
        view: &str,
        subject: Option<&str>,
        request: Request,
        after: Option<String>,
    ) -> Result<(), Trouble> {
        let begins = if after.is_none() && request.query.contains("$after") { self.start().await? } else { after };
        let (reply, opened) = oneshot::channel();
        let label = subject.map_or_else(|| view.to_owned(), |subject| format!("{view} {subject}"));
        let is_told = begins.is_some();
        self.last_id += 1;
        let id = self.last_id;
        self.watched.push(Watched { id, view: view.to_owned(), subject: subject.map(str::to_owned) });
        self.ask(Ask::Watch(id, request, Live::new(label, begins, reply))).await?;
        let refusal = if is_told {
            self.wait(opened).await?
        } else {
            timeout(SETTLE, opened).await.map_or(Ok(()), |told| told.unwrap_or(Ok(())))
        };
        if refusal.is_err() {
            self.watched.retain(|watched| watched.id != id);
        }
        Ok(refusal?)
    }

    /// Where the streams end now: what happens from here on is behind it. Nobody has no streams.
    async fn start(&self) -> Result<Option<String>, Trouble> {
        let data = self.data(Request::plain(START)).await?;
        Ok(data["viewer"]["streamCursor"].as_str().map(str::to_owned))
    }

    /// Ends the subscriptions with this name or of this thing, or all, and says how many.
    pub async fn leave(&mut self, what: Option<&str>) -> Result<usize, Trouble> {
        let fits = |it: &Watched| what.is_none_or(|what| it.view == what || it.subject.as_deref() == Some(what));
        let (gone, stay): (Vec<_>, Vec<_>) = self.watched.drain(..).partition(fits);
        self.watched = stay;
        for watched in &gone {
            self.ask(Ask::Leave(watched.id)).await?;
        }
        if self.conversation.as_deref().is_some_and(|id| what.is_none_or(|what| what == id)) {
            self.conversation = None;
        }
        Ok(gone.len())
    }

    /// What is followed, as people call it.
    pub fn watched(&self) -> impl Iterator<Item = String> {
        self.watched.iter().map(|it| match &it.subject {
            Some(subject) => format!("{} {subject}", it.view),
            None => it.view.clone(),
        })
    }
}
