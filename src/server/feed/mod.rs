//! Feeds: subscriptions over plain HTTP, as a response in pieces that goes on.
//!
//! - `frames`: the two ways to write the pieces, which queries and mutations may ask for as well; pure;
//! - `body`: the loop of one feed.
//!
//! A feed is a live operation of its own ([`super::live`]), with the same gates, seat, rights and pace as those of a socket. It
//! runs only when its connection has room for more, so that a client who reads nothing holds a page and no more; one who
//! takes nothing for too long is let go by the connection itself ([`super::listen`]), and one who hangs up takes the feed
//! along at once.
//!
//! To add a way of writing: a member of [`Framing`] and its media type in `negotiate.rs`.

mod body;
mod frames;

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use self::body::Feed;
pub use self::frames::Framing;
use super::cors::Origins;
use super::execute::{Declined, Prepared};
use super::live::{Recipe, Resume};
use super::state::Server;
use crate::features::accounts::sessions::Pass;
use crate::kernel::{Caller, Code, Error};
use crate::platform::streams::Bell;

/// What stands between the parts of a response.
const BOUNDARY: &str = "graphql";
/// Where a browser says how far it had come when its stream broke.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies to hand the pieces on as they come.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// No cursor has more bytes.
const CURSOR_MAX: usize = 1_024;
/// Whoever has all connections open that there are for them may ask again after this.
const CROWDED_MS: u64 = 5_000;

/// Who asks for a feed.
pub struct Subscriber {
    /// Who, and what the request is called.
    pub caller: Caller,
    /// The token, if there is one.
    pub pass: Option<Pass>,
    /// What the client reads.
    pub framing: Framing,
    /// Whether it is a browser's own client, which understands more of event streams than libraries do.
    pub is_browser: bool,
}

impl Server {
    /// Begins a feed, or says why not.
    pub async fn feed(
        &self,
        subscriber: Subscriber,
        headers: &HeaderMap,
        recipe: Recipe,
        prepared: Prepared,
    ) -> Result<Response, Vec<ServerError>> {
        let refused = |error: Error| Declined::from(error).errors;
        if self.draining.is_cancelled() {
            return Err(refused(leaving()));
        }
        if !Origins::new(&self.platform.config).allow(headers) {
            return Err(refused(Error::forbidden("Pages of this origin may not call.")));
        }
        let seat = self.seat(&subscriber.caller).ok_or_else(|| {
            let message = "Too many connections are open; close one first.";
            refused(Error::new(Code::RateLimited, message).retry_after(CROWDED_MS))
        })?;
        let bell = Bell::default();
        let resume = headers.get(LAST_EVENT_ID).map(|id| Resume::Rather(cursor(id)));
        let operation = self.open(&subscriber.caller, recipe, prepared, resume, &bell).await?;
        let content_type = HeaderValue::from_static(subscriber.framing.content_type());
        let feed = Feed::new(self.clone(), subscriber, operation, bell, seat);
        let mut response = Body::from_stream(feed.chunks()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
        Ok(response)
    }
}

/// What cannot be a cursor is handed on as something that is none, so that the client is told.
fn cursor(id: &HeaderValue) -> &str {
    id.to_str().ok().filter(|id| id.len() <= CURSOR_MAX).unwrap_or("?")
}

/// The server stops; another one is there.
fn leaving() -> Error {
    Error::new(Code::Unavailable, "The server is about to stop; come back in a moment.")
}
