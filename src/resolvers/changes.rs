//! Changes of bookings: proposing them, agreeing or not, and hearing of it among the events of bookings.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object};

use super::ask::Ask;
use super::bookings;
use super::connection::counted;
use super::error::{Nullable, answer, nullable, settle_with};
use super::live::step;
use crate::features::changes::{self as feature, commands, queries};
use crate::kernel::id::{BookingId, ChangeId, TypedId, parse};
use crate::kernel::page::{Cursor, Page, Slice};
use crate::kernel::{Error, Result};
use crate::loaders::ChangesOfBooking;
use crate::platform::streams::Event;
use crate::platform::work::Once;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::Booking;
use crate::schema::changes::*;
use crate::schema::cost::{TRANSITIONS, cost};
use crate::schema::money::FeeQuote;
use crate::schema::transitions::Transition;

/// A change that the viewer may see.
pub async fn visible(ctx: &Context<'_>, id: ChangeId) -> Result<Option<BookingChange>> {
    let viewer = ctx.viewer()?;
    Ok(ctx.loaders().change(id).await?.filter(|change| change.is_for(&viewer)).map(Into::into))
}

/// The pending change of a booking that the viewer sees.
pub async fn pending(ctx: &Context<'_>, booking: BookingId) -> Result<Option<BookingChange>> {
    Ok(ctx.loaders().pending_change(booking).await?.map(Into::into))
}

/// The changes of a booking that the viewer sees, newest first. First pages of many bookings at once are one read.
pub async fn of_booking(ctx: &Context<'_>, booking: BookingId, page: Page) -> Result<BookingChangeConnection> {
    let slice = if page.forward && page.after.is_none() && page.before.is_none() {
        let key = ChangesOfBooking { booking, size: page.size };
        let found = ctx.loaders().changes_of_booking(key).await?;
        found.map_or_else(Slice::empty, |found| found.slice.clone())
    } else {
        queries::of_booking(ctx.platform(), booking, &page).await?
    };
    let total = counted(ctx, move |loaders| async move { loaders.change_count(booking).await });
    let cursor = |change: &feature::Change| Cursor { key: change.created_at.0, id: change.id.uuid() };
    Ok(BookingChangeConnection::of(slice, total, cursor, |change| Arc::new(change).into()))
}

/// Mutations of changes.
#[derive(Default)]
pub struct ChangeMutation;

/// Coming to other terms.
#[Object]
impl ChangeMutation {
    /// Proposes another price, another time, or both for a booking. It takes the place of what is pending, whoever proposed
    /// that. Nothing moves before the other party agrees.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_change_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The other terms.")] input: BookingChangeProposeInput,
    ) -> Nullable<BookingChangeProposePayload> {
        let now = async |refused| {
            let booking = bookings::current(ctx, &input.booking_id).await;
            BookingChangeProposePayload { change: current_of(ctx, booking.as_ref()).await, booking, ..refused }
        };
        settle_with(propose(ctx, &input).await, now).await
    }

    /// Agrees to a change that the other party proposed. A higher price is paid into escrow at once, with its fee; of a lower
    /// one the difference comes back. The fees are those of the rates that were frozen on the offer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_change_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which change.")] input: BookingChangeAcceptInput,
    ) -> Nullable<BookingChangeAcceptPayload> {
        let now = async |refused| {
            let (change, booking) = current(ctx, &input.change_id).await;
            BookingChangeAcceptPayload { change, booking, ..refused }
        };
        settle_with(accept(ctx, &input).await, now).await
    }

    /// Says no to a change that the other party proposed, or staff do with a reason. All stays as agreed.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_change_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which change.")] input: BookingChangeDeclineInput,
    ) -> Nullable<BookingChangeDeclinePayload> {
        let now = async |refused| {
            let (change, booking) = current(ctx, &input.change_id).await;
            BookingChangeDeclinePayload { change, booking, ..refused }
        };
        settle_with(decline(ctx, &input).await, now).await
    }

    /// Takes back a change that the viewer proposed. All stays as agreed.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn booking_change_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which change.")] input: BookingChangeWithdrawInput,
    ) -> Nullable<BookingChangeWithdrawPayload> {
        let now = async |refused| {
            let (change, booking) = current(ctx, &input.change_id).await;
            BookingChangeWithdrawPayload { change, booking, ..refused }
        };
        settle_with(withdraw(ctx, &input).await, now).await
    }
}

async fn propose(ctx: &Context<'_>, input: &BookingChangeProposeInput) -> Result<BookingChangeProposePayload> {
    let amount = input.amount.as_ref().map(|amount| amount.read("amount")).transpose()?;
    let new = feature::Propose::new(parse(&input.booking_id)?, amount, input.period.map(Into::into), &input.note)?;
    let new = feature::Propose { expected_version: input.expected_version.map(i64::from), ..new };
    let key = Once::new("bookingChangePropose", &input.idempotency_key)?;
    let id = ctx.done(commands::propose(ctx.platform(), ctx.caller(), key, new).await?);
    let (change, booking) = both(ctx, id).await?;
    Ok(BookingChangeProposePayload { change, booking, ..Default::default() })
}

