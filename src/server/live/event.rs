//! One item through its operation's document: the only place that knows how an event is executed.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use async_graphql::{Data, Response, ServerError, Value, Variables};
use futures_util::FutureExt;

use super::document::Hoisted;
use super::shared::{Answer, SharedKey};
use crate::kernel::{Caller, Code, Error, Result};
use crate::loaders::Loaders;
use crate::resolvers::error::top_level;
use crate::resolvers::live::{Item, Shape};
use crate::server::execute::complete;
use crate::server::state::Server;

/// How often a page is tried before its errors are shown: a database that is away comes back, a bug does not.
const ATTEMPTS: u8 = 3;

/// What the items of one page share.
pub(super) struct Page<'a> {
    pub(super) server: &'a Server,
    pub(super) caller: &'a Caller,
    pub(super) document: &'a Hoisted,
    pub(super) shape: Shape,
    /// As they were kept.
    pub(super) variables: Option<&'a str>,
    /// What is needed once something is shaped.
    pub(super) tools: OnceLock<Tools>,
    /// Whether the answers to events serve everybody who watches the same.
    pub(super) is_shared: bool,
    /// Attempts that failed.
    pub(super) failures: u8,
}

/// What the items of a page are shaped with.
pub(super) struct Tools {
    variables: Variables,
    /// One for the page, so that a hundred events load their objects in one statement.
    loaders: Arc<Loaders>,
}

impl Page<'_> {
    fn tools(&self) -> &Tools {
        self.tools.get_or_init(|| Tools {
            variables: variables(self.variables),
            loaders: Arc::new(Loaders::new(self.server.readers.clone())),
        })
    }

    /// The answer that shows an item, perhaps one that was made for somebody else.
    pub(super) async fn answer(&self, item: Item) -> Result<Answer> {
        match &item {
            Item::Event(event, _) if self.is_shared => {
                let key = SharedKey::new(self.document.key, self.variables, event);
                let nobody = Caller { viewer: None, base: None, ..self.caller.clone() };
                self.server.live.shared.answer(key, Box::pin(self.shape(nobody, item))).await
            }
            _ => self.shape(self.caller.clone(), item).await,
        }
    }

    async fn shape(&self, caller: Caller, item: Item) -> Result<Answer> {
        let Some(answer) = self.show(caller, &item).await else { return Ok(None) };
        let is_last = self.failures >= ATTEMPTS - 1;
        if answer.errors.iter().any(|error| is_away(error) || !is_last && may_pass(error)) {
            return Err(Error::internal("an event could not be shaped"));
        }
        serde_json::to_string(&answer).map(|text| Some(text.into())).map_err(Error::internal)
    }

    /// What the document shows of an item; nothing comes back if its field does not know this kind of item.
    async fn show(&self, caller: Caller, item: &Item) -> Option<Response> {
        let Tools { variables, loaders } = self.tools();
        let mut data = Data::default();
        data.insert(caller);
        data.insert(loaders.clone());
        let document = &self.document.document;
        let shown = self.server.engine.show(document, variables.clone(), data, (self.shape, item));
        let mut answer = match guarded(shown).await {
            Ok(answer) => answer?,
            Err(error) => Response::from_errors(vec![error]),
        };
        complete(&mut answer);
        if !answer.errors.is_empty() {
            self.server.raise_nulls(document, None, &mut answer);
        }
        Some(answer)
    }
}

/// They were read once when the operation was opened, so they are readable.
fn variables(json: Option<&str>) -> Variables {
    json.and_then(|json| serde_json::from_str(json).ok()).map(Variables::from_json).unwrap_or_default()
}

/// Whether an error has a reason that may pass by itself.
fn may_pass(error: &ServerError) -> bool {
    error.extensions.as_ref().and_then(|values| values.get("retryable")) == Some(&Value::from(true))
}

/// Whether an error says that a part is away, or that its connections broke: it comes back, so that the event waits for it
/// however long that takes.
fn is_away(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|values| values.get("code"));
    [Code::Unavailable, Code::Contended].iter().any(|away| code == Some(&Value::from(away.name())))
}

/// Runs what may hold a bug: a panic becomes a masked error, and whoever runs it lives on.
pub fn guarded<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, ServerError>> {
    AssertUnwindSafe(future).catch_unwind().map(|outcome| outcome.map_err(|cause| bug(&*cause)))
}

fn bug(cause: &(dyn Any + Send)) -> ServerError {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
    let mut error = top_level(Error::internal(format!("panic: {text}"))).into_server_error(Default::default());
    error.locations.clear();
    error
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
