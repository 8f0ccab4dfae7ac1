//! The frames of one socket: what is to be sent is fed together and flushed once, beside reading, never instead of it.

use std::collections::VecDeque;
use std::error::Error as _;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::protocol::Closing;

/// Frames that may wait to be sent before the client is no longer listened to.
const WAITING_MAX: usize = 64;
/// How long a client may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(2);

/// A socket and the frames that wait for it.
pub struct Wire {
    socket: WebSocket,
    waiting: VecDeque<Message>,
    is_flushed: bool,
    was_too_large: bool,
    patience: Duration,
    late_at: Option<Instant>,
}

/// What came of waiting.
pub enum Heard {
    /// A text.
    Text(String),
    /// Something that carries no text, such as a pong.
    Sign,
    /// All that waited is sent.
    Flushed,
    /// Bytes that are no text.
    Binary,
    /// A message over the limit; nothing can be read any more.
    TooLarge,
    /// The client closed, or the connection broke.
    Gone,
}

impl Wire {
    /// `patience` is how long a client may take none of what is sent.
    pub fn new(socket: WebSocket, patience: Duration) -> Self {
        let waiting = VecDeque::new();
        Wire { socket, waiting, is_flushed: true, was_too_large: false, patience, late_at: None }
    }

    /// Puts a text behind what waits.
    pub fn push(&mut self, text: String) {
        self.put(Message::Text(text.into()));
    }

    /// Asks the client's library for a sign of life.
    pub fn ping(&mut self) {
        self.put(Message::Ping(Default::default()));
    }

    fn put(&mut self, message: Message) {
        self.waiting.push_back(message);
        self.late_at.get_or_insert_with(|| Instant::now() + self.patience);
    }

    /// Whether nothing waits.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.is_flushed
    }

    /// When the client will have taken nothing for too long, if something waits for it.
    pub const fn late_at(&self) -> Option<Instant> {
        self.late_at
    }

    /// Sends what waits and listens. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Heard {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// Sends what waits as far as that goes without waiting, and says whether all of it went.
    pub async fn send_now(&mut self) -> bool {
        // Whatever is in the way shows itself again to whoever listens.
        std::future::poll_fn(|cx| Poll::Ready(matches!(self.poll_send(cx), Poll::Ready(Ok(()))))).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if !self.is_idle() {
            match self.poll_send(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Heard::Flushed),
                Poll::Ready(Err(_)) => return Poll::Ready(Heard::Gone),
                Poll::Pending => {}
            }
        }
        if self.waiting.len() >= WAITING_MAX {
            return Poll::Pending;
        }
        Poll::Ready(match ready!(self.socket.poll_next_unpin(cx)) {
            Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => Heard::Binary,
            Some(Ok(_)) => Heard::Sign,
            Some(Err(error)) if is_too_large(&error) => {
                self.was_too_large = true;
                Heard::TooLarge
            }
            Some(Err(_)) | None => Heard::Gone,
        })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.waiting.is_empty() {
            ready!(self.socket.poll_ready_unpin(cx))?;
            if let Some(message) = self.waiting.pop_front() {
                self.is_flushed = false;
                self.socket.start_send_unpin(message)?;
                self.late_at = Some(Instant::now() + self.patience);
            }
        }
        ready!(self.socket.poll_flush_unpin(cx))?;
        self.is_flushed = true;
        self.late_at = None;
        // A burst leaves no buffer behind: most sockets are quiet for most of their life.
        self.waiting = VecDeque::new();
        Poll::Ready(Ok(()))
    }

    /// Says why, waits a little for the client to hear it, and lets go.
    pub async fn close(mut self, closing: Closing) {
        let reason = closing.reason.into();
        self.put(Message::Close(Some(CloseFrame { code: closing.code, reason })));
        let goodbye = async { while !matches!(self.next().await, Heard::Gone) {} };
        // A client that does not answer in time is left behind.
        let _ = timeout(GOODBYE, goodbye).await;
        if self.was_too_large {
            // The rest of its message is still under way. To let go now would reset the connection before the reason
            // has arrived.
            sleep(GOODBYE / 2).await;
        }
    }
}

fn is_too_large(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}
