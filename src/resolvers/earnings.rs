//! Earnings: hearing of them.

use async_graphql::{ComplexObject, Context, Subscription};

use super::ask::Ask;
use super::error::{Nullable, nullable};
use super::live::{Live, durable, live_events, own};
use crate::features::earnings::events;
use crate::kernel::Result;
use crate::kernel::id::EarningId;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::Booking;
use crate::schema::earnings::*;

/// An earning that the viewer may see: its own, or any for staff.
pub async fn visible(ctx: &Context<'_>, id: EarningId) -> Result<Option<Earning>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().earning(id).await?;
    Ok(found.filter(|earning| earning.contractor == viewer.user || viewer.roles.is_staff()).map(Into::into))
}

/// Subscriptions of earnings.
#[derive(Default)]
pub struct EarningSubscription;

/// Hearing of earnings.
#[Subscription]
impl EarningSubscription {
    /// What happens to the viewer's earnings.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn earning_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<EarningEvent>> {
        durable(ctx, (after, throttle_ms), async || own(ctx, events::NOUN, None)).await
    }
}

live_events!(EarningEvent {
    events::CREATED => Created(EarningCreated),
});

/// Something was earned.
#[ComplexObject]
impl EarningCreated {
    /// The earning; null once it is gone.
    async fn earning(&self, ctx: &Context<'_>) -> Nullable<Earning> {
        nullable(ctx.loaders().earning(self.event.object_id()).await.map(|found| found.map(Into::into)))
    }
}

/// Fields of an earning that need a look.
#[ComplexObject]
impl Earning {
    /// The booking that it was made with.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        nullable(super::bookings::fresh(ctx, self.row.booking).await)
    }
}
