//! One person's connection: it comes back by itself, with a fresh token, and each subscription goes on behind its own
//! cursor.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::documents::REFRESH;
use super::operations::{Kind, Live, Once, Operation, Refusal, Request};
use super::scribe::Scribe;
use super::show::{self, Line};
use super::socket::{Broken, Frame, Socket, Target};
use super::tokens::Tokens;

/// What a session is asked for.
pub enum Ask {
    /// A query or a mutation.
    Once(Request, Once),
    /// A subscription, under this number.
    Watch(u64, Request, Live),
    /// The end of a subscription.
    Leave(u64),
    /// A pong.
    Ping(oneshot::Sender<()>),
    /// From now on to be this user, or nobody. What was open for the one before ends.
    Become(Option<Tokens>, oneshot::Sender<()>),
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is.
    Up,
    /// There is none, and why.
    Down(String),
}

/// Why a conversation ends.
pub(super) enum End {
    /// Nobody is interested any more.
    Over,
    /// Somebody else is to speak.
    Anew,
    /// It broke.
    Broken(Broken),
}

/// What a turn of the loop asks for: another one, or the end.
pub(super) type Turn = ControlFlow<End>;

/// The task behind a person.
pub struct Session {
    pub(super) who: String,
    target: Target,
    pub(super) scribe: Arc<Scribe>,
    asks: mpsc::Receiver<Ask>,
    state: watch::Sender<State>,
    pub(super) tokens: Option<Tokens>,
    /// The server does not take the access token.
    is_refused: bool,
    was_up: bool,
    pub(super) operations: BTreeMap<u64, Operation>,
    pub(super) pings: Vec<oneshot::Sender<()>>,
    became: Option<oneshot::Sender<()>>,
    last_id: u64,
}

impl Session {
    /// A session of nobody yet.
    pub fn new(
        who: &str,
        target: Target,
        scribe: Arc<Scribe>,
        asks: mpsc::Receiver<Ask>,
        state: watch::Sender<State>,
    ) -> Self {
        Session {
            who: who.to_owned(),
            target,
            scribe,
            asks,
            state,
            tokens: None,
            is_refused: false,
            was_up: false,
            operations: BTreeMap::new(),
            pings: Vec::new(),
            became: None,
            // Numbers of subscriptions are given by the person, below these.
            last_id: u64::from(u32::MAX),
        }
    }

