//! Bookings: their life, and hearing of it.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, Subscription};

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle_with};
use super::live::{Live, durable, live_events, only, own, step};
use super::{changes, chat, reviews};
use crate::features::bookings::model::Patience;
use crate::features::bookings::{self as feature, commands, events, queries};
use crate::features::changes::events as change_events;
use crate::kernel::id::{BookingId, JobId, TypedId, UserId, parse};
use crate::kernel::page::{Cursor, Page};
use crate::kernel::{Error, Result};
use crate::loaders::BookingOfJob;
use crate::platform::streams::Event;
use crate::platform::work::Once;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::*;
use crate::schema::changes::{
    BookingChange, BookingChangeConnection, BookingChangeProposed, BookingChangeStatusChanged,
};
use crate::schema::chat::Conversation;
use crate::schema::cost::{TRANSITIONS, cost};
use crate::schema::disputes::Dispute;
use crate::schema::jobs::Job;
use crate::schema::money::{FeeQuote, Money};
use crate::schema::reviews::Review;
use crate::schema::transitions::Transition;

/// Queries of bookings.
#[derive(Default)]
pub struct BookingQuery;

/// Looking at contracts.
#[Object]
impl BookingQuery {
    /// One booking; null when there is no such booking for the viewer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Nullable<Booking> {
        nullable(async { visible(ctx, parse(&id)?).await }.await)
    }
}

/// A booking that the viewer may see.
pub async fn visible(ctx: &Context<'_>, id: BookingId) -> Result<Option<Booking>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().booking(id).await?;
    Ok(found.filter(|booking| booking.is_for(&viewer)).map(Into::into))
}

/// A booking that was moved with a key. Who lost the right to see it is refused, also with an old key.
async fn seen(ctx: &Context<'_>, id: BookingId) -> Result<Booking> {
    visible(ctx, id).await?.ok_or_else(|| Error::not_found("booking"))
}

/// The booking of a job, if the viewer may see it.
pub async fn of_job(ctx: &Context<'_>, job: JobId) -> Result<Option<Booking>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().booking_of_job(BookingOfJob(Some(job))).await?;
    Ok(found.filter(|booking| booking.is_for(&viewer)).map(Into::into))
}

/// A booking that was just made or changed.
pub async fn fresh(ctx: &Context<'_>, id: BookingId) -> Result<Option<Booking>> {
    Ok(ctx.loaders().booking(id).await?.map(Into::into))
}

/// A user's bookings on either side, newest first.
pub async fn of_user(ctx: &Context<'_>, user: UserId, page: &Page) -> Result<BookingConnection> {
    let slice = queries::of_user(ctx.platform(), user, page).await?;
    let total = total(ctx, move |platform| async move { queries::count_of_user(&platform, user).await });
    let cursor = |booking: &feature::Booking| Cursor { key: booking.created_at.0, id: booking.id.uuid() };
    Ok(BookingConnection::of(slice, total, cursor, |booking| Arc::new(booking).into()))
}

/// Mutations of bookings.
#[derive(Default)]
pub struct BookingMutation;

