//! Hearing of disputes.

use async_graphql::{ComplexObject, Context, ID, Subscription};

use super::visible;
use crate::features::disputes::{self as feature, events};
use crate::platform::streams::Event;
use crate::resolvers::error::{Nullable, nullable};
use crate::resolvers::live::{Live, durable, live_events, only, own, step};
use crate::schema::auth::{Access, auth};
use crate::schema::disputes::*;

/// Subscriptions of disputes.
#[derive(Default)]
pub struct DisputeSubscription;

/// Hearing of disputes.
#[Subscription]
impl DisputeSubscription {
    /// What happens to disputes of the viewer's bookings, or to one of them.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this dispute.")] dispute_id: Option<ID>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<DisputeEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            own(ctx, events::NOUN, only(dispute_id, async |id| visible(ctx, id).await).await?)
        })
        .await
    }
}

live_events!(DisputeEvent {
    events::OPENED => Opened(DisputeOpened),
    events::PROPOSED => Proposed(DisputeProposed),
    events::ACCEPTED => ProposalAccepted(DisputeProposalAccepted),
    events::EVIDENCE_ADDED => EvidenceAdded(DisputeEvidenceAdded),
    events::STATUS_CHANGED => StatusChanged(DisputeStatusChanged),
});

async fn dispute_of(ctx: &Context<'_>, event: &Event) -> Nullable<Dispute> {
    nullable(visible(ctx, event.object_id()).await)
}

/// Gives events of disputes their dispute.
macro_rules! dispute_events {
    ($($event:ident),*) => {$(
        /// What it is about.
        #[ComplexObject]
        impl $event {
            /// The dispute; null once it is gone.
            async fn dispute(&self, ctx: &Context<'_>) -> Nullable<Dispute> {
                dispute_of(ctx, &self.event).await
            }
        }
    )*};
}
dispute_events!(DisputeOpened, DisputeProposed, DisputeProposalAccepted, DisputeEvidenceAdded);

/// A dispute went to staff, or it ended.
#[ComplexObject]
impl DisputeStatusChanged {
    /// The dispute; null once it is gone.
    async fn dispute(&self, ctx: &Context<'_>) -> Nullable<Dispute> {
        dispute_of(ctx, &self.event).await
    }
    /// Where it stood.
    async fn from(&self) -> async_graphql::Result<DisputeStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.0)
    }
    /// Where it stood afterwards.
    async fn to(&self) -> async_graphql::Result<DisputeStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.1)
    }
}
