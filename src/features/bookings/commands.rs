//! From the accepted offer to the released money.

use serde::{Deserialize, Serialize};

use super::store::Step;
use super::{Booking, Party, Status, events, outcomes, store};
use crate::features::wallet::escrow;
use crate::features::{chat, jobs, offers};
use crate::kernel::id::{BookingId, ConversationId, OfferId};
use crate::kernel::{Caller, Code, Error, Result, Viewer, text};
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
    if side == offer.made_by {
        return Err(Error::forbidden("The other side accepts this offer; you may withdraw it."));
    }
    unit.act_as(side.role());
    offer.must_be_pending()?;
    if offer.expires_at <= unit.now {
        return Err(Error::new(Code::OfferExpired, "This offer's time is over; ask for a new one."));
    }
    // The job first, then its offers, then money: the order in which everybody locks.
    let job = jobs::commands::assign(unit, offer.job, offer.contractor).await?;
    let decided = offers::commands::decide(unit, job.id, id).await?;
    let lost: Vec<_> = decided.losers.iter().filter_map(|loser| loser.hold).collect();
    escrow::fund(unit, offer.deal(), decided.winner.hold, &lost).await?;
    let subject = chat::Subject::job(job.id);
    let conversation = chat::commands::open(unit, subject, (offer.customer, offer.contractor)).await?;
    let booking = book(unit, &offer, conversation).await?;
    Ok(Accepted { offer: id, booking: booking.id, conversation, made: Some((decided.winner, booking)) })
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
        status: Status::Confirmed,
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
    advance(platform, caller, booking, Status::InProgress).await
}

/// The contractor is done.
pub async fn deliver(platform: &Platform, caller: &Caller, booking: BookingId) -> Result<BookingId> {
    advance(platform, caller, booking, Status::Delivered).await
}

async fn advance(platform: &Platform, caller: &Caller, booking: BookingId, to: Status) -> Result<BookingId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, (viewer, booking, to), |unit, (viewer, booking, to)| {
            Box::pin(async move {
                let found = locked_for(unit, viewer, *booking, Party::Contractor).await?;
                let from = found.status;
                let changed = step(unit, &found, *to, None).await?;
                unit.state(events::status_changed(&changed, from)?);
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
                let found = locked_for(unit, &viewer, *booking, Party::Customer).await?;
                let from = found.status;
                let done = step(unit, &found, Status::Completed, None).await?;
                if let Some(job) = done.job {
                    jobs::commands::finish(unit, job, jobs::Status::Completed, done.contractor).await?;
                }
                escrow::release(unit, done.id, done.deal()).await?;
                unit.audit(AuditRow::new("booking.complete", done.id));
                unit.state(events::status_changed(&done, from)?);
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

/// Gives a booking up, before work has begun. The table of [`outcomes`] says what is paid back.
pub async fn cancel(platform: &Platform, caller: &Caller, key: Once, input: Cancel) -> Result<Effect<BookingId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once(caller, key, input, move |unit, input| Box::pin(async move { give_up(unit, &viewer, input).await }))
        .await
}

async fn give_up(unit: &mut Unit, viewer: &Viewer, input: &Cancel) -> Result<BookingId> {
    let found = lock(unit, input.booking).await?;
    let by = found.party_of(viewer.user)?;
    unit.act_as(by.role());
    let refund = outcomes::cancellation(found.status, by)?;
    let gone = step(unit, &found, Status::Cancelled, Some((by, &input.reason))).await?;
    if let Some(job) = gone.job {
        jobs::commands::finish(unit, job, jobs::Status::Cancelled, gone.contractor).await?;
    }
    escrow::refund(unit, gone.id, gone.deal(), refund.with_fee).await?;
    let paid = if refund.with_fee { gone.quote.customer_total()? } else { gone.quote.budget };
    unit.audit(AuditRow::new("booking.cancel", gone.id).because(&input.reason));
    unit.state(events::cancelled(&gone, by, paid)?);
    Ok(gone.id)
}

/// A booking that nobody else changes until this unit of work ends.
pub async fn lock(unit: &mut Unit, id: BookingId) -> Result<Booking> {
    store::lock(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("booking"))
}

/// A booking that one party, and not the other, may move on.
async fn locked_for(unit: &mut Unit, viewer: &Viewer, id: BookingId, party: Party) -> Result<Booking> {
    let found = lock(unit, id).await?;
    if found.party_of(viewer.user)? != party {
        return Err(Error::forbidden(format!("This is for the booking's {}.", party.name().to_lowercase())));
    }
    unit.act_as(party.role());
    Ok(found)
}

async fn step(unit: &mut Unit, booking: &Booking, to: Status, cancelled: Option<(Party, &str)>) -> Result<Booking> {
    let step = Step {
        from: booking.status,
        to: booking.status.step(to)?,
        cancelled_by: cancelled.map(|(by, _)| by.name()),
        cancel_reason: cancelled.map(|(_, reason)| reason),
    };
    let changed = store::step(&mut unit.tx, booking.id, step, unit.now).await?;
    changed.ok_or_else(|| Error::conflict("This booking changed meanwhile; look again."))
}