async fn accept(ctx: &Context<'_>, input: &BookingChangeAcceptInput) -> Result<BookingChangeAcceptPayload> {
    let key = Once::new("bookingChangeAccept", &input.idempotency_key)?;
    let id = ctx.done(commands::accept(ctx.platform(), ctx.caller(), key, parse(&input.change_id)?).await?);
    let (change, booking) = both(ctx, id).await?;
    Ok(BookingChangeAcceptPayload { change, booking, ..Default::default() })
}

async fn decline(ctx: &Context<'_>, input: &BookingChangeDeclineInput) -> Result<BookingChangeDeclinePayload> {
    let key = Once::optional("bookingChangeDecline", input.idempotency_key.as_deref())?;
    let decline = commands::Decline::new(parse(&input.change_id)?, input.reason.as_deref())?;
    let id = ctx.done(commands::decline(ctx.platform(), ctx.caller(), key, decline).await?);
    let (change, booking) = both(ctx, id).await?;
    Ok(BookingChangeDeclinePayload { change, booking, ..Default::default() })
}

async fn withdraw(ctx: &Context<'_>, input: &BookingChangeWithdrawInput) -> Result<BookingChangeWithdrawPayload> {
    let key = Once::optional("bookingChangeWithdraw", input.idempotency_key.as_deref())?;
    let id = ctx.done(commands::withdraw(ctx.platform(), ctx.caller(), key, parse(&input.change_id)?).await?);
    let (change, booking) = both(ctx, id).await?;
    Ok(BookingChangeWithdrawPayload { change, booking, ..Default::default() })
}

/// A change and its booking. Who lost the right to see them is refused, also with an old key.
async fn both(ctx: &Context<'_>, id: ChangeId) -> Result<(Option<BookingChange>, Option<Booking>)> {
    let change = visible(ctx, id).await?.ok_or_else(|| Error::not_found("change"))?;
    let booking = bookings::visible(ctx, change.row.booking).await?;
    Ok((Some(change), booking))
}

/// The change and its booking as they are now, to be shown with a conflict.
async fn current(ctx: &Context<'_>, id: &str) -> (Option<BookingChange>, Option<Booking>) {
    ctx.loaders().renew();
    let Ok(id) = parse(id) else { return (None, None) };
    both(ctx, id).await.unwrap_or_default()
}

/// What is pending of a booking as it is now, to be shown with a conflict.
async fn current_of(ctx: &Context<'_>, booking: Option<&Booking>) -> Option<BookingChange> {
    pending(ctx, booking?.row.id).await.ok()?
}

/// Fields of a change that need a look.
#[ComplexObject]
impl BookingChange {
    /// The booking, as it is now.
    async fn booking(&self, ctx: &Context<'_>) -> async_graphql::Result<Booking> {
        let missing = || Error::internal("a change without its booking");
        answer(bookings::visible(ctx, self.row.booking).await.and_then(|found| found.ok_or_else(missing)))
    }

    /// What the booking would cost whom, by the rates that were frozen on the offer.
    async fn quote(&self) -> async_graphql::Result<FeeQuote> {
        answer(FeeQuote::of(&self.row.terms.quote))
    }

    /// What the viewer may do next with it; empty for strangers.
    #[graphql(directive = cost::apply(TRANSITIONS))]
    async fn available_transitions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Transition>> {
        let found = self.row.available(&answer(ctx.viewer())?, ctx.platform().clock.now());
        answer(Transition::list(found, Some(self.row.expires_at), |it| self.row.effect(it.name, it.by)))
    }
}

async fn change_of(ctx: &Context<'_>, event: &Event) -> Nullable<BookingChange> {
    nullable(visible(ctx, event.object_id()).await)
}

async fn booking_of(ctx: &Context<'_>, event: &Event) -> Nullable<Booking> {
    nullable(bookings::visible(ctx, BookingId::of(event.subject)).await)
}

/// A party proposes other terms.
#[ComplexObject]
impl BookingChangeProposed {
    /// The change; null once it is gone.
    async fn change(&self, ctx: &Context<'_>) -> Nullable<BookingChange> {
        change_of(ctx, &self.event).await
    }
    /// The booking; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
}

/// A change ended.
#[ComplexObject]
impl BookingChangeStatusChanged {
    /// The change; null once it is gone.
    async fn change(&self, ctx: &Context<'_>) -> Nullable<BookingChange> {
        change_of(ctx, &self.event).await
    }
    /// The booking, with its new terms if the change was ACCEPTED; null once it is gone.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        booking_of(ctx, &self.event).await
    }
    /// Where it stood.
    async fn from(&self) -> async_graphql::Result<BookingChangeStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.0)
    }
    /// Where it stood afterwards.
    async fn to(&self) -> async_graphql::Result<BookingChangeStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.1)
    }
}
