//! From the accepted offer to the released money.

use serde::{Deserialize, Serialize};

use super::model::{ACCEPT, CANCEL, COMPLETE, DELIVER, START};
use super::store::Step;
use super::{Booking, LIFE, Party, events, store};
use crate::features::wallet::escrow::{self, Given};
use crate::features::wallet::model::Cause;
use crate::features::wallet::outcomes;
use crate::features::{chat, jobs, offers};
use crate::kernel::id::{BookingId, ConversationId, OfferId};
use crate::kernel::{By, Caller, Error, Money, Result, Viewer, text};
use crate::platform::Platform;
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// What accepting an offer made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// The offer.
    pub offer: OfferId,
    /// The new booking.
    pub booking: BookingId,
    /// Where the two talk.
    pub conversation: ConversationId,
    /// Offer and booking themselves. A repetition does not have them: they may have changed since.
    #[serde(skip)]
    pub made: Option<(offers::Offer, Booking)>,
}

/// Accepts an offer: money, job, booking and conversation in one unit of work. Of two at once exactly one succeeds.
pub async fn accept(platform: &Platform, caller: &Caller, key: Once, offer: OfferId) -> Result<Effect<Accepted>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once(caller, key, offer, move |unit, offer| Box::pin(async move { conclude(unit, &viewer, *offer).await }))
        .await
}

async fn conclude(unit: &mut Unit, viewer: &Viewer, id: OfferId) -> Result<Accepted> {
    let offer = offers::queries::in_unit(unit, id).await?.ok_or_else(|| Error::not_found("offer"))?;
    let side = offer.side_of(viewer.user)?;
    unit.act_as(side.role());
    offer.step(ACCEPT, offer.by(side), unit.now)?;
    // The job first, then its offers, then money: the order in which everybody locks.
    let job = jobs::commands::assign(unit, offer.job, ACCEPT, offer.contractor).await?;
    let decided = offers::settling::decide(unit, job.id, id).await?;
    pay(unit, &offer, &decided.losers).await?;
    let subject = chat::Subject::job(job.id);
    let conversation = chat::commands::open(unit, subject, (offer.customer, offer.contractor)).await?;
    let booking = book(unit, &offer, conversation).await?;
    Ok(Accepted { offer: id, booking: booking.id, conversation, made: Some((decided.winner, booking)) })
}

/// The money of the winner, together with that of the losers, which may pay for it.
async fn pay(unit: &mut Unit, winner: &offers::Offer, losers: &[offers::Offer]) -> Result<()> {
    let pending = Some(winner.status.name());
    let freed = outcomes::of(ACCEPT, pending, By::Rival)?.frees();
    let lost: Vec<_> = losers.iter().filter_map(|loser| loser.hold.zip(freed)).collect();
    let outcome = outcomes::of(ACCEPT, pending, By::Receiver)?;
    escrow::post(unit, Cause::of(winner.id), winner.deal(), outcome, Given { lost: &lost, ..Given::default() }).await
}

async fn book(unit: &mut Unit, offer: &offers::Offer, conversation: ConversationId) -> Result<Booking> {
    let booking = Booking {
        id: unit.ids.new_id(),
        job: Some(offer.job),
        offer: offer.id,
        customer: offer.customer,
        contractor: offer.contractor,
        conversation,
        quote: offer.quote,
        status: LIFE.born(ACCEPT, By::Deal)?,
        cancel_reason: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    store::insert(&mut unit.tx, &booking).await?;
    let amount = booking.quote.budget.to_string();
    unit.audit(AuditRow::new("offer.accept", offer.id).with(serde_json::json!({ "escrow": amount })));
    unit.state(events::created(&booking));
    Ok(booking)
}

/// The contractor begins.
pub async fn start(platform: &Platform, caller: &Caller, booking: BookingId) -> Result<BookingId> {
    advance(platform, caller, booking, START).await
}

/// The contractor is done.
pub async fn deliver(platform: &Platform, caller: &Caller, booking: BookingId) -> Result<BookingId> {
    advance(platform, caller, booking, DELIVER).await
}

async fn advance(
    platform: &Platform,
    caller: &Caller,
    booking: BookingId,
    transition: &'static str,
) -> Result<BookingId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, (viewer, booking, transition), |unit, (viewer, booking, transition)| {
            Box::pin(async move {
                let (found, party) = locked_for(unit, viewer, *booking).await?;
                let changed = step(unit, &found, transition, party, None).await?;
                unit.state(events::status_changed(&changed, found.status)?);
                Ok(changed.id)
            })
        })
        .await
}

