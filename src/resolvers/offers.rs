//! Offers: making, accepting and ending them, and hearing of them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, MaybeUndefined, Object, Subscription};

use super::ask::Ask;
use super::connection::{counted, entries_want, total};
use super::error::{Nullable, answer, nullable, settle, settle_with};
use super::live::{Live, durable, live_events, own, step};
use super::{bookings, chat};
use crate::features::bookings::commands as booking_commands;
use crate::features::jobs as job_feature;
use crate::features::offers::{self as feature, commands, events, queries};
use crate::kernel::id::{OfferId, TypedId, UserId, parse};
use crate::kernel::page::{Cursor, Page};
use crate::kernel::{Error, Result};
use crate::loaders::{CounterOf, OfferCount, OffersOfJob};
use crate::platform::streams::Event;
use crate::platform::work::Once;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::cost::{TRANSITIONS, cost};
use crate::schema::jobs::Job;
use crate::schema::money::FeeQuote;
use crate::schema::offers::*;
use crate::schema::transitions::Transition;

/// Mutations of offers.
#[derive(Default)]
pub struct OfferMutation;

/// Coming to terms.
#[Object]
impl OfferMutation {
    /// Makes an offer on an OPEN job. A contractor offers itself; the customer names a contractor, and price and fee are
    /// held at once.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new offer.")] input: OfferSendInput,
    ) -> Nullable<OfferSendPayload> {
        settle(send(ctx, input).await)
    }

    /// Accepts an offer that the other side made: the money goes into escrow, the booking and the conversation begin, the
    /// job's other offers are declined.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: OfferAcceptInput,
    ) -> Nullable<OfferAcceptPayload> {
        let now = async |refused| OfferAcceptPayload { offer: current(ctx, &input.offer_id).await, ..refused };
        settle_with(accept(ctx, &input).await, now).await
    }

    /// Answers an offer that the other side made with other terms: the old offer is declined, the new one goes the other
    /// way. A customer's holds price and fee at once; a contractor's frees what the old one held.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_counter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer, and the new terms.")] input: OfferCounterInput,
    ) -> Nullable<OfferCounterPayload> {
        let old = input.offer_id.clone();
        let now = async |refused| OfferCounterPayload { offer: current(ctx, &old).await, ..refused };
        settle_with(counter(ctx, input).await, now).await
    }

    /// Says no to an offer that the other side made. What it held is free again.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: OfferDeclineInput,
    ) -> Nullable<OfferDeclinePayload> {
        let now = async |refused| OfferDeclinePayload { offer: current(ctx, &input.offer_id).await, ..refused };
        settle_with(decline(ctx, &input).await, now).await
    }

    /// Takes back an offer that the viewer made. What it held is free again.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: OfferWithdrawInput,
    ) -> Nullable<OfferWithdrawPayload> {
        let now = async |refused| OfferWithdrawPayload { offer: current(ctx, &input.offer_id).await, ..refused };
        settle_with(withdraw(ctx, &input).await, now).await
    }
}

async fn send(ctx: &Context<'_>, input: OfferSendInput) -> Result<OfferSendPayload> {
    let contractor = input.contractor_id.as_deref().map(|id| parse::<UserId>(id)).transpose()?;
    let amount = input.amount.read("amount")?;
    let new = feature::NewOffer::new(parse(&input.job_id)?, contractor, amount, &input.message)?;
    let new = feature::NewOffer { period: input.period.map(Into::into), ..new };
    let key = Once::new("offerSend", &input.idempotency_key)?;
    let id = ctx.done(commands::send(ctx.platform(), ctx.caller(), key, new).await?);
    Ok(OfferSendPayload { offer: fresh(ctx, id).await?, ..Default::default() })
}

