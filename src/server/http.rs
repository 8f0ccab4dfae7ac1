//! GraphQL over HTTP: `/graphql`.
//!
//! A request is read into [`Asked`], prepared, run, and its answer written in the media type that the client takes; a
//! subscription becomes a feed ([`super::feed`]) if the client takes a response in pieces. What may go wrong on the way is
//! a [`Declined`] with a code; `status.rs` knows the status of each code.

use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as Answer, ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::{Instrument, Span, field};

use super::documents::check_json_depth;
use super::execute::{Asked, Declined, stamp};
use super::feed::Subscriber;
use super::live::Recipe;
use super::negotiate::{Wanted, is_json, wanted, wanted_framing};
use super::playground;
use super::state::Server;
use super::status::{self, Media, code};
use crate::kernel::{Caller, Code, Error};

/// Bytes of a body at most.
pub const BODY_MAX: usize = 1024 * 1024;
/// A request, from its body to its answer, takes no longer.
const TIME_MAX: Duration = Duration::from_secs(30);
/// What may be done to `/graphql`.
const METHODS: &str = "GET, POST";

/// A GET or POST of a document. A browser gets the playground.
pub async fn graphql(State(server): State<Server>, Extension(caller): Extension<Caller>, request: Request) -> Response {
    let wanted = wanted(request.headers());
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_get && wanted == Wanted::Page && parameter(request.uri(), "query").is_none() {
        return playground::page(server.platform.config.is_development());
    }
    let span = tracing::info_span!("request", id = &*caller.request_id, operation = field::Empty, user = field::Empty);
    let begun = Instant::now();
    let media = wanted.media();
    let request_id = caller.request_id.clone();
    let answered = async {
        let outcome = match media {
            None => Err(Declined::malformed(code::NOT_ACCEPTABLE, "Accept application/graphql-response+json.")),
            Some(_) => {
                let served = tokio::time::timeout(TIME_MAX, serve(&server, caller, request)).await;
                served.unwrap_or_else(|_| Err(timed_out().into()))
            }
        };
        let response = match outcome {
            Ok(Served::Feed(response)) => response,
            Ok(Served::Answer(answer)) => write(Ok(*answer), media.unwrap_or(Media::Json), &request_id),
            Err(declined) => write(Err(declined), media.unwrap_or(Media::Json), &request_id),
        };
        tracing::debug!(status = response.status().as_u16(), ms = begun.elapsed().as_millis(), "answered");
        response
    };
    let response = answered.instrument(span).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!("gigwire_request_seconds", "status" => status).record(begun.elapsed().as_secs_f64());
    response
}

fn timed_out() -> Error {
    Error::new(
        Code::Timeout,
        "This took too long to wait for. A mutation may still be done: look, or repeat it with the same key.",
    )
}

/// What came of a request.
enum Served {
    /// It ran.
    Answer(Box<Answer>),
    /// It goes on.
    Feed(Response),
}

/// Reads, prepares and runs one request.
async fn serve(server: &Server, caller: Caller, request: Request) -> Result<Served, Declined> {
    let method = request.method().clone();
    let headers = request.headers().clone();
    let asked = match method {
        Method::GET | Method::HEAD => read_uri(request.uri())?,
        Method::POST => read_body(request).await?,
        _ => return Err(Declined::malformed(code::METHOD_NOT_ALLOWED, "Send a POST, or a GET for a query.")),
    };
    let (caller, pass) = server.identify(caller, &headers).await?;
    if let Some(viewer) = caller.viewer {
        Span::current().record("user", field::display(viewer.user));
    }
    if asked.query.as_deref().is_none_or(|query| query.trim().is_empty()) {
        return Err(no_query(&asked));
    }
    let framing = wanted_framing(&headers).filter(|_| method != Method::HEAD);
    let recipe = framing.map(|framing| (framing, Recipe::of(&asked)));
    let prepared = server.prepare(caller.viewer, asked)?;
    if let Some(name) = &prepared.checked.operation_name {
        Span::current().record("operation", name);
    }
    match (prepared.checked.kind, recipe) {
        (OperationType::Mutation, _) if method != Method::POST => {
            Err(Declined::malformed(code::METHOD_NOT_ALLOWED, "Send a mutation with POST."))
        }
        (OperationType::Query | OperationType::Mutation, _) => {
            Ok(Served::Answer(Box::new(server.run(&caller, prepared).await)))
        }
        (OperationType::Subscription, Some((framing, recipe))) => {
            let request_id = caller.request_id.clone();
            let subscriber = Subscriber { caller, pass, framing, is_browser: method == Method::GET };
            Ok(match server.feed(subscriber, &headers, recipe, prepared).await {
                Ok(response) => Served::Feed(response),
                Err(errors) => {
                    let mut answer = Answer::from_errors(errors);
                    stamp(&mut answer, &request_id);
                    Served::Answer(Box::new(answer))
                }
            })
        }
        (OperationType::Subscription, None) => {
            let name = if method == Method::POST { code::BAD_REQUEST } else { code::METHOD_NOT_ALLOWED };
            let message = "A subscription needs a WebSocket at /graphql/ws, or `Accept: text/event-stream`.";
            Err(Declined::malformed(name, message))
        }
    }
}

