//! From the text of a request to its answer, the same on every way in.
//!
//! [`Server::prepare`] is everything that can be refused before anything runs: the pre-flight, the choice of the
//! operation, its variables, the access that its fields need. [`Server::run`] executes what was prepared.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, ServerError, Value, Variables};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::checked::Checked;
use super::documents::{self, Limits, Refusal, RefusalCode, Roots, Standing, hoist};
use super::state::Server;
use crate::kernel::{Caller, Error, Result, Role, Viewer};
use crate::loaders::Loaders;
use crate::platform::streams::{Cursor, StreamName};
use crate::resolvers::Api;
use crate::resolvers::ask::{Notes, StreamHeads};
use crate::resolvers::error::top_level;
use crate::schema::auth::Access;
use crate::schema::object::fill_in_defaults;

/// A GraphQL request as clients send it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The document.
    pub query: Option<String>,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Its variables: a JSON object.
    pub variables: Option<Box<RawValue>>,
    /// Extensions of the protocol: a JSON object.
    pub extensions: Option<Box<RawValue>>,
}

/// A request that may run.
pub struct Prepared {
    /// Its document.
    pub checked: Arc<Checked>,
    /// The variables.
    pub variables: Variables,
    /// What it costs.
    pub cost: u64,
}

/// A request that may not run, and why.
pub struct Declined {
    /// The errors, with their codes.
    pub errors: Vec<ServerError>,
    /// Whether the request itself was wrong (400) rather than forbidden to this viewer.
    pub is_malformed: bool,
}

impl Declined {
    /// The request is wrong in itself.
    pub(super) fn malformed(code: &str, message: impl Into<String>) -> Self {
        let error = async_graphql::Error::new(message);
        Declined { errors: vec![coded(error.into_server_error(Default::default()), code)], is_malformed: true }
    }

    /// The answer that tells it.
    pub fn response(self) -> Response {
        Response::from_errors(self.errors)
    }
}

fn coded(mut error: ServerError, code: &str) -> ServerError {
    let values = error.extensions.get_or_insert_default();
    values.set("code", code);
    values.set("retryable", false);
    error.locations.retain(|place| place.line > 0);
    error
}

impl From<Error> for Declined {
    fn from(error: Error) -> Self {
        let mut error = top_level(error).into_server_error(Default::default());
        error.locations.clear();
        Declined { errors: vec![error], is_malformed: false }
    }
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::Syntax => "GRAPHQL_PARSE_FAILED",
            RefusalCode::TooLarge => "COMPLEXITY_LIMIT_EXCEEDED",
            RefusalCode::Operation => "OPERATION_RESOLUTION_FAILURE",
            RefusalCode::Invalid => "GRAPHQL_VALIDATION_FAILED",
            RefusalCode::Input => "BAD_USER_INPUT",
        };
        let mut declined = Declined::malformed(code, refusal.message);
        if let (Some((line, column)), Some(error)) = (refusal.location, declined.errors.first_mut()) {
            error.locations = vec![async_graphql::Pos { line, column }];
        }
        declined
    }
}

fn standing(viewer: Option<Viewer>) -> Standing {
    let has = |role| viewer.is_some_and(|viewer| viewer.roles.has(role));
    Standing {
        signed_in: viewer.is_some(),
        customer: has(Role::Customer),
        contractor: has(Role::Contractor),
        moderator: has(Role::Moderator),
        admin: has(Role::Admin),
    }
}