async fn accept(ctx: &Context<'_>, input: &OfferAcceptInput) -> Result<OfferAcceptPayload> {
    let key = Once::new("offerAccept", &input.idempotency_key)?;
    let offer = parse(&input.offer_id)?;
    let accepted = ctx.done(booking_commands::accept(ctx.platform(), ctx.caller(), key, offer).await?);
    let (offer, booking) = match accepted.made {
        Some((offer, booking)) => (Some(Arc::new(offer).into()), Some(Arc::new(booking).into())),
        None => (fresh(ctx, accepted.offer).await?, bookings::fresh(ctx, accepted.booking).await?),
    };
    let conversation = chat::conversation(ctx, accepted.conversation).await?;
    Ok(OfferAcceptPayload { offer, booking, conversation, ..Default::default() })
}

async fn counter(ctx: &Context<'_>, input: OfferCounterInput) -> Result<OfferCounterPayload> {
    let amount = input.amount.read("amount")?;
    let new = feature::NewCounter::new(parse(&input.offer_id)?, amount, &input.message)?;
    let period = match input.period {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(period) => Some(Some(period.into())),
    };
    let new = feature::NewCounter { period, ..new };
    let key = Once::new("offerCounter", &input.idempotency_key)?;
    let id = ctx.done(feature::counter::counter(ctx.platform(), ctx.caller(), key, new).await?);
    Ok(OfferCounterPayload { offer: fresh(ctx, id).await?, ..Default::default() })
}

async fn decline(ctx: &Context<'_>, input: &OfferDeclineInput) -> Result<OfferDeclinePayload> {
    let key = Once::optional("offerDecline", input.idempotency_key.as_deref())?;
    let offer = parse(&input.offer_id)?;
    let id = ctx.done(commands::decline(ctx.platform(), ctx.caller(), key, offer).await?);
    Ok(OfferDeclinePayload { offer: fresh(ctx, id).await?, ..Default::default() })
}

async fn withdraw(ctx: &Context<'_>, input: &OfferWithdrawInput) -> Result<OfferWithdrawPayload> {
    let key = Once::optional("offerWithdraw", input.idempotency_key.as_deref())?;
    let offer = parse(&input.offer_id)?;
    let id = ctx.done(commands::withdraw(ctx.platform(), ctx.caller(), key, offer).await?);
    Ok(OfferWithdrawPayload { offer: fresh(ctx, id).await?, ..Default::default() })
}

async fn fresh(ctx: &Context<'_>, id: OfferId) -> Result<Option<Offer>> {
    Ok(ctx.loaders().offer(id).await?.map(Into::into))
}

/// The offer as it is now, to be shown with a conflict.
async fn current(ctx: &Context<'_>, id: &str) -> Option<Offer> {
    ctx.loaders().renew();
    visible(ctx, parse(id).ok()?).await.ok()?
}

/// An offer that the viewer may see.
pub async fn visible(ctx: &Context<'_>, id: OfferId) -> Result<Option<Offer>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().offer(id).await?;
    Ok(found.filter(|offer| queries::is_for(offer, &viewer)).map(Into::into))
}

fn place(offer: &feature::Offer) -> Cursor {
    Cursor { key: offer.created_at.0, id: offer.id.uuid() }
}

/// A page of a job's offers. First pages of many jobs at once are one read.
pub async fn of_job(
    ctx: &Context<'_>,
    job: &job_feature::Job,
    filter: feature::Filter,
    sort: feature::Sort,
    page: Page,
) -> Result<OfferConnection> {
    let id = job.id;
    let view = feature::View { only: queries::scope(job, &ctx.viewer()?), filter, sort };
    let slice = if page.forward && page.after.is_none() && page.before.is_none() {
        let key = OffersOfJob { job: id, view, size: page.size };
        let found = ctx.loaders().offers_of_job(key).await?;
        found.map_or_else(crate::kernel::page::Slice::empty, |found| found.slice.clone())
    } else {
        queries::of_job(ctx.platform(), id, view, &page).await?
    };
    if entries_want(ctx, "contractor") {
        super::accounts::read_ahead(ctx, slice.items.iter().map(|offer| offer.contractor)).await;
    }
    let total = counted(ctx, move |loaders| async move { loaders.offer_count(OfferCount { job: id, view }).await });
    let place = move |offer: &feature::Offer| Cursor { key: sort.place(offer), id: offer.id.uuid() };
    Ok(OfferConnection::of(slice, total, place, |offer| Arc::new(offer).into()))
}

