//! Announcements: publishing, and hearing of them.

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::error::{Nullable, nullable, settle};
use super::live::{Filter, Live, durable, live_events};
use crate::features::announcements::{NewAnnouncement, commands, events};
use crate::kernel::Result;
use crate::platform::streams::StreamName;
use crate::schema::announcements::*;
use crate::schema::auth::{Access, auth};

/// Mutations of announcements.
#[derive(Default)]
pub struct AnnouncementMutation;

/// Telling everyone.
#[Object]
impl AnnouncementMutation {
    /// Tells everyone, now and after they come back.
    #[graphql(directive = auth::apply(Access::Admin))]
    async fn announcement_publish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be told.")] input: AnnouncementPublishInput,
    ) -> Nullable<AnnouncementPublishPayload> {
        settle(publish(ctx, input).await)
    }
}

async fn publish(ctx: &Context<'_>, input: AnnouncementPublishInput) -> Result<AnnouncementPublishPayload> {
    let input = NewAnnouncement::new(&input.title, &input.body, input.level.into())?;
    let id = commands::publish(ctx.platform(), ctx.caller(), input).await?;
    ctx.loaders().renew();
    let announcement = ctx.loaders().announcement(id).await?.map(Into::into);
    Ok(AnnouncementPublishPayload { announcement, ..Default::default() })
}

/// Subscriptions of announcements.
#[derive(Default)]
pub struct AnnouncementSubscription;

/// Hearing of announcements.
#[Subscription]
impl AnnouncementSubscription {
    /// What is told to everyone, also to those who are not signed in.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn announcement_published(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<AnnouncementEvent>> {
        let filter = Filter { noun: Some(events::NOUN), ..Filter::default() };
        durable(ctx, (after, throttle_ms), async || Ok((vec![StreamName::announcements()], filter))).await
    }
}

live_events!(AnnouncementEvent {
    events::ADDED => Added(AnnouncementAdded),
});

/// What was announced.
#[ComplexObject]
impl AnnouncementAdded {
    /// The announcement; null once it is gone.
    async fn announcement(&self, ctx: &Context<'_>) -> Nullable<Announcement> {
        let found = ctx.loaders().announcement(self.event.object_id()).await;
        nullable(found.map(|found| found.map(Into::into)))
    }
}
