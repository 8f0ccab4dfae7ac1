//! From the accepted offer to the released money.

use serde::{Deserialize, Serialize};

use super::model::{ACCEPT, CANCEL, COMPLETE, DELIVER, Patience, RELEASE, START, moves_money, stored};
use super::store::Step;
use super::{Booking, LIFE, Status, events, store, timers};
use crate::features::wallet::escrow::{self, Given};
use crate::features::wallet::model::Cause;
use crate::features::wallet::outcomes;
use crate::features::{chat, jobs, offers};
use crate::kernel::id::{BookingId, ConversationId, OfferId};
use crate::kernel::{By, Caller, Code, Error, Result, Role, Viewer, text};
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
    let (viewer, patience) = (caller.viewer()?, Patience::of(platform));
    platform
        .work
        .once(caller, key, offer, move |unit, offer| {
            Box::pin(async move { conclude(unit, &viewer, *offer, patience).await })
        })
        .await
}

async fn conclude(unit: &mut Unit, viewer: &Viewer, id: OfferId, patience: Patience) -> Result<Accepted> {
    let (offer, _) = offers::commands::to_answer(unit, viewer, id, ACCEPT).await?;
    // The job first, then its offers, then money: the order in which everybody locks.
    let job = jobs::commands::assign(unit, offer.job, ACCEPT, offer.contractor).await?;
    let decided = offers::settling::decide(unit, job.id, id).await?;
    pay(unit, &offer, &decided.losers).await?;
    let subject = chat::Subject::job(job.id);
    let conversation = chat::commands::open(unit, subject, (offer.customer, offer.contractor)).await?;
    let booking = book(unit, &offer, conversation)?;
    timers::wait(unit, &booking, patience)?;
    Ok(Accepted { offer: id, booking: booking.id, conversation, made: Some((decided.winner, booking)) })
}

/// The money of the winner, together with that of the losers, which may pay for it.
async fn pay(unit: &mut Unit, winner: &offers::Offer, losers: &[offers::Offer]) -> Result<()> {
    let pending = Some(winner.status.name());
    let freed = outcomes::of(ACCEPT, pending, By::Rival)?.frees();
    let lost: Vec<_> = losers.iter().filter_map(|loser| loser.hold.zip(freed)).collect();
    let outcome = outcomes::of(ACCEPT, pending, By::Receiver)?;
    escrow::post(unit, Cause::of(winner.id), winner.deal(), outcome, Given { lost: &lost, ..Given::default() }).await?;
    for loser in losers.iter().filter(|loser| loser.hold.is_some()) {
        unit.audit(AuditRow::new("offer.free", loser.id));
    }
    Ok(())
}

fn book(unit: &mut Unit, offer: &offers::Offer, conversation: ConversationId) -> Result<Booking> {
    let booking = Booking {
        id: unit.ids.new_id(),
        job: Some(offer.job),
        offer: offer.id,
        customer: offer.customer,
        contractor: offer.contractor,
        conversation,
        quote: offer.quote,
        period: offer.period,
        status: LIFE.born(ACCEPT, By::Deal)?,
        cancel_reason: None,
        settled: None,
        releases_at: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    store::insert(unit, &booking);
    let amount = booking.quote.budget.to_string();
    unit.audit(AuditRow::new("offer.accept", offer.id).with(serde_json::json!({ "escrow": amount })));
    unit.state(events::created(&booking));
    Ok(booking)
}

/// Which booking to move on, checked. Staff say why they do it for somebody.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    booking: BookingId,
    reason: Option<String>,
}

impl Move {
    /// Checks what a person typed.
    pub fn new(booking: BookingId, reason: Option<&str>) -> Result<Self> {
        let reason = reason.map(|reason| text::paragraphs(reason, text::NOTE_MAX)).transpose();
        Ok(Move { booking, reason: reason.map_err(|error| error.at("reason"))? })
    }
}

/// The contractor begins, or staff say that it did.
pub async fn start(platform: &Platform, caller: &Caller, input: Move) -> Result<BookingId> {
    advance(platform, caller, input, START).await
}

/// The contractor is done, or staff say that it is.
pub async fn deliver(platform: &Platform, caller: &Caller, input: Move) -> Result<BookingId> {
    advance(platform, caller, input, DELIVER).await
}

async fn advance(platform: &Platform, caller: &Caller, input: Move, transition: &'static str) -> Result<BookingId> {
    let (viewer, patience) = (caller.viewer()?, Patience::of(platform));
    platform
        .work
        .run(caller, (viewer, input), move |unit, (viewer, input)| {
            Box::pin(async move { go_on(unit, viewer, input, transition, patience).await })
        })
        .await
}

/// The customer is content, or staff find that it should be: the escrow goes to the contractor, less the service fee, at
/// once or after the delay of the release.
pub async fn complete(platform: &Platform, caller: &Caller, key: Once, input: Move) -> Result<Effect<BookingId>> {
    let (viewer, patience) = (caller.viewer()?, Patience::of(platform));
    platform
        .work
        .once(caller, key, input, move |unit, input| {
            Box::pin(async move { go_on(unit, &viewer, input, COMPLETE, patience).await })
        })
        .await
}

