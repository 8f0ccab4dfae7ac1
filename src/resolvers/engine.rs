//! The engine without its front door. What a subscription shows of an event needs no request, no validation and no stream:
//! its document was judged when it was opened, and there is one value to resolve.

use async_graphql::extensions::Extensions;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection};
use async_graphql::{
    Context, Data, IntrospectionMode, Positioned, QueryEnv, QueryEnvInner, QueryPathNode, QueryPathSegment, Request,
    Response, SchemaEnv, ServerError, Value, Variables, indexmap::IndexMap,
};
use futures_util::{FutureExt, StreamExt};

use super::Api;
use super::live::{Item, Probe, Shape};
use crate::kernel::{Error, Result};
use crate::schema::object::fill_in_defaults;

/// What the engine knows of a schema. It shows that to resolvers alone.
#[derive(Clone)]
pub struct Engine {
    schema: SchemaEnv,
    extensions: Extensions,
}

impl From<&Context<'_>> for Engine {
    fn from(ctx: &Context<'_>) -> Self {
        Engine { schema: ctx.schema_env.clone(), extensions: ctx.query_env.extensions.clone() }
    }
}

impl Engine {
    /// The engine of a schema. Nobody's probe finds it out, so that nothing of a request is kept.
    pub fn of(api: &Api) -> Result<Self> {
        let probe = Probe::default();
        let request = Request::new("subscription { announcementPublished { __typename } }").data(probe.clone());
        let refused = api.execute_stream(request).next().now_or_never().flatten();
        refused.map_or(Ok(()), |refusal| Err(Error::internal(format!("{:?}", refusal.errors))))?;
        probe.take().map(|(_, engine)| engine)
    }

    /// What the one field of a document shows of an item; nothing if it does not know this kind of item. `data` is what
    /// resolvers look for.
    pub async fn show(
        &self,
        document: &ExecutableDocument,
        variables: Variables,
        data: Data,
        (shape, item): (Shape, &Item),
    ) -> Option<Response> {
        let env = self.env(document, variables, data)?;
        let field = root(&env)?;
        let key = &field.node.response_key().node;
        let path = QueryPathNode { parent: None, segment: QueryPathSegment::Name(key) };
        let ctx = env.create_context(&self.schema, Some(path), field, None);
        let value = match shape(item, &ctx).await {
            Ok(value) => value?,
            Err(error) => {
                ctx.add_error(if error.path.is_empty() { ctx.set_error_path(error) } else { error });
                Value::Null
            }
        };
        let mut response = Response::new(Value::Object(IndexMap::from([(key.clone(), value)])));
        response.errors = errors(&env);
        Some(response)
    }

    fn env(&self, document: &ExecutableDocument, mut variables: Variables, data: Data) -> Option<QueryEnv> {
        let (_, operation) = document.operations.iter().next()?;
        fill_in_defaults(&operation.node, &mut variables);
        Some(QueryEnv::new(QueryEnvInner {
            extensions: self.extensions.clone(),
            variables,
            operation_name: None,
            operation: operation.clone(),
            fragments: document.fragments.clone(),
            uploads: Vec::new(),
            session_data: Default::default(),
            query_data: data.into(),
            http_headers: Default::default(),
            introspection_mode: IntrospectionMode::Enabled,
            errors: Default::default(),
        }))
    }
}

fn root(env: &QueryEnv) -> Option<&Positioned<Field>> {
    env.operation.node.selection_set.node.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) => Some(field),
        _ => None,
    })
}

fn errors(env: &QueryEnv) -> Vec<ServerError> {
    // Nothing panics while it holds the lock.
    std::mem::take(&mut *env.errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