/// Clients that try a hash first send the whole document after this.
fn no_query(asked: &Asked) -> Declined {
    let has_hash = asked.extensions.as_deref().is_some_and(|sent| sent.get().contains("\"persistedQuery\""));
    if has_hash {
        return Declined::malformed(code::PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported");
    }
    Declined::malformed(code::BAD_REQUEST, "The request has no `query`.")
}

fn bad(message: impl Into<String>) -> Declined {
    Declined::malformed(code::BAD_REQUEST, message)
}

/// A parameter of the address.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn read_uri(uri: &Uri) -> Result<Asked, Declined> {
    let json = |name: &str| {
        let Some(text) = parameter(uri, name).filter(|text| !text.is_empty()) else { return Ok(None) };
        check_json_depth(text.as_bytes())?;
        RawValue::from_string(text).map(Some).map_err(|_| bad(format!("`{name}` is no JSON.")))
    };
    let asked = Asked {
        query: parameter(uri, "query"),
        operation_name: parameter(uri, "operationName").filter(|name| !name.is_empty()),
        variables: json("variables")?,
        extensions: json("extensions")?,
    };
    well_formed(asked)
}

/// Only JSON is read: no form of another page can send that without asking first.
async fn read_body(request: Request) -> Result<Asked, Declined> {
    if !is_json(request.headers()) {
        let message = "Send the body as application/json in UTF-8.";
        return Err(Declined::malformed(code::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Declined::malformed(code::PAYLOAD_TOO_LARGE, format!("A body has at most {BODY_MAX} bytes."))
        }
        _ => bad("The body could not be read to its end."),
    })?;
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(bad("Batches are not supported: send each operation in a request of its own."));
    }
    check_json_depth(&body)?;
    let asked = serde_json::from_slice(&body).map_err(|error| bad(format!("The body is no request: {error}.")))?;
    well_formed(asked)
}

fn well_formed(asked: Asked) -> Result<Asked, Declined> {
    for (name, value) in [("variables", &asked.variables), ("extensions", &asked.extensions)] {
        let is_object = |json: &RawValue| json.get().starts_with('{') || json.get() == "null";
        if value.as_deref().is_some_and(|json| !is_object(json)) {
            return Err(bad(format!("`{name}` must be a JSON object.")));
        }
    }
    Ok(asked)
}

/// What goes over the wire for a request that did not run: it has no `data`.
#[derive(Serialize)]
struct Body<'a> {
    errors: &'a [ServerError],
    extensions: &'a std::collections::BTreeMap<String, Value>,
}

/// The answer in its media type, with the status of its outcome.
fn write(outcome: Result<Answer, Declined>, media: Media, request_id: &str) -> Response {
    let (answer, ran) = match outcome {
        // The engine validates too: what it refused has no data, and errors that point at no field.
        Ok(answer) => {
            let refused = |error: &ServerError| error.path.is_empty();
            let ran = answer.data != Value::Null || !answer.errors.iter().any(refused);
            (answer, ran)
        }
        Err(declined) => {
            let mut answer = declined.response();
            stamp(&mut answer, request_id);
            (answer, false)
        }
    };
    let name = first_value(&answer, "code").and_then(text).unwrap_or_default();
    let status = if ran { StatusCode::OK } else { status::refused(&name, media) };
    let media = if status == StatusCode::OK { media } else { media.whole() };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    mark(&mut headers, status, &answer);
    let mut response = match media {
        Media::Framed(framing) => json(&answer, ran).map(|json| framing.whole(&json)).into_response(),
        _ if ran => GraphQLResponse::from(answer).into_response(),
        _ => json(&answer, false).into_response(),
    };
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

fn json(answer: &Answer, ran: bool) -> Result<String, StatusCode> {
    let body = Body { errors: &answer.errors, extensions: &answer.extensions };
    let json = if ran { serde_json::to_string(answer) } else { serde_json::to_string(&body) };
    json.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Headers that say what to do next.
fn mark(headers: &mut HeaderMap, status: StatusCode, answer: &Answer) {
    headers.append(header::VARY, HeaderValue::from_static("accept"));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    let wait = first_value(answer, "retryAfterMs").and_then(|value| value.into_json().ok()).and_then(|ms| ms.as_u64());
    if let (true, Some(ms)) = (status.as_u16() >= 400, wait) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
}

fn first_value(answer: &Answer, key: &str) -> Option<Value> {
    answer.errors.first()?.extensions.as_ref()?.get(key).cloned()
}

fn text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

/// An answer of the edge itself, in the form of all others.
pub fn refuse(declined: Declined, headers: &HeaderMap, request_id: &str) -> Response {
    write(Err(declined), wanted(headers).media().unwrap_or(Media::Json), request_id)
}
