//! One item through its operation's document: the only place that knows how an event is executed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::{Request, Response, ServerError, Variables};
use futures_util::{FutureExt, StreamExt};

use super::document::Hoisted;
use crate::kernel::{Caller, Error};
use crate::loaders::Loaders;
use crate::resolvers::error::top_level;
use crate::resolvers::live::{Item, Mode};
use crate::server::execute::complete;
use crate::server::state::Server;

/// What the items of one page share.
pub(super) struct Page<'a> {
    pub(super) server: &'a Server,
    pub(super) caller: &'a Caller,
    pub(super) document: &'a Hoisted,
    pub(super) variables: Variables,
    /// One for the page, so that a hundred events load their objects in one statement.
    pub(super) loaders: Arc<Loaders>,
}

/// The answer that shows an item; `None` if the document's field does not know this kind of item.
pub(super) async fn execute_event(page: &Page<'_>, item: Item) -> Option<Response> {
    let mut request = Request::new(String::new())
        .variables(page.variables.clone())
        .data(page.caller.clone())
        .data(page.loaders.clone())
        .data(Mode::Deliver(Arc::new(item)));
    request.set_parsed_query(page.document.0.clone());
    let mut answers = page.server.twin.execute_stream(request);
    let mut answer = match guarded(answers.next()).await {
        Ok(answer) => answer?,
        Err(error) => Response::from_errors(vec![error]),
    };
    complete(&mut answer);
    Some(answer)
}

/// Runs what may hold a bug: a panic becomes a masked error, and whoever runs it lives on.
pub async fn guarded<T>(future: impl Future<Output = T>) -> Result<T, ServerError> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|cause| {
        let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
        let mut error = top_level(Error::internal(format!("panic: {text}"))).into_server_error(Default::default());
        error.locations.clear();
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_masked_error() {
        let error = guarded(async { panic!("the secret cause") }).await.map(|(): ()| ()).unwrap_err();
        assert!(!error.message.contains("secret"), "{}", error.message);
        let code = error.extensions.as_ref().and_then(|values| values.get("code"));
        assert_eq!(code, Some(&async_graphql::Value::from("INTERNAL_SERVER_ERROR")));
        assert_eq!(guarded(async { 1 }).await.unwrap(), 1);
    }
}
