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

/// The answer of a mutation: its payload, a payload that tells the refusal, or a top-level error.
pub fn settle<P: Payload>(outcome: Result<P, Error>) -> async_graphql::Result<Option<P>> {
    match outcome {
        Ok(payload) => Ok(Some(payload)),
        Err(error) => match P::Error::of(&error) {
            Some(refusal) => Ok(Some(P::refused(refusal))),
            None => Err(top_level(error)),
        },
    }
}

/// Like [`settle`], and a refusal for a conflict shows the objects as they are now: `current` adds them.
pub async fn settle_with<P: Payload>(
    outcome: Result<P, Error>,
    current: impl AsyncFnOnce(P) -> P,
) -> async_graphql::Result<Option<P>> {
    let is_conflict = matches!(&outcome, Err(error) if error.code == Code::Conflict);
    match settle(outcome)? {
        Some(refused) if is_conflict => Ok(Some(current(refused).await)),
        settled => Ok(settled),
    }
}

/// The answer of a query or a field.
pub fn answer<T>(outcome: Result<T, Error>) -> async_graphql::Result<T> {
    outcome.map_err(top_level)
}
