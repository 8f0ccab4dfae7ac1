//! The figures of the house: looking, and hearing of changes.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::error::answer;
use super::live::{Live, LiveSignal, Notice, Source, signals};
use crate::features::admin::Board;
use crate::kernel::Result;
use crate::platform::streams::Signal;
use crate::schema::admin::AdminStats;
use crate::schema::auth::{Access, auth};

/// Queries of the house.
#[derive(Default)]
pub struct AdminQuery;

/// Looking at the house.
#[Object]
impl AdminQuery {
    /// The figures of the house, at most two seconds old.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn admin_stats(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminStats> {
        answer(read(ctx).await)
    }
}

/// Subscriptions of the house.
#[derive(Default)]
pub struct AdminSubscription;

/// Hearing of the house.
#[Subscription]
impl AdminSubscription {
    /// The figures of the house: first as they are, then as they change, at most every two seconds.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn admin_stats_changed(&self, ctx: &Context<'_>) -> async_graphql::Result<Live<AdminStats>> {
        signals(ctx, async || Ok(Source::Figures)).await
    }
}

impl LiveSignal for AdminStats {
    async fn of(ctx: &Context<'_>, _: &Signal, _: &Notice) -> Result<Option<Self>> {
        read(ctx).await.map(Some)
    }
}

async fn read(ctx: &Context<'_>) -> Result<AdminStats> {
    let board = ctx.data_unchecked::<Arc<Board>>();
    Ok(AdminStats::of(board.read(ctx.platform()).await?))
}

/// Figures that depend on who looks.
#[ComplexObject]
impl AdminStats {
    /// Alerts on the viewer's list.
    async fn alerts_open(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let viewer = answer(ctx.viewer())?;
        Ok(crate::schema::int(self.figures.alerts_for(viewer.roles)))
    }
}
