//! What resolvers of connections have in common.

use std::future::Future;
use std::sync::Arc;

use async_graphql::Context;

use super::ask::Ask;
use super::error::answer;
use crate::kernel::Result;
use crate::loaders::{Counted, Loaders};
use crate::platform::Platform;
use crate::schema::connection::Total;

/// Whether a field of the entries is selected from the page that is being resolved. What it needs can be read for all of them
/// before each asks and waits.
pub fn entries_want(ctx: &Context<'_>, field: &str) -> bool {
    let page = ctx.look_ahead();
    page.field("edges").field("node").field(field).exists() || page.field("nodes").field(field).exists()
}

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

/// A total that stands below many objects of a list: a loader counts for all of them in one read.
pub fn counted<K, F>(ctx: &Context<'_>, count: impl Fn(Arc<Loaders>) -> F + Send + Sync + 'static) -> Total
where
    F: Future<Output = Result<Option<Arc<Counted<K>>>>> + Send + 'static,
{
    let loaders = ctx.data_unchecked::<Arc<Loaders>>().clone();
    Total::lazy(move || {
        let counted = count(loaders.clone());
        async move { answer(counted.await.map(|found| found.map_or(0, |found| found.n))) }
    })
}