/// The pending offers of a job at a glance, for whoever sees them all.
pub async fn summary(ctx: &Context<'_>, job: &job_feature::Job) -> Result<Option<OfferSummary>> {
    if queries::scope(job, &ctx.viewer()?).is_some() {
        return Ok(None);
    }
    let found = ctx.loaders().offer_summary(job.id).await?;
    Ok(Some(found.as_deref().into()))
}

/// Offers that a user made or got, newest first.
pub async fn of_user(ctx: &Context<'_>, user: UserId, page: &Page) -> Result<OfferConnection> {
    let slice = queries::of_user(ctx.platform(), user, page).await?;
    let total = total(ctx, move |platform| async move { queries::count_of_user(&platform, user).await });
    Ok(OfferConnection::of(slice, total, place, |offer| Arc::new(offer).into()))
}

/// Fields of an offer that need a look.
#[ComplexObject]
impl Offer {
    /// The job that it is for.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Job> {
        let missing = || Error::internal("an offer without its job");
        answer(ctx.loaders().job(self.row.job).await.and_then(|job| job.ok_or_else(missing))).map(Into::into)
    }

    /// Who would do the work.
    async fn contractor(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.contractor).await
    }

    /// The offer that this one answers; null for a first offer.
    async fn counter_to(&self, ctx: &Context<'_>) -> Nullable<Offer> {
        let id = self.row.counter_to?;
        nullable(ctx.loaders().offer(id).await.map(|found| found.map(Into::into)))
    }

    /// The offer that answers this one; null if none does.
    async fn countered_by(&self, ctx: &Context<'_>) -> Nullable<Offer> {
        let key = CounterOf(Some(self.row.id));
        nullable(ctx.loaders().counter_of(key).await.map(|found| found.map(Into::into)))
    }

    /// What it costs whom, as frozen when it was made.
    async fn quote(&self) -> async_graphql::Result<FeeQuote> {
        answer(FeeQuote::of(&self.row.quote))
    }

    /// What the viewer may do next with it; empty for strangers.
    #[graphql(directive = cost::apply(TRANSITIONS))]
    async fn available_transitions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Transition>> {
        let found = self.row.available(&answer(ctx.viewer())?, ctx.platform().clock.now());
        answer(Transition::list(found, Some(self.row.expires_at), |it| self.row.effect(it.name, it.by)))
    }
}

/// Subscriptions of offers.
#[derive(Default)]
pub struct OfferSubscription;

/// Hearing of offers.
#[Subscription]
impl OfferSubscription {
    /// What happens to offers that the viewer made or got.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn offer_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<OfferEvent>> {
        durable(ctx, (after, throttle_ms), async || own(ctx, events::NOUN, None)).await
    }
}

live_events!(OfferEvent {
    events::SENT => Sent(OfferSent),
    events::STATUS_CHANGED => StatusChanged(OfferStatusChanged),
});

async fn offer_of(ctx: &Context<'_>, event: &Event) -> Nullable<Offer> {
    nullable(fresh(ctx, event.object_id()).await)
}

/// An offer was made.
#[ComplexObject]
impl OfferSent {
    /// The offer; null once it is gone.
    async fn offer(&self, ctx: &Context<'_>) -> Nullable<Offer> {
        offer_of(ctx, &self.event).await
    }
}

/// An offer took a step.
#[ComplexObject]
impl OfferStatusChanged {
    /// The offer; null once it is gone.
    async fn offer(&self, ctx: &Context<'_>) -> Nullable<Offer> {
        offer_of(ctx, &self.event).await
    }
    /// Where it stood.
    async fn from(&self) -> async_graphql::Result<OfferStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.0)
    }
    /// Where it stood afterwards.
    async fn to(&self) -> async_graphql::Result<OfferStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.1)
    }
}
