//! Reviews: writing, replying, what staff do about them, and hearing of them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::bookings;
use super::connection::counted;
use super::error::{Nullable, nullable, settle, settle_with};
use super::live::{Live, durable, live_events, own};
use crate::features::reviews::{self as feature, commands, events, queries};
use crate::kernel::Result;
use crate::kernel::id::{BookingId, ReviewId, TypedId, UserId, parse};
use crate::kernel::page::{Cursor, Page, Slice};
use crate::loaders::ReviewsOfUser;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::Booking;
use crate::schema::reviews::*;

/// Mutations of reviews.
#[derive(Default)]
pub struct ReviewMutation;

/// Saying what one thinks of the other.
#[Object]
impl ReviewMutation {
    /// Reviews the other party of a COMPLETED booking, once. Both reviews are published when the second one is posted,
    /// and a review that stays alone some days later.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn review_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] input: ReviewPostInput,
    ) -> Nullable<ReviewPostPayload> {
        settle(post(ctx, &input).await)
    }

    /// Replies to a review about the viewer, once.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn review_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reply.")] input: ReviewReplyInput,
    ) -> Nullable<ReviewReplyPayload> {
        let now = async |refused| ReviewReplyPayload { review: current(ctx, &input.review_id).await, ..refused };
        settle_with(reply(ctx, &input).await, now).await
    }

    /// Takes a review out of sight and out of the rating. PUBLISHED becomes HIDDEN.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn review_hide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review, and why.")] input: ReviewHideInput,
    ) -> Nullable<ReviewHidePayload> {
        let now = async |refused| ReviewHidePayload { review: current(ctx, &input.review_id).await, ..refused };
        settle_with(hide(ctx, &input).await, now).await
    }

    /// Shows a hidden review again, and counts it. HIDDEN becomes PUBLISHED.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn review_unhide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review.")] input: ReviewUnhideInput,
    ) -> Nullable<ReviewUnhidePayload> {
        let now = async |refused| ReviewUnhidePayload { review: current(ctx, &input.review_id).await, ..refused };
        settle_with(unhide(ctx, &input).await, now).await
    }
}

async fn post(ctx: &Context<'_>, input: &ReviewPostInput) -> Result<ReviewPostPayload> {
    let new = feature::NewReview::new(parse(&input.booking_id)?, input.rating.into(), &input.text)?;
    let id = commands::post(ctx.platform(), ctx.caller(), new).await?;
    Ok(ReviewPostPayload { review: fresh(ctx, id).await?, ..Default::default() })
}

async fn reply(ctx: &Context<'_>, input: &ReviewReplyInput) -> Result<ReviewReplyPayload> {
    let new = feature::Reply::new(parse(&input.review_id)?, &input.text)?;
    let id = commands::reply(ctx.platform(), ctx.caller(), new).await?;
    Ok(ReviewReplyPayload { review: fresh(ctx, id).await?, ..Default::default() })
}

async fn hide(ctx: &Context<'_>, input: &ReviewHideInput) -> Result<ReviewHidePayload> {
    let hide = feature::Hide::new(parse(&input.review_id)?, &input.reason)?;
    let id = commands::hide(ctx.platform(), ctx.caller(), hide).await?;
    Ok(ReviewHidePayload { review: fresh(ctx, id).await?, ..Default::default() })
}

async fn unhide(ctx: &Context<'_>, input: &ReviewUnhideInput) -> Result<ReviewUnhidePayload> {
    let id = commands::unhide(ctx.platform(), ctx.caller(), parse(&input.review_id)?).await?;
    Ok(ReviewUnhidePayload { review: fresh(ctx, id).await?, ..Default::default() })
}

/// A review that was just made or changed.
async fn fresh(ctx: &Context<'_>, id: ReviewId) -> Result<Option<Review>> {
    ctx.loaders().renew();
    visible(ctx, id).await
}

/// The review as it is now, to be shown with a conflict.
async fn current(ctx: &Context<'_>, id: &str) -> Option<Review> {
    fresh(ctx, parse(id).ok()?).await.ok()?
}

/// A review that the viewer, or somebody who is not signed in, may see.
pub async fn visible(ctx: &Context<'_>, id: ReviewId) -> Result<Option<Review>> {
    let found = ctx.loaders().review(id).await?;
    Ok(found.filter(|review| review.is_for(ctx.caller().viewer.as_ref())).map(Into::into))
}

