//! `/files/..`: where clients put files and get them, as long as files are in a folder of this machine.
//!
//! Whoever has a signed address may use it, and nobody is asked for a token: pages show pictures without one. Public
//! files of another store are found here as well, by a redirect, so that their addresses stay.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::caller::REQUEST_ID;
use super::state::Server;
use crate::kernel::{Error, Result};
use crate::platform::files::{Folder, IMMUTABLE, Key, LINK_MS, Link, Received, Ticket, disposition};

/// Nothing in a file may run or load anything, whatever opens it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
/// Bytes that are read from the disk at once.
const CHUNK: usize = 64 * 1024;

/// A file must be there within this time, however slowly it comes.
const PUT_MAX: Duration = Duration::from_secs(600);

/// A refusal of this address.
struct Refused(StatusCode, &'static str, &'static str);

const NOT_FOUND: Refused = Refused(StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such file.");
const FORBIDDEN: Refused = Refused(StatusCode::FORBIDDEN, "FORBIDDEN", "This address has ended or was not made here.");
const WRONG_TYPE: Refused =
    Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "Send the content-type that was announced.");
const TOO_MANY: Refused =
    Refused(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "There are more bytes than were announced.");
const TOO_FEW: Refused = Refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", "There are fewer bytes than were announced.");
const TOO_SLOW: Refused = Refused(StatusCode::REQUEST_TIMEOUT, "TIMEOUT", "The file took too long; put it again.");
const BROKEN: Refused =
    Refused(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Something went wrong here; try again.");

/// PUT: takes the bytes of an upload.
pub async fn put(
    State(server): State<Server>,
    Path(key): Path<String>,
    ticket: Result<Query<Ticket>, QueryRejection>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let Query(ticket) = ticket.unwrap_or_default();
    match receive(&server, &key, &ticket, request).await {
        Ok(None) => StatusCode::OK.into_response(),
        Ok(Some(refused)) => refused.answer(&headers),
        Err(error) => broken(&error).answer(&headers),
    }
}

async fn receive(server: &Server, key: &str, ticket: &Ticket, request: Request) -> Result<Option<Refused>> {
    let (Some(folder), Some(key)) = (&server.platform.folder, Key::parse(key)) else { return Ok(Some(NOT_FOUND)) };
    if !folder.permits("PUT", &key, ticket, server.platform.clock.now()) {
        return Ok(Some(FORBIDDEN));
    }
    let (head, body) = request.into_parts();
    let said = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    if said(header::CONTENT_TYPE) != Some(ticket.mime.as_str()) {
        return Ok(Some(WRONG_TYPE));
    }
    // What is too long by its own account is not read at all; what says nothing is counted while it arrives.
    match said(header::CONTENT_LENGTH).map(|length| length.parse::<u64>().unwrap_or(u64::MAX)) {
        Some(length) if length > ticket.size => return Ok(Some(TOO_MANY)),
        Some(length) if length < ticket.size => return Ok(Some(TOO_FEW)),
        _ => {}
    }
    let receiving = folder.receive(&key, ticket.size, body.into_data_stream());
    // What comes drop by drop is given up; what came of it is tidied away.
    let Ok(received) = tokio::time::timeout(PUT_MAX, receiving).await else { return Ok(Some(TOO_SLOW)) };
    Ok(match received? {
        Received::Stored => None,
        Received::TooMany => Some(TOO_MANY),
        Received::TooFew => Some(TOO_FEW),
    })
}

/// GET and HEAD: gives a public file to everyone, another one to whoever has its signed address.
pub async fn get(
    State(server): State<Server>,
    Path(key): Path<String>,
    ticket: Result<Query<Ticket>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Query(ticket) = ticket.unwrap_or_default();
    let Some(key) = Key::parse(&key) else { return NOT_FOUND.answer(&headers) };
    let found = match &server.platform.folder {
        Some(folder) => serve(&server, folder, &key, &ticket, method == Method::HEAD).await,
        None if key.is_public() => elsewhere(&server, &key).await.map(Ok),
        None => Ok(Err(NOT_FOUND)),
    };
    match found {
        Ok(Ok(response)) => response,
        Ok(Err(refused)) => refused.answer(&headers),
        Err(error) => broken(&error).answer(&headers),
    }
}

async fn serve(
    server: &Server,
    folder: &Folder,
    key: &Key,
    ticket: &Ticket,
    is_head: bool,
) -> Result<Result<Response, Refused>> {
    if !key.is_public() && !folder.permits("GET", key, ticket, server.platform.clock.now()) {
        return Ok(Err(FORBIDDEN));
    }
    // What is not checked yet has no type, and is given to nobody.
    let Some(media) = key.media() else { return Ok(Err(NOT_FOUND)) };
    let Some((file, size)) = folder.open(key).await? else { return Ok(Err(NOT_FOUND)) };
    let body = if is_head { Body::empty() } else { Body::from_stream(chunks(file)) };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let cache = if key.is_public() { IMMUTABLE } else { "private, no-store" };
    let shown = HeaderValue::from_str(&disposition(media, ticket.name.as_deref())).map_err(Error::internal)?;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.mime()));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_DISPOSITION, shown);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(CROSS_ORIGIN, HeaderValue::from_static("cross-origin"));
    Ok(Ok(response))
}

/// Pages of any origin may show what they have an address of.
const CROSS_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The way to a public file that another store keeps.
async fn elsewhere(server: &Server, key: &Key) -> Result<Response> {
    let link = Link { name: None, until: server.platform.clock.now().plus(LINK_MS) };
    let url = server.platform.files.sign_get(key, &link).await?;
    let target = HeaderValue::from_str(&url).map_err(Error::internal)?;
    let headers = [(header::LOCATION, target), (CROSS_ORIGIN, HeaderValue::from_static("cross-origin"))];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// A file bit by bit, so that a large one does not fill the memory.
fn chunks(file: File) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    })
}

fn broken(error: &Error) -> Refused {
    tracing::error!(%error, "a file could not be served");
    BROKEN
}

impl Refused {
    /// In the form of the API's errors, with the status of what happened.
    fn answer(self, headers: &HeaderMap) -> Response {
        let Refused(status, code, message) = self;
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let extensions = json!({ "code": code, "requestId": id, "retryable": status.is_server_error() });
        (status, Json(json!({ "errors": [{ "message": message, "extensions": extensions }] }))).into_response()
    }
}
