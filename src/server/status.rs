//! The one table from outcomes to HTTP statuses.
//!
//! Once a document has run, the answer is 200, whatever its fields say. Else the code of the first error decides, and for
//! some codes the media type too: clients of `application/json` cannot tell an answer of GraphQL from a page of a proxy,
//! so for them every well-formed request gets 200, as they expect it; and clients of event streams can read an error only
//! inside of one. What is about the transport rather than the document has its status for everyone.

use axum::http::StatusCode;

use super::feed::Framing;

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: statuses say what became of the request.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
    /// A response in pieces, which may go on; before it begins, statuses are those of `application/json`.
    Framed(Framing),
}

impl Media {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Media::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Media::Json => "application/json; charset=utf-8",
            Media::Framed(framing) => framing.content_type(),
        }
    }

    /// The type of an answer that does not come in pieces.
    pub const fn whole(self) -> Self {
        match self {
            Media::Framed(_) => Media::Json,
            whole => whole,
        }
    }
}

/// Codes that only the transport knows, beside those of the kernel and of GraphQL.
pub mod code {
    /// The request is not well-formed: no JSON, no `query`, values of the wrong kind.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// The method cannot do this.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// The client takes none of the media types.
    pub const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    /// The body is not JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// The body is too long.
    pub const PAYLOAD_TOO_LARGE: &str = "PAYLOAD_TOO_LARGE";
    /// Documents by hash are not offered: the client sends the whole document.
    pub const PERSISTED_QUERY_NOT_SUPPORTED: &str = "PERSISTED_QUERY_NOT_SUPPORTED";
    /// There is nothing at this address.
    pub const NOT_FOUND: &str = "NOT_FOUND";
}

/// The status of a request that did not run, by the code of its first error.
pub fn refused(name: &str, media: Media) -> StatusCode {
    let (strict, lenient) = match name {
        code::BAD_REQUEST => (400, 400),
        "GRAPHQL_PARSE_FAILED" | "GRAPHQL_VALIDATION_FAILED" | "BAD_USER_INPUT" => (400, 200),
        "OPERATION_RESOLUTION_FAILURE" | "COMPLEXITY_LIMIT_EXCEEDED" => (400, 200),
        code::PERSISTED_QUERY_NOT_SUPPORTED => (400, 200),
        "UNAUTHENTICATED" | "TOKEN_EXPIRED" => (401, 200),
        "FORBIDDEN" | "ACCOUNT_BLOCKED" => (403, 200),
        code::NOT_FOUND => (404, 404),
        code::METHOD_NOT_ALLOWED => (405, 405),
        code::NOT_ACCEPTABLE => (406, 406),
        code::PAYLOAD_TOO_LARGE => (413, 413),
        code::UNSUPPORTED_MEDIA_TYPE => (415, 415),
        "RATE_LIMITED" => (429, 429),
        "SERVICE_UNAVAILABLE" => (503, 503),
        "TIMEOUT" => (504, 504),
        _ => (500, 500),
    };
    let number = if media == Media::GraphqlResponse { strict } else { lenient };
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