async fn go_on(
    unit: &mut Unit,
    viewer: &Viewer,
    input: &Move,
    transition: &'static str,
    patience: Patience,
) -> Result<BookingId> {
    let reason = input.reason.as_deref();
    let (found, by) = locked_for(unit, viewer, input.booking, transition, reason).await?;
    // What a party says is kept nowhere.
    let reason = reason.filter(|_| by == By::Staff);
    let changed = step(unit, &found, transition, by, None, patience).await?;
    if transition == COMPLETE || by == By::Staff {
        let action = match transition {
            START => "booking.start",
            DELIVER => "booking.deliver",
            _ => "booking.complete",
        };
        let change = serde_json::json!({ "from": found.status.name(), "to": changed.status.name() });
        let row = AuditRow::new(action, changed.id).with(change);
        unit.audit(if let Some(reason) = reason { row.because(reason) } else { row });
    }
    unit.state(events::status_changed(&changed, found.status)?);
    Ok(changed.id)
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
    let (viewer, patience) = (caller.viewer()?, Patience::of(platform));
    platform
        .work
        .once(caller, key, input, move |unit, input| {
            Box::pin(async move { give_up(unit, &viewer, input, patience).await })
        })
        .await
}

async fn give_up(unit: &mut Unit, viewer: &Viewer, input: &Cancel, patience: Patience) -> Result<BookingId> {
    let (found, by) = locked_for(unit, viewer, input.booking, CANCEL, Some(&input.reason)).await?;
    let gone = step(unit, &found, CANCEL, by, Some(&input.reason), patience).await?;
    let change = serde_json::json!({ "from": found.status.name(), "to": gone.status.name() });
    unit.audit(AuditRow::new("booking.cancel", gone.id).because(&input.reason).with(change));
    unit.state(events::cancelled(&gone, &stored(by), found.refund(CANCEL, by)?)?);
    Ok(gone.id)
}

/// A booking that nobody else changes until this unit of work ends.
pub async fn lock(unit: &mut Unit, id: BookingId) -> Result<Booking> {
    store::lock(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("booking"))
}

/// A booking that one of its parties, or staff with a reason, want to move on, kept as it is until the unit ends.
async fn locked_for(
    unit: &mut Unit,
    viewer: &Viewer,
    id: BookingId,
    transition: &str,
    reason: Option<&str>,
) -> Result<(Booking, By)> {
    let found = lock(unit, id).await?;
    let (by, role) = found.hand_of(viewer)?;
    if by == By::Staff {
        must_be_allowed(role, transition)?;
        reason.ok_or_else(|| Error::new(Code::Invalid, "Staff say why they do this for somebody.").at("reason"))?;
    }
    unit.act_as(role);
    Ok((found, by))
}

/// Moderators move no money.
fn must_be_allowed(role: Role, transition: &str) -> Result<()> {
    if role == Role::Admin || !moves_money(transition) {
        return Ok(());
    }
    Err(Error::forbidden("Only users with the role ADMIN may do this for somebody else: it moves money."))
}

/// Takes a step: the booking, its job when it ends, its money, and the timer of the next one.
pub(super) async fn step(
    unit: &mut Unit,
    booking: &Booking,
    transition: &str,
    by: By,
    reason: Option<&str>,
    patience: Patience,
) -> Result<Booking> {
    let to = booking.step(transition, by)?;
    let gone = (to == Status::Cancelled).then(|| stored(by));
    let outcome = booking.outcome(transition, by)?;
    let releases_at = patience.releases_at(outcome, unit.now);
    let cancelled_by = gone.as_deref();
    let step = Step { cancelled_by, cancel_reason: reason, releases_at, ..Step::plain(booking.status, to) };
    let changed = write(unit, booking, step, patience).await?;
    if releases_at.is_none() {
        escrow::post(unit, Cause::of(changed.id), changed.deal(), outcome, Given::default()).await?;
    }
    Ok(changed)
}

/// Pays for a completed booking whose price was put off.
pub(super) async fn release(unit: &mut Unit, found: &Booking) -> Result<()> {
    found.step(RELEASE, By::Timer)?;
    let released = store::release(&mut unit.tx, found.id, unit.now).await?;
    let released = released.ok_or_else(|| Error::conflict("This booking changed meanwhile; look again."))?;
    let outcome = found.outcome(RELEASE, By::Timer)?;
    escrow::post(unit, Cause::of(released.id), released.deal(), outcome, Given::default()).await?;
    let price = released.quote.budget.to_string();
    unit.audit(AuditRow::new(RELEASE, released.id).with(serde_json::json!({ "price": price })));
    unit.state(events::released(&released));
    Ok(())
}

/// Takes a step without money: the booking, its job when it ends, and the timer of the next one.
pub(super) async fn write(unit: &mut Unit, booking: &Booking, step: Step<'_>, patience: Patience) -> Result<Booking> {
    let to = step.to;
    let changed = store::step(&mut unit.tx, booking.id, step, unit.now).await?;
    let changed = changed.ok_or_else(|| Error::conflict("This booking changed meanwhile; look again."))?;
    if let (Some(job), true) = (changed.job, LIFE.ends.contains(&to)) {
        // Whatever ended the booking, its job is done or given up.
        let ending = if to == Status::Completed { COMPLETE } else { CANCEL };
        jobs::commands::finish(unit, job, ending, changed.contractor).await?;
    }
    timers::wait(unit, &changed, patience)?;
    Ok(changed)
}