/// The customer is content: the escrow goes to the contractor, less the service fee.
pub async fn complete(
    platform: &Platform,
    caller: &Caller,
    key: Once,
    booking: BookingId,
) -> Result<Effect<BookingId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once(caller, key, booking, move |unit, booking| {
            Box::pin(async move {
                let (found, party) = locked_for(unit, &viewer, *booking).await?;
                let done = step(unit, &found, COMPLETE, party, None).await?;
                unit.audit(AuditRow::new("booking.complete", done.id));
                unit.state(events::status_changed(&done, found.status)?);
                Ok(done.id)
            })
        })
        .await
}

/// What a cancellation needs, checked.
#[derive(Clone, Debug, Serialize)]
pub struct Cancel {
    booking: BookingId,
    reason: String,
}

impl Cancel {
    /// Checks what a person typed.
    pub fn new(booking: BookingId, reason: &str) -> Result<Self> {
        let reason = text::paragraphs(reason, text::NOTE_MAX).map_err(|error| error.at("reason"))?;
        Ok(Cancel { booking, reason })
    }
}

/// Gives a booking up. Its life says when that may be, and the table of [`outcomes`] what is paid back.
pub async fn cancel(platform: &Platform, caller: &Caller, key: Once, input: Cancel) -> Result<Effect<BookingId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once(caller, key, input, move |unit, input| Box::pin(async move { give_up(unit, &viewer, input).await }))
        .await
}

async fn give_up(unit: &mut Unit, viewer: &Viewer, input: &Cancel) -> Result<BookingId> {
    let (found, by) = locked_for(unit, viewer, input.booking).await?;
    let gone = step(unit, &found, CANCEL, by, Some(&input.reason)).await?;
    let refund = found.effect(CANCEL, by.by())?.map_or(Money::zero(found.quote.budget.currency), |it| it.customer);
    unit.audit(AuditRow::new("booking.cancel", gone.id).because(&input.reason));
    unit.state(events::cancelled(&gone, by, refund)?);
    Ok(gone.id)
}

/// A booking that nobody else changes until this unit of work ends.
pub async fn lock(unit: &mut Unit, id: BookingId) -> Result<Booking> {
    store::lock(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("booking"))
}

/// A booking that one of its parties wants to move on, kept as it is until the unit ends.
async fn locked_for(unit: &mut Unit, viewer: &Viewer, id: BookingId) -> Result<(Booking, Party)> {
    let found = lock(unit, id).await?;
    let party = found.party_of(viewer.user)?;
    unit.act_as(party.role());
    Ok((found, party))
}

/// Takes a step: the booking, its job when it ends, and its money.
async fn step(
    unit: &mut Unit,
    booking: &Booking,
    transition: &str,
    party: Party,
    reason: Option<&str>,
) -> Result<Booking> {
    let (from, to) = (booking.status, booking.step(transition, party.by())?);
    let cancelled_by = reason.map(|_| party.name());
    let step = Step { from, to, cancelled_by, cancel_reason: reason };
    let changed = store::step(&mut unit.tx, booking.id, step, unit.now).await?;
    let changed = changed.ok_or_else(|| Error::conflict("This booking changed meanwhile; look again."))?;
    if let (Some(job), true) = (changed.job, LIFE.ends.contains(&to)) {
        jobs::commands::finish(unit, job, transition, changed.contractor).await?;
    }
    let outcome = outcomes::of(transition, Some(from.name()), party.by())?;
    escrow::post(unit, Cause::of(changed.id), changed.deal(), outcome, Given::default()).await?;
    Ok(changed)
}