/// Working and being paid.
#[Object]
impl BookingMutation {
    /// The contractor begins, or staff say so with a reason. CONFIRMED becomes IN_PROGRESS.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] input: BookingStartInput,
    ) -> Nullable<BookingStartPayload> {
        let now = async |refused| BookingStartPayload { booking: current(ctx, &input.booking_id).await, ..refused };
        settle_with(start(ctx, &input).await, now).await
    }

    /// The contractor is done, or staff say so with a reason. IN_PROGRESS becomes DELIVERED.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] input: BookingDeliverInput,
    ) -> Nullable<BookingDeliverPayload> {
        let now = async |refused| BookingDeliverPayload { booking: current(ctx, &input.booking_id).await, ..refused };
        settle_with(deliver(ctx, &input).await, now).await
    }

    /// The customer is content. DELIVERED becomes COMPLETED and the escrow goes to the contractor, less the service fee: at
    /// once, or at `releasesAt` if the server puts it off. An administrator does it for the customer, with a reason.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] input: BookingCompleteInput,
    ) -> Nullable<BookingCompletePayload> {
        let now = async |refused| BookingCompletePayload { booking: current(ctx, &input.booking_id).await, ..refused };
        settle_with(complete(ctx, &input).await, now).await
    }

    /// Gives a booking up before work has begun. The customer gets the price back, and the fee too when the contractor
    /// or an administrator gives up; administrators may do so later as well.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and why.")] input: BookingCancelInput,
    ) -> Nullable<BookingCancelPayload> {
        let now = async |refused| BookingCancelPayload { booking: current(ctx, &input.booking_id).await, ..refused };
        settle_with(cancel(ctx, &input).await, now).await
    }
}

async fn start(ctx: &Context<'_>, input: &BookingStartInput) -> Result<BookingStartPayload> {
    let input = commands::Move::new(parse(&input.booking_id)?, input.reason.as_deref())?;
    let id = commands::start(ctx.platform(), ctx.caller(), input).await?;
    ctx.loaders().renew();
    Ok(BookingStartPayload { booking: fresh(ctx, id).await?, ..Default::default() })
}

async fn deliver(ctx: &Context<'_>, input: &BookingDeliverInput) -> Result<BookingDeliverPayload> {
    let input = commands::Move::new(parse(&input.booking_id)?, input.reason.as_deref())?;
    let id = commands::deliver(ctx.platform(), ctx.caller(), input).await?;
    ctx.loaders().renew();
    Ok(BookingDeliverPayload { booking: fresh(ctx, id).await?, ..Default::default() })
}

async fn complete(ctx: &Context<'_>, input: &BookingCompleteInput) -> Result<BookingCompletePayload> {
    let key = Once::new("bookingComplete", &input.idempotency_key)?;
    let input = commands::Move::new(parse(&input.booking_id)?, input.reason.as_deref())?;
    let id = ctx.done(commands::complete(ctx.platform(), ctx.caller(), key, input).await?);
    Ok(BookingCompletePayload { booking: Some(seen(ctx, id).await?), ..Default::default() })
}

async fn cancel(ctx: &Context<'_>, input: &BookingCancelInput) -> Result<BookingCancelPayload> {
    let key = Once::new("bookingCancel", &input.idempotency_key)?;
    let cancel = commands::Cancel::new(parse(&input.booking_id)?, &input.reason)?;
    let id = ctx.done(commands::cancel(ctx.platform(), ctx.caller(), key, cancel).await?);
    Ok(BookingCancelPayload { booking: Some(seen(ctx, id).await?), ..Default::default() })
}

/// The booking as it is now, to be shown with a conflict.
pub async fn current(ctx: &Context<'_>, id: &str) -> Option<Booking> {
    ctx.loaders().renew();
    visible(ctx, parse(id).ok()?).await.ok()?
}

/// Fields of a booking that need a look.
#[ComplexObject]
impl Booking {
    /// The job that it does; null when it came from a listing.
    async fn job(&self, ctx: &Context<'_>) -> Nullable<Job> {
        let job = self.row.job?;
        nullable(ctx.loaders().job(job).await.map(|found| found.map(Into::into)))
    }