    /// Runs until nobody asks any more.
    pub async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let broken = match self.connect().await {
                Err(broken) => broken,
                Ok(mut socket) => {
                    backoff.reset();
                    match self.converse(&mut socket).await {
                        End::Broken(broken) => broken,
                        End::Anew => {
                            socket.close().await;
                            continue;
                        }
                        End::Over => return socket.close().await,
                    }
                }
            };
            self.broke(&broken);
            let wait = backoff.next();
            self.scribe.notice(&self.who, format!("{broken}; trying again in {:.1} s", wait.as_secs_f32()));
            if self.pause(Instant::now() + wait).await.is_break() {
                return;
            }
        }
    }

    /// A socket with an ack, for whoever it is to be.
    async fn connect(&mut self) -> Result<Socket, Broken> {
        if self.tokens.as_ref().is_some_and(|tokens| self.is_refused || tokens.is_old()) {
            self.refresh().await?;
        }
        let token = self.tokens.as_ref().map(|tokens| tokens.access.clone());
        Socket::open(&self.target, token.as_deref(), &self.scribe).await
    }

    /// A fresh token over a socket of nobody, which the old one would not open.
    async fn refresh(&mut self) -> Result<(), Broken> {
        let Some(refresh) = self.tokens.as_ref().map(|tokens| tokens.refresh.clone()) else { return Ok(()) };
        let mut socket = Socket::open(&self.target, None, &self.scribe).await?;
        let request = Request::input(REFRESH, json!({ "refreshToken": refresh }));
        socket.send(&Operation::new(request, Kind::Refresh).start(1)).await?;
        let answer = loop {
            match socket.next().await? {
                Frame::Next(1, answer) => break answer,
                Frame::Error(1, errors) => break json!({ "errors": errors }),
                _ => {}
            }
        };
        socket.close().await;
        match Tokens::of(&answer, "sessionRefresh") {
            Ok(tokens) => self.tokens = Some(tokens),
            Err(refusal) if is_passing(&refusal) => return Err(Broken::Unreachable(refusal.message)),
            Err(refusal) => {
                self.tokens = None;
                let text = format!("signed out: the session has ended ({}); login again", refusal.code);
                self.scribe.write(Line::new(show::Kind::Error, &self.who, text).with("code", refusal.code).grave());
            }
        }
        self.is_refused = false;
        Ok(())
    }

    /// Speaks until something ends it.
    async fn converse(&mut self, socket: &mut Socket) -> End {
        if let Err(broken) = self.greet(socket).await {
            return End::Broken(broken);
        }
        loop {
            let renew_at = self.tokens.as_ref().map(Tokens::renew_at);
            let turn = tokio::select! {
                frame = socket.next() => match frame {
                    Ok(frame) => self.hear(frame, socket).await,
                    Err(broken) => Break(End::Broken(broken)),
                },
                ask = self.asks.recv() => self.take(ask, Some(&mut *socket)).await,
                () = sleep_until(renew_at.unwrap_or_else(Instant::now)), if renew_at.is_some() => {
                    self.renew(socket).await
                }
            };
            if let Break(end) = turn {
                return end;
            }
        }
    }

    /// There is an ack: everything that is open goes on.
    async fn greet(&mut self, socket: &mut Socket) -> Result<(), Broken> {
        let count = self.operations.values().filter(|operation| matches!(operation.kind, Kind::Live(_))).count();
        let again = if self.was_up { " again" } else { "" };
        let lives = match count {
            0 => String::new(),
            1 => ", 1 subscription goes on".to_owned(),
            count => format!(", {count} subscriptions go on"),
        };
        self.scribe.notice(&self.who, format!("connected{again} to {}{lives}", self.target));
        self.was_up = true;
        self.state.send_replace(State::Up);
        if let Some(became) = self.became.take() {
            // Whoever asked may have given up.
            let _ = became.send(());
        }
        for (id, operation) in &mut self.operations {
            operation.is_sent = true;
            if let Kind::Live(Live { label, cursor: None, opened: None, .. }) = &operation.kind
                && operation.request.query.contains("$after")
            {
                let text = format!("{label}: begins anew, for nothing of it was heard before the connection broke");
                self.scribe.notice(&self.who, text);
            }
            socket.send(&operation.start(*id)).await?;
        }
        if !self.pings.is_empty() {
            socket.send(&json!({ "type": "ping" })).await?;
        }
        Ok(())
    }

    /// Takes what is asked; with a socket it is sent, without one it waits.
    async fn take(&mut self, ask: Option<Ask>, socket: Option<&mut Socket>) -> Turn {
        let message = match ask {
            None => return Break(End::Over),
            Some(Ask::Become(tokens, became)) => {
                self.tokens = tokens;
                self.is_refused = false;
                self.operations.clear();
                self.became = Some(became);
                return Break(End::Anew);
            }
            Some(Ask::Ping(reply)) => {
                self.pings.push(reply);
                json!({ "type": "ping" })
            }
            Some(Ask::Leave(id)) => {
                self.operations.remove(&id);
                json!({ "type": "complete", "id": id.to_string() })
            }
            Some(Ask::Once(request, once)) => self.add(None, request, Kind::Once(once), socket.is_some()),
            Some(Ask::Watch(id, request, live)) => self.add(Some(id), request, Kind::Live(live), socket.is_some()),
        };
        match socket {
            Some(socket) => sent(socket.send(&message).await),
            None => Continue(()),
        }
    }

    /// Keeps an operation, and gives the message that starts it.
    pub(super) fn add(&mut self, id: Option<u64>, request: Request, kind: Kind, is_sent: bool) -> Value {
        let id = id.unwrap_or_else(|| {
            self.last_id += 1;
            self.last_id
        });
        let operation = Operation { is_sent, ..Operation::new(request, kind) };
        let message = operation.start(id);
        self.operations.insert(id, operation);
        message
    }

    /// A fresh token for the open socket, before the old one ends.
    async fn renew(&mut self, socket: &mut Socket) -> Turn {
        let Some(tokens) = &mut self.tokens else { return Continue(()) };
        tokens.is_renewing();
        let request = Request::input(REFRESH, json!({ "refreshToken": tokens.refresh }));
        let message = self.add(None, request, Kind::Refresh, true);
        sent(socket.send(&message).await)
    }

    /// The connection is gone: what must not be asked twice is answered now.
    fn broke(&mut self, broken: &Broken) {
        self.state.send_replace(State::Down(broken.to_string()));
        self.is_refused |= broken.is_token();
        let is_own_fault = broken.is_own_fault();
        let all = std::mem::take(&mut self.operations).into_iter();
        let (stay, go): (BTreeMap<_, _>, BTreeMap<_, _>) = all.partition(|(_, it)| it.survives(is_own_fault));
        self.operations = stay;
        for operation in go.into_values() {
            if let Kind::Once(once) = operation.kind {
                let text = format!("{broken}, before there was an answer: it may have been done or not");
                drop(once.reply.send(Err(Refusal::new("CONNECTION_LOST", text))));
            }
        }
    }

    /// Waits, and goes on taking what is asked.
    async fn pause(&mut self, until: Instant) -> Turn {
        loop {
            let turn = tokio::select! {
                () = sleep_until(until) => return Continue(()),
                ask = self.asks.recv() => self.take(ask, None).await,
            };
            match turn {
                Break(End::Anew) => return Continue(()),
                Break(end) => return Break(end),
                Continue(()) => {}
            }
        }
    }
}

/// Goes on, unless the message did not go out.
pub(super) fn sent(outcome: Result<(), Broken>) -> Turn {
    outcome.map_or_else(|broken| Break(End::Broken(broken)), Continue)
}

/// A refusal that another attempt may mend.
fn is_passing(refusal: &Refusal) -> bool {
    ["SERVICE_UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "INTERNAL_SERVER_ERROR"].contains(&refusal.code.as_str())
}
