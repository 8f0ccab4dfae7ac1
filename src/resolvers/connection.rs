//! What resolvers of connections have in common.

use std::future::Future;
use std::sync::Arc;

use async_graphql::Context;

use super::ask::Ask;
use super::error::answer;
use crate::kernel::Result;
use crate::platform::Platform;
use crate::schema::connection::Total;

/// A connection's total that `count` finds out when a client selects it.
pub fn total<F>(ctx: &Context<'_>, count: impl Fn(Arc<Platform>) -> F + Send + Sync + 'static) -> Total
where
    F: Future<Output = Result<i64>> + Send + 'static,
{
    let platform = ctx.platform().clone();
    Total::lazy(move || {
        let counted = count(platform.clone());
        async move { answer(counted.await) }
    })
}