impl Server {
    /// Everything that is judged before anything runs.
    pub fn prepare(&self, viewer: Option<Viewer>, asked: Asked) -> Result<Prepared, Declined> {
        let limits = if viewer.is_some() { Limits::signed_in() } else { Limits::signed_out() };
        let text = asked.query.filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| Declined::malformed("BAD_REQUEST", "The request has no `query`."))?;
        let checked = self.checked(&text, asked.operation_name, &limits)?;
        let (mut variables, bytes) = variables(asked.variables.as_deref())?;
        documents::check_variables(checked.places, bytes)?;
        let operation = checked.operation()?;
        self.inputs.check(operation, &variables)?;
        if let Some((access, path)) = checked.needs().refused(standing(viewer)) {
            return Err(forbidden(viewer, access, path));
        }
        fill_in_defaults(operation, &mut variables);
        let cost = self.cost(&checked, &variables)?;
        Ok(Prepared { checked, variables, cost })
    }

    /// Runs a query or a mutation, unless the caller has sent too many.
    pub async fn run(&self, caller: &Caller, prepared: Prepared) -> Response {
        self.run_with(caller, prepared, |request| request).await
    }

    /// Runs a query or a mutation with more for its resolvers to find than every way in has.
    pub async fn run_with(
        &self,
        caller: &Caller,
        prepared: Prepared,
        equip: impl FnOnce(Request) -> Request,
    ) -> Response {
        let mut response = match self.throttle(caller, &prepared).await {
            Ok(()) => self.execute(caller, prepared, equip).await,
            Err(error) => Declined::from(error).response(),
        };
        stamp(&mut response, &caller.request_id);
        response
    }

    async fn execute(&self, caller: &Caller, prepared: Prepared, equip: impl FnOnce(Request) -> Request) -> Response {
        let notes = Arc::new(Notes::default());
        let (cost, checked) = (prepared.cost, prepared.checked.clone());
        let operation = match checked.operation() {
            Ok(operation) => operation,
            Err(refusal) => return Declined::from(refusal).response(),
        };
        let roots = Roots::of(&checked.document, operation, &prepared.variables);
        let (document, api) = match self.runnable(caller, &prepared, &roots).await {
            Ok(runnable) => runnable,
            Err(refused) => return refused,
        };
        let name = checked.operation_name.clone();
        let mut request = self.request(caller, document, name, prepared.variables);
        request = equip(request.data(notes.clone()));
        if checked.wants_cursor
            && let Some(viewer) = caller.viewer
        {
            match self.heads(viewer).await {
                Ok(heads) => request = request.data(heads),
                Err(error) => return Declined::from(error).response(),
            }
        }
        let mut response = api.execute(request).await;
        complete(&mut response);
        if response.errors.is_empty() {
            checked.has_passed();
            if response.data == Value::Null {
                // The engine's word for a root of which everything is left out.
                response.data = Value::Object(Default::default());
            }
        } else {
            self.raise_nulls(&checked.document, checked.operation_name.as_deref(), &mut response);
        }
        roots.restore(&mut response.data);
        response = response.extension("cost", cost_extension(cost));
        if notes.was_replayed() {
            response = response.extension("replayed", Value::from(true));
        }
        response
    }

    /// The document as it runs, and the schema that runs it. One whose root selects a field twice is validated by a run of
    /// nothing; then it runs with each field once.
    async fn runnable(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        roots: &Roots<'_>,
    ) -> Result<(ExecutableDocument, &Api), Response> {
        let (checked, api) = (&prepared.checked, self.api(prepared));
        if !roots.has_doubles() {
            return Ok((checked.document.clone(), api));
        }
        let name = checked.operation_name.clone();
        let idle = self.request(caller, roots.idle(name.as_deref()), name.clone(), prepared.variables.clone());
        let mut judged = api.execute(idle).await;
        if judged.errors.is_empty() {
            return Ok((roots.merged(name.as_deref()), &self.twin));
        }
        complete(&mut judged);
        Err(judged.extension("cost", cost_extension(prepared.cost)))
    }

    /// Where fields failed that may not be null, lets the null rise to where it may stand.
    pub(super) fn raise_nulls(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        if let Ok(chosen) = hoist::choose(document, name) {
            self.index.raise_nulls(document, &chosen.operation.node, &mut response.data, &response.errors);
        }
    }

    /// A request with everything that resolvers look for.
    pub fn request(
        &self,
        caller: &Caller,
        document: ExecutableDocument,
        operation_name: Option<String>,
        variables: Variables,
    ) -> Request {
        let mut request = Request::new(String::new()).variables(variables).data(caller.clone());
        request.operation_name = operation_name;
        request.set_parsed_query(document);
        request.data(Arc::new(Loaders::new(self.readers.clone())))
    }

    /// Where the viewer's streams end now, read before the document runs.
    async fn heads(&self, viewer: Viewer) -> Result<StreamHeads> {
        let reader = self.platform.hub.reader();
        let places = reader.heads(&StreamName::heard_by(&viewer)).await?;
        Ok(StreamHeads(Cursor { epoch: reader.epoch(), places }))
    }
}

fn variables(sent: Option<&RawValue>) -> Result<(Variables, usize), Declined> {
    let Some(sent) = sent else { return Ok((Variables::default(), 0)) };
    let value: serde_json::Value =
        serde_json::from_str(sent.get()).map_err(|_| Declined::malformed("BAD_REQUEST", "`variables` is no JSON."))?;
    if !value.is_object() && !value.is_null() {
        return Err(Declined::malformed("BAD_REQUEST", "`variables` must be a JSON object."));
    }
    Ok((Variables::from_json(value), sent.get().len()))
}

fn forbidden(viewer: Option<Viewer>, access: Access, path: &[String]) -> Declined {
    let error = match viewer {
        None => Error::unauthenticated(),
        Some(_) => Error::forbidden(format!("This needs the right {}.", access.name())),
    };
    let mut declined = Declined::from(error);
    for error in &mut declined.errors {
        error.path = path.iter().cloned().map(async_graphql::PathSegment::Field).collect();
    }
    declined
}

/// Gives a code to the errors that the engine made itself.
pub fn complete(response: &mut Response) {
    for error in &mut response.errors {
        let has_code = error.extensions.as_ref().is_some_and(|values| values.get("code").is_some());
        if !has_code {
            // With a path it comes from an input that a resolver could not read; without, from validation, which also
            // judges the values of scalars and says so in these words.
            let is_input = !error.path.is_empty() || error.message.starts_with("Invalid value for argument");
            let code = if is_input { "BAD_USER_INPUT" } else { "GRAPHQL_VALIDATION_FAILED" };
            *error = coded(error.clone(), code);
        }
    }
}

/// Puts the id of the request into an answer and into each of its errors, where people look for it.
pub fn stamp(response: &mut Response, request_id: &str) {
    response.extensions.insert("requestId".to_owned(), Value::from(request_id));
    for error in &mut response.errors {
        error.extensions.get_or_insert_default().set("requestId", request_id);
    }
}

fn cost_extension(requested: u64) -> Value {
    let mut map = async_graphql::indexmap::IndexMap::new();
    map.insert(async_graphql::Name::new("requested"), Value::from(requested));
    Value::Object(map)
}