    /// Who pays.
    async fn customer(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.customer).await
    }

    /// Who works.
    async fn contractor(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.contractor).await
    }

    /// Where the two talk.
    async fn conversation(&self, ctx: &Context<'_>) -> async_graphql::Result<Conversation> {
        let sealed =
            || Error::forbidden("Only its two people read a conversation, and staff who joined it in a dispute.");
        answer(chat::conversation(ctx, self.row.conversation).await.and_then(|found| found.ok_or_else(sealed)))
    }

    /// What it costs whom, as agreed now.
    async fn quote(&self) -> async_graphql::Result<FeeQuote> {
        answer(FeeQuote::of(&self.row.quote))
    }

    /// The other terms that one of the two proposes, and that wait for an answer; null when there are none.
    async fn pending_change(&self, ctx: &Context<'_>) -> Nullable<BookingChange> {
        nullable(changes::pending(ctx, self.row.id).await)
    }

    /// All changes that were ever proposed, newest first.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 when neither is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<BookingChangeConnection> {
        let page = Page::from_args(first, after.as_deref(), last, before.as_deref());
        answer(async { changes::of_booking(ctx, self.row.id, page?).await }.await)
    }

    /// What the two disagree about, or did last; null when they never did.
    async fn dispute(&self, ctx: &Context<'_>) -> Nullable<Dispute> {
        nullable(super::disputes::of_booking(ctx, self.row.id).await)
    }

    /// What the two say of each other, as far as the viewer may read it: at most two, the oldest first.
    async fn reviews(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Review>> {
        answer(reviews::of_booking(ctx, self.row.id).await)
    }

    /// The viewer's own review of the other party; null before it is posted.
    async fn my_review(&self, ctx: &Context<'_>) -> Nullable<Review> {
        nullable(reviews::own_of_booking(ctx, self.row.id).await)
    }

    /// What the viewer may do next with it; empty for strangers.
    #[graphql(directive = cost::apply(TRANSITIONS))]
    async fn available_transitions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Transition>> {
        let found = self.row.available(&answer(ctx.viewer())?);
        let patience = Patience::of(ctx.platform());
        let timer = self.row.timer(patience).map(|(_, at)| at);
        answer(Transition::list(found, timer, |it| self.row.effect(it.name, it.by, patience)))
    }
}

/// Subscriptions of bookings.
#[derive(Default)]
pub struct BookingSubscription;

/// Hearing of bookings.
#[Subscription]
impl BookingSubscription {
    /// What happens to the viewer's bookings, or to one of them.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this booking.")] booking_id: Option<ID>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<BookingEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            own(ctx, events::NOUN, only(booking_id, async |id| visible(ctx, id).await).await?)
        })
        .await
    }
}

live_events!(BookingEvent {
    events::CREATED => Created(BookingCreated),
    events::STATUS_CHANGED => StatusChanged(BookingStatusChanged),
    events::CANCELLED => Cancelled(BookingCancelled),
    events::RELEASED => Released(BookingReleased),
    change_events::PROPOSED => ChangeProposed(BookingChangeProposed),
    change_events::STATUS_CHANGED => ChangeStatusChanged(BookingChangeStatusChanged),
});

async fn booking_of(ctx: &Context<'_>, event: &Event) -> Nullable<Booking> {
    nullable(fresh(ctx, event.object_id()).await)
}

/// A booking was made.
#[ComplexObject]
impl BookingCreated {
    /// The booking; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
}

/// A booking took a step.
#[ComplexObject]
impl BookingStatusChanged {
    /// The booking; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
    /// Where it stood.
    async fn from(&self) -> async_graphql::Result<BookingStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.0)
    }
    /// Where it stood afterwards.
    async fn to(&self) -> async_graphql::Result<BookingStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.1)
    }
}

/// The price that had been put off was released.
#[ComplexObject]
impl BookingReleased {
    /// The booking; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
}

/// A booking was given up.
#[ComplexObject]
impl BookingCancelled {
    /// The booking; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
    /// Why; null once the booking is gone.
    async fn reason(&self, ctx: &Context<'_>) -> Nullable<String> {
        let found = fresh(ctx, self.event.object_id()).await;
        nullable(found.map(|booking| booking.and_then(|booking| booking.row.cancel_reason.clone())))
    }
    /// What the customer got back.
    async fn refund(&self) -> async_graphql::Result<Money> {
        let facts: events::Cancelled = answer(self.event.read_facts())?;
        Ok(answer(facts.refund())?.into())
    }
}
