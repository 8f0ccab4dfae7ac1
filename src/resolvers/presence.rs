//! Presence: seeing who is online, and hearing who comes and leaves.

use async_graphql::{ComplexObject, Context, ID, Object, Subscription};
use futures_util::future::try_join_all;

use super::ask::Ask;
use super::connection::total;
use super::error::{answer, nullable};
use super::live::{Live, LiveSignal, Notice, Source, signals};
use crate::features::accounts;
use crate::features::presence::queries;
use crate::kernel::id::{TypedId, UserId, parse};
use crate::kernel::page::{Cursor, Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::streams::Signal;
use crate::resolvers::error::Nullable;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::presence::*;
use crate::schema::scalars::DateTime;

/// Queries of presence.
#[derive(Default)]
pub struct PresenceQuery;

/// Who is there.
#[Object]
impl PresenceQuery {
    /// The users who are online, on all instances.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn online_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<UserConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), last, before.as_deref()))?;
        answer(online(ctx, &page).await)
    }
}

/// Subscriptions of presence.
#[derive(Default)]
pub struct PresenceSubscription;

/// Hearing who comes and leaves.
#[Subscription]
impl PresenceSubscription {
    /// Whether users are online: first how it stands with each, then what changes. At most 100; nothing is told of those
    /// that the viewer may not see.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn presence_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users.")] user_ids: Vec<ID>,
    ) -> async_graphql::Result<Live<PresenceSignal>> {
        let watched = async || {
            let users = user_ids.iter().map(|id| parse(id)).collect::<Result<Vec<UserId>>>()?;
            Ok(Source::Presence(queries::watchable(ctx.platform(), ctx.caller(), users).await?))
        };
        signals(ctx, watched).await
    }
}

/// The signal as the viewer may see it. Whoever hides says so once, and then nothing.
impl LiveSignal for PresenceSignal {
    async fn of(ctx: &Context<'_>, signal: &Signal, notice: &Notice) -> Result<Option<Self>> {
        let (user_id, viewer) = (UserId::of(signal.sender), ctx.viewer()?);
        let Some(row) = ctx.loaders().user(user_id).await? else { return Ok(None) };
        let is_shown = row.shows_presence_to(&viewer);
        let presence = is_shown.then_some(Presence { is_online: signal.state, user_id });
        let (id, cursor, occurred_at) = notice.parts();
        let told = PresenceSignal { id, cursor, occurred_at, user: row.into(), presence };
        Ok((is_shown || signal.is_renewed).then_some(told))
    }
}

async fn online(ctx: &Context<'_>, page: &Page) -> Result<UserConnection> {
    let Slice { items, has_next, has_previous } = queries::online(ctx.platform(), ctx.caller(), page).await?;
    let rows = try_join_all(items.into_iter().map(|user| ctx.loaders().user(user))).await?;
    let slice = Slice { items: rows.into_iter().flatten().collect(), has_next, has_previous };
    let total = total(ctx, async |platform| Ok(queries::count(&platform).await));
    let cursor = |user: &std::sync::Arc<accounts::User>| Cursor { key: 0, id: user.id.uuid() };
    Ok(UserConnection::of(slice, total, cursor, User::from))
}

/// How it stands with a user, for a viewer who may see it.
pub async fn of(ctx: &Context<'_>, user: &accounts::User) -> Result<Option<Presence>> {
    let Some(viewer) = ctx.caller().viewer.filter(|viewer| user.shows_presence_to(viewer)) else { return Ok(None) };
    // Staff see it with the user's own eyes.
    let eyes = if viewer.roles.is_staff() { user.id } else { viewer.user };
    let seen = ctx.loaders().presence((user.id, eyes)).await?;
    Ok(seen.map(|seen| Presence { is_online: seen.is_online, user_id: user.id }))
}

/// How many connections a user has.
pub async fn connections(ctx: &Context<'_>, user: UserId) -> Result<Option<i32>> {
    let found = ctx.loaders().connections(user).await?;
    Ok(found.map(|found| i32::try_from(found.count).unwrap_or(i32::MAX)))
}

/// What needs a look.
#[ComplexObject]
impl Presence {
    /// When the user was seen last, to about a minute. Null while it is online, and for who was never there.
    async fn last_seen_at(&self, ctx: &Context<'_>) -> Nullable<DateTime> {
        nullable(self.seen(ctx).await.map(|at| at.map(DateTime)))
    }
}

impl Presence {
    async fn seen(&self, ctx: &Context<'_>) -> Result<Option<Timestamp>> {
        if self.is_online {
            return Ok(None);
        }
        Ok(ctx.loaders().last_seen(self.user_id).await?.map(|seen| seen.at))
    }
}
