//! Alerts: the list, dismissing, and hearing of them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle};
use super::live::{Filter as Shown, Live, durable, live_events};
use crate::features::alerts::{Alert, Filter, commands, events, queries};
use crate::kernel::id::{AlertId, parse};
use crate::kernel::page::Page;
use crate::kernel::{Result, Role, Viewer};
use crate::platform::streams::{Event, StreamName};
use crate::schema::accounts::User;
use crate::schema::alerts::*;
use crate::schema::auth::{Access, auth};
use crate::schema::node::Node;

/// An alert that the viewer may see: staff, and administrators where it is about money.
pub async fn visible(ctx: &Context<'_>, id: AlertId) -> Result<Option<AdminAlert>> {
    let roles = ctx.viewer()?.roles;
    if !roles.is_staff() {
        return Ok(None);
    }
    Ok(ctx.loaders().alert(id).await?.filter(|alert| alert.kind.is_for(roles)).map(Into::into))
}

/// What of the staff's topic a viewer does not hear.
pub fn hidden_from(viewer: &Viewer) -> Option<fn(&Event) -> bool> {
    let hides: fn(&Event) -> bool = events::is_money;
    (!viewer.roles.has(Role::Admin)).then_some(hides)
}

/// Queries of alerts.
#[derive(Default)]
pub struct AlertQuery;

/// Looking at alerts.
#[Object]
impl AlertQuery {
    /// What staff must hear of, newest first. Alerts about money are for administrators alone.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn admin_alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; those that are not dismissed when it is left out.")] filter: Option<
            AdminAlertFilter,
        >,
        #[graphql(desc = "So many from the start, at most 100; 20 when neither is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AdminAlertConnection> {
        let page = Page::from_args(first, after.as_deref(), last, before.as_deref());
        let open = AdminAlertFilter { is_dismissed: Some(false), ..AdminAlertFilter::default() };
        answer(async { listed(ctx, filter.unwrap_or(open).into(), &page?).await }.await)
    }
}

async fn listed(ctx: &Context<'_>, filter: Filter, page: &Page) -> Result<AdminAlertConnection> {
    let filter = queries::allowed(ctx.caller(), filter)?;
    let slice = queries::page(ctx.platform(), &filter, page).await?;
    let total = total(ctx, move |platform| {
        let filter = filter.clone();
        async move { queries::count(&platform, &filter).await }
    });
    Ok(AdminAlertConnection::of(slice, total, Alert::place, |alert| Arc::new(alert).into()))
}

/// Mutations of alerts.
#[derive(Default)]
pub struct AlertMutation;

/// Dismissing.
#[Object]
impl AlertMutation {
    /// Takes an alert off the list, for all staff. What has the same cause is a new alert from then on.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn admin_alert_dismiss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: AdminAlertDismissInput,
    ) -> Nullable<AdminAlertDismissPayload> {
        settle(dismiss(ctx, input).await)
    }
}

async fn dismiss(ctx: &Context<'_>, input: AdminAlertDismissInput) -> Result<AdminAlertDismissPayload> {
    let id = parse(&input.alert_id)?;
    commands::dismiss(ctx.platform(), ctx.caller(), id).await?;
    ctx.loaders().renew();
    Ok(AdminAlertDismissPayload { alert: visible(ctx, id).await?, ..Default::default() })
}

/// Subscriptions of alerts.
#[derive(Default)]
pub struct AlertSubscription;

/// Hearing of alerts.
#[Subscription]
impl AlertSubscription {
    /// What staff must hear of, and what is off the list. Of money only administrators hear.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn admin_alert_raised(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<AdminAlertEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            let hides = hidden_from(&ctx.viewer()?);
            Ok((vec![StreamName::staff()], Shown { noun: Some(events::NOUN), hides, ..Shown::default() }))
        })
        .await
    }
}

live_events!(AdminAlertEvent {
    events::RAISED => Raised(AdminAlertRaised),
    events::DISMISSED => Dismissed(AdminAlertDismissed),
});

/// What was raised.
#[ComplexObject]
impl AdminAlertRaised {
    /// The alert as it is now; null once it is gone.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn alert(&self, ctx: &Context<'_>) -> Nullable<AdminAlert> {
        nullable(visible(ctx, self.event.object_id()).await)
    }
}

/// What is off the list.
#[ComplexObject]
impl AdminAlertDismissed {
    /// The alert as it is now; null once it is gone.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn alert(&self, ctx: &Context<'_>) -> Nullable<AdminAlert> {
        nullable(visible(ctx, self.event.object_id()).await)
    }
}

/// Fields of an alert that need a look.
#[ComplexObject]
impl AdminAlert {
    /// What it is about; null where that is no object with an id, or once it is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.row.subject.as_ref()?.public_id();
        nullable(super::node::load(ctx, &id).await)
    }

    /// Who dismissed it. Null as long as nobody did, and where its cause ended by itself.
    async fn dismissed_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        let found = ctx.loaders().user(self.row.dismissed_by?).await;
        nullable(found.map(|user| user.map(Into::into)))
    }
}
