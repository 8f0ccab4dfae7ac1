//! The loop of one feed. It is the body of the response: the connection asks for the next chunk when it has room for it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::task_tracker::TaskTrackerToken;
use uuid::Uuid;

use super::frames::Framing;
use super::{Subscriber, leaving};
use crate::kernel::{Code, Error, Result};
use crate::platform::streams::Bell;
use crate::server::execute::{Declined, stamp};
use crate::server::live::{Delivery, LOOK_AGAIN, LiveOperation, Seat, Timers, changed, instant, jitter};
use crate::server::state::Server;

/// Within which time browsers come back whose server stops.
const COME_BACK: Duration = Duration::from_secs(3);

/// One subscription over one response.
pub struct Feed {
    server: Server,
    subscriber: Subscriber,
    operation: LiveOperation,
    bell: Bell,
    rights: Option<broadcast::Receiver<Option<Uuid>>>,
    timers: Timers,
    is_over: bool,
    _seat: Seat,
    _open: TaskTrackerToken,
}

/// What a step of the loop came to: a chunk for the client or nothing yet; or why this is the end.
type Step = Result<Option<String>>;

impl Feed {
    /// A feed that has said nothing yet.
    pub fn new(server: Server, subscriber: Subscriber, operation: LiveOperation, bell: Bell, seat: Seat) -> Self {
        let rights = subscriber.pass.map(|_| server.platform.hub.rights());
        let mut timers = Timers::new(&server.live.limits);
        // The session was judged before its changes were listened to.
        timers.look_soon(LOOK_AGAIN);
        let open = server.sockets.token();
        Feed { server, subscriber, operation, bell, rights, timers, is_over: false, _seat: seat, _open: open }
    }

    /// All that the client gets.
    pub fn chunks(mut self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        self.rest_until_beat();
        let opening = stream::once(std::future::ready(self.subscriber.framing.opening()));
        let chunks = stream::unfold(Box::new(self), |mut feed| async move { Some((feed.next().await?, feed)) });
        opening.chain(chunks).map(|chunk| Ok(chunk.into()))
    }

    async fn next(&mut self) -> Option<String> {
        while !self.is_over {
            match self.step().await {
                Ok(Some(chunk)) => {
                    self.rest_until_beat();
                    return Some(chunk);
                }
                Ok(None) => {}
                Err(error) => return Some(self.end(error)),
            }
        }
        None
    }

    async fn step(&mut self) -> Step {
        // Also where there is always something new.
        self.leave_in_time()?;
        let has_news = self.operation.has_news(self.server.live.limits.checkpoint);
        let chunk = if has_news { self.deliver().await? } else { self.wait().await? };
        if chunk.is_some() { Ok(chunk) } else { self.tick().await }
    }

    async fn deliver(&mut self) -> Step {
        let answers = match self.operation.deliver(&self.server, &self.subscriber.caller).await {
            Delivery::Answers(answers) => answers,
            Delivery::Ended(error) => return Err(error),
        };
        let mut chunk = String::new();
        answers.iter().for_each(|shown| self.subscriber.framing.next(&mut chunk, &shown.text, shown.cursor.as_deref()));
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    /// Waits for something to happen.
    async fn wait(&mut self) -> Step {
        let now = self.server.platform.clock.now();
        let ends_at = self.subscriber.pass.map(|pass| instant(pass.expires_at, now));
        let wake_at = self.timers.next(ends_at.into_iter().chain(self.operation.wakes_at()).min());
        tokio::select! {
            () = self.bell.notified() => {}
            () = sleep_until(wake_at) => {}
            () = self.server.draining.cancelled(), if self.timers.leave_at.is_none() => {}
            whose = changed(&mut self.rights) => {
                let viewer = self.subscriber.caller.viewer;
                if self.timers.rights_changed(whose, viewer.map(|viewer| viewer.user))
                    && let Some(viewer) = viewer
                {
                    self.server.sessions.forget(viewer.user);
                    self.look().await?;
                }
            }
        }
        Ok(None)
    }

    /// Ends the feed when its time has come.
    fn leave_in_time(&mut self) -> Result<()> {
        if self.server.draining.is_cancelled() && self.timers.leave_at.is_none() {
            let spread = Duration::from_secs(self.server.platform.config.server.drain_seconds);
            self.timers.leave_at = Some(Instant::now() + jitter(spread));
        }
        if self.timers.leave_at.is_some_and(|at| at <= Instant::now()) {
            return Err(leaving());
        }
        if self.subscriber.pass.is_some_and(|pass| pass.expires_at <= self.server.platform.clock.now()) {
            return Err(Error::new(Code::TokenExpired, "The access token has ended; come back with a fresh one."));
        }
        Ok(())
    }

    /// Does what is due by the clock.
    async fn tick(&mut self) -> Step {
        let now = Instant::now();
        if self.timers.sweep_at <= now {
            let limits = self.server.live.limits;
            self.timers.sweep_in(limits.sweep);
            if std::mem::take(&mut self.timers.must_look) {
                self.look().await?;
            }
            if let (Some(viewer), true) = (self.subscriber.caller.viewer, self.timers.use_at <= now) {
                self.timers.use_at = now + limits.noted;
                self.server.sessions.used(viewer.session, None);
            }
        }
        Ok((self.timers.beat_at <= now).then(|| self.subscriber.framing.beat()))
    }

    /// Looks at the session again. A database that is away ends nobody's; it is asked again at the next sweep.
    async fn look(&mut self) -> Result<()> {
        match self.server.still_same(&self.subscriber.caller).await {
            Err(error) if error.code.retryable() => {
                self.timers.must_look = true;
                Ok(())
            }
            judged => judged,
        }
    }

    fn end(&mut self, error: Error) -> String {
        self.is_over = true;
        let code = error.code.name();
        tracing::debug!(code, "a feed ends");
        let retry_ms =
            self.subscriber.is_browser.then(|| u64::try_from(jitter(COME_BACK).as_millis()).unwrap_or_default());
        let mut answer = Declined::from(error).response();
        stamp(&mut answer, &self.subscriber.caller.request_id);
        let errors = serde_json::to_string(&answer.errors).unwrap_or_else(|_| "[]".to_owned());
        self.subscriber.framing.break_off(code, &errors, retry_ms)
    }

    fn rest_until_beat(&mut self) {
        let limits = &self.server.live.limits;
        let every = match self.subscriber.framing {
            Framing::EventStream => limits.comment,
            Framing::Multipart => limits.heartbeat,
        };
        self.timers.beat_at = Instant::now() + every;
    }
}