/// The reviews of a booking that the viewer may see, the oldest first.
pub async fn of_booking(ctx: &Context<'_>, booking: BookingId) -> Result<Vec<Review>> {
    let viewer = ctx.viewer()?;
    let Some(found) = ctx.loaders().reviews_of_booking(booking).await? else { return Ok(Vec::new()) };
    let seen = found.reviews.iter().filter(|review| review.is_for(Some(&viewer)));
    Ok(seen.map(|review| Arc::new(review.clone()).into()).collect())
}

/// The review of a booking that the viewer wrote.
pub async fn own_of_booking(ctx: &Context<'_>, booking: BookingId) -> Result<Option<Review>> {
    let viewer = ctx.viewer()?;
    Ok(of_booking(ctx, booking).await?.into_iter().find(|review| review.row.author == viewer.user))
}

/// A page of a user's published reviews. First pages of many users at once are one read.
pub async fn of_user(ctx: &Context<'_>, user: UserId, page: &Page) -> Result<ReviewConnection> {
    let slice = if page.forward && page.after.is_none() && page.before.is_none() {
        let found = ctx.loaders().reviews_of_user(ReviewsOfUser { user, size: page.size }).await?;
        found.map_or_else(Slice::empty, |found| found.slice.clone())
    } else {
        queries::of_user(ctx.platform(), user, page).await?
    };
    let total = counted(ctx, move |loaders| async move { loaders.review_count(user).await });
    let place = |review: &feature::Review| {
        let published_at = review.published_at.unwrap_or(review.created_at);
        Cursor { key: published_at.0, id: review.id.uuid() }
    };
    Ok(ReviewConnection::of(slice, total, place, |review| Arc::new(review).into()))
}

/// What a user's reviews add up to.
pub async fn rating_of(ctx: &Context<'_>, user: UserId) -> Result<RatingSummary> {
    let found = ctx.loaders().rating(user).await?;
    Ok(found.as_deref().unwrap_or(&feature::Rating::none(user)).into())
}

/// Fields of a review that need a look.
#[ComplexObject]
impl Review {
    /// The booking that it is about. Shown to its parties and to staff.
    #[graphql(directive = auth::apply(Access::Party))]
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        ctx.caller().viewer?;
        nullable(bookings::visible(ctx, self.row.booking).await)
    }

    /// Who wrote it.
    async fn author(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.author).await
    }

    /// Whom it is about.
    async fn subject(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.subject).await
    }

    /// Why staff hid it. Shown to the author and to staff.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn hidden_reason(&self, ctx: &Context<'_>) -> Option<String> {
        let viewer = ctx.caller().viewer.filter(|viewer| self.row.is_open_to(viewer));
        viewer.and_then(|_| self.row.hidden_reason.clone())
    }
}

/// Subscriptions of reviews.
#[derive(Default)]
pub struct ReviewSubscription;

/// Hearing of reviews.
#[Subscription]
impl ReviewSubscription {
    /// What happens to reviews by the viewer and about the viewer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn review_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<ReviewEvent>> {
        durable(ctx, (after, throttle_ms), async || own(ctx, events::NOUN, None)).await
    }
}

live_events!(ReviewEvent {
    events::POSTED => Posted(ReviewPosted),
    events::PUBLISHED => Published(ReviewPublished),
    events::REPLIED => Replied(ReviewReplied),
    events::HIDDEN => Hidden(ReviewHidden),
    events::UNHIDDEN => Unhidden(ReviewUnhidden),
});

macro_rules! review_events {
    ($($event:ident,)*) => {$(
        /// What it happened to.
        #[ComplexObject]
        impl $event {
            /// The review; null as long as the viewer may not see it.
            async fn review(&self, ctx: &Context<'_>) -> Nullable<Review> {
                nullable(visible(ctx, self.event.object_id()).await)
            }

            /// The booking that the review is about; null once it is gone.
            async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
                nullable(bookings::visible(ctx, BookingId::of(self.event.subject)).await)
            }
        }
    )*};
}
review_events!(ReviewPosted, ReviewPublished, ReviewReplied, ReviewHidden, ReviewUnhidden,);
