//! The only way from the kernel's errors to GraphQL's.
//!
//! A refusal of the domain goes into the payload's `userErrors`; who asks, how often, and bugs go to the top level with
//! `code`, `retryable` and, where it helps, `retryAfterMs`. The cause of a bug is logged and never shown.

use async_graphql::{ErrorExtensionValues, ErrorExtensions};

use crate::kernel::{Code, Error};
use crate::schema::error::{DomainError, Payload};

/// What clients read instead of the cause of a bug.
const MASKED: &str = "Something went wrong here; the request id helps to find it in the log.";

/// A top-level error.
pub fn top_level(error: Error) -> async_graphql::Error {
    let message = if error.code == Code::Internal {
        tracing::error!(cause = %error.message, "internal error");
        MASKED.to_owned()
    } else {
        error.message.clone()
    };
    async_graphql::Error::new(message).extend_with(|_, values| extensions(&error, values))
}

/// The machine-readable part of an error.
pub fn extensions(error: &Error, values: &mut ErrorExtensionValues) {
    values.set("code", error.code.name());
    values.set("retryable", error.code.retryable());
    if let Some(ms) = error.retry_after_ms {
        values.set("retryAfterMs", ms);
    }
}

/// What a nullable field gives: nothing, something, or an error beside a null. The engine takes an error outside of the
/// `Option` for the whole object's.
pub type Nullable<T> = Option<async_graphql::Result<T>>;

/// The answer of a mutation: its payload, a payload that tells the refusal, or a top-level error.
pub fn settle<P: Payload>(outcome: Result<P, Error>) -> Nullable<P> {
    match outcome {
        Ok(payload) => Some(Ok(payload)),
        Err(error) => match P::Error::of(&error) {
            Some(refusal) => Some(Ok(P::refused(refusal))),
            None => Some(Err(top_level(error))),
        },
    }
}

/// Like [`settle`], and a refusal for a conflict shows the objects as they are now: `current` adds them.
pub async fn settle_with<P: Payload>(outcome: Result<P, Error>, current: impl AsyncFnOnce(P) -> P) -> Nullable<P> {
    let is_conflict = matches!(&outcome, Err(error) if error.code == Code::Conflict);
    match settle(outcome) {
        Some(Ok(refused)) if is_conflict => Some(Ok(current(refused).await)),
        settled => settled,
    }
}

/// The answer of a nullable query or field.
pub fn nullable<T>(outcome: Result<Option<T>, Error>) -> Nullable<T> {
    answer(outcome).transpose()
}

/// The answer of a query or a field.
pub fn answer<T>(outcome: Result<T, Error>) -> async_graphql::Result<T> {
    outcome.map_err(top_level)
}
