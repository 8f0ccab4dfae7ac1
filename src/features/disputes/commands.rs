//! Opening, proposing, agreeing, deciding.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::ESCALATE;
use super::{
    Decide, Dispute, Ending, LIFE, NewDispute, Proposal, Propose, Status, events, evidence, queries, store, waiting,
};
use crate::features::bookings::model::{AGREE, DECIDE, DISPUTE, Patience, RETRACT};
use crate::features::bookings::{self, Booking, disputed};
use crate::features::wallet::escrow::{self, Given};
use crate::features::wallet::model::Cause;
use crate::features::wallet::outcomes::{self, Decided, Split};
use crate::features::{chat, offers};
use crate::kernel::clock::DAY;
use crate::kernel::id::{BookingId, DisputeId, FileId};
use crate::kernel::{By, Caller, Code, Error, Result, Role, Timestamp, Viewer};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The payload of the task that hands a dispute to staff.
#[derive(Serialize, Deserialize)]
pub struct Escalate {
    /// Which dispute.
    pub dispute: DisputeId,
}

/// What the settings say.
#[derive(Clone, Copy)]
struct Rules {
    patience: Patience,
    answer_ms: i64,
    proposal_ms: i64,
    open_ms: i64,
}

impl Rules {
    fn of(platform: &Platform) -> Self {
        let days = &platform.config.disputes;
        let [answer_ms, proposal_ms, open_ms] =
            [days.answer_days, days.proposal_days, days.open_days].map(|days| days * DAY);
        Rules { patience: Patience::of(platform), answer_ms, proposal_ms, open_ms }
    }
}

#[derive(Serialize)]
struct CanonicalOpen {
    booking: BookingId,
    reason: &'static str,
    evidence: String,
    // Left out where there are none, as it was when there could be none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileId>,
}

#[derive(Serialize)]
struct CanonicalAccept {
    dispute: DisputeId,
    proposal: i64,
}

#[derive(Serialize)]
struct CanonicalDecision {
    dispute: DisputeId,
    parts: [(i64, &'static str); 3],
    fee_back: bool,
    reason: String,
}

/// A party opens a dispute. The booking is frozen at once.
pub async fn open(platform: &Platform, caller: &Caller, key: Once, input: NewDispute) -> Result<Effect<DisputeId>> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    let (evidence, files) = (input.evidence.clone(), input.files.clone());
    let canonical = CanonicalOpen { booking: input.booking, reason: input.reason.name(), evidence, files };
    platform
        .work
        .once(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move { begin(unit, &viewer, &input, rules).await })
        })
        .await
}

async fn begin(unit: &mut Unit, viewer: &Viewer, input: &NewDispute, rules: Rules) -> Result<DisputeId> {
    let booking = bookings::commands::lock(unit, input.booking).await?;
    let party = booking.party_of(viewer.user)?;
    unit.act_as(party.role());
    if bookings::LIFE.ends.contains(&booking.status) {
        let message = format!("This booking is {}; a dispute is opened before that.", booking.status.name());
        return Err(Error::new(Code::DisputeTooLate, message).at("bookingId"));
    }
    disputed::freeze(unit, &booking, party, rules.patience).await?;
    let offer = offers::queries::in_unit(unit, booking.offer).await?;
    let rates = offer.ok_or_else(|| Error::internal("a booking without its offer"))?.rates;
    let dispute = Dispute {
        id: unit.ids.new_id(),
        booking: booking.id,
        customer: booking.customer,
        contractor: booking.contractor,
        opener: viewer.user,
        reason: input.reason,
        evidence: input.evidence.clone(),
        booking_was: booking.status,
        escrow: booking.quote.budget,
        service_bps: rates.service_bps,
        status: LIFE.born(DISPUTE, By::Deal)?,
        deadline: unit.now.plus(rules.answer_ms),
        proposal: None,
        ending: None,
        decision: None,
        ended_at: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    if !store::insert(&mut unit.tx, &dispute).await? {
        return Err(Error::internal("two disputes of one booking"));
    }
    let files = evidence::attach(unit, &dispute, viewer.user, &input.files).await;
    let files = evidence::names(&files.map_err(|error| error.at("evidenceFileIds"))?);
    unit.enqueue(NewTask::new(ESCALATE, &Escalate { dispute: dispute.id }, dispute.deadline)?);
    let (from, to) = (booking.status.name(), bookings::Status::Disputed.name());
    let change = json!({ "from": from, "to": to, "files": files });
    unit.audit(AuditRow::new("dispute.open", dispute.id).because(dispute.reason.name()).with(change));
    unit.state(events::happened(events::OPENED, &dispute));
    Ok(dispute.id)
}

/// A party or staff propose a split. It takes the place of the proposal before.
pub async fn propose(platform: &Platform, caller: &Caller, input: Propose) -> Result<DisputeId> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    platform
        .work
        .run(caller, input, move |unit, input| {
            Box::pin(async move {
                let (booking, mut dispute) = locked(unit, input.dispute).await?;
                let (by, role) = dispute.hand_of(&viewer)?;
                unit.act_as(role);
                dispute.status = LIFE.step(super::model::PROPOSE, dispute.status, by)?;
                let split = dispute.split(input.customer)?;
                let until = unit.now.plus(rules.proposal_ms);
                dispute.proposal = Some(Proposal {
                    number: dispute.proposal.map_or(0, |it| it.number) + 1,
                    proposer: viewer.user,
                    by,
                    customer: input.customer,
                    customer_agrees: by == By::Customer,
                    contractor_agrees: by == By::Contractor,
                    expires_at: until,
                });
                // Nobody keeps the other one from staff for ever by one proposal after the other.
                dispute.deadline = until.min(dispute.created_at.plus(rules.open_ms));
                let changed = save(unit, &dispute).await?;
                if changed.status == Status::Open {
                    unit.enqueue(NewTask::new(ESCALATE, &Escalate { dispute: changed.id }, changed.deadline)?);
                }
                if by == By::Staff {
                    chat::commands::join(unit, booking.conversation, viewer.user).await?;
                }
                unit.audit(AuditRow::new("dispute.propose", changed.id).with(parts(&split)));
                unit.state(events::happened(events::PROPOSED, &changed));
                Ok(changed.id)
            })
        })
        .await
}

/// Staff join the conversation of the two, to read it until the dispute has ended. Both see that.
pub async fn join(platform: &Platform, caller: &Caller, dispute: DisputeId) -> Result<DisputeId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, dispute, move |unit, dispute| {
            Box::pin(async move {
                let (booking, dispute) = locked(unit, *dispute).await?;
                let (by, role) = dispute.hand_of(&viewer)?;
                unit.act_as(role);
                if by != By::Staff {
                    return Err(Error::forbidden("Only staff join a dispute; its parties are in the conversation."));
                }
                if LIFE.ends.contains(&dispute.status) {
                    return Err(Error::conflict("This dispute has ended; its conversation is for its parties alone."));
                }
                if chat::commands::join(unit, booking.conversation, viewer.user).await? {
                    unit.audit(AuditRow::new("dispute.join", dispute.id));
                }
                Ok(dispute.id)
            })
        })
        .await
}

/// A party accepts the proposal that counts. When both agree, the split is posted at once.
pub async fn accept(
    platform: &Platform,
    caller: &Caller,
    key: Once,
    (dispute, proposal): (DisputeId, i64),
) -> Result<Effect<DisputeId>> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    platform
        .work
        .once(caller, key, CanonicalAccept { dispute, proposal }, move |unit, input| {
            Box::pin(async move { agree(unit, &viewer, input, rules).await })
        })
        .await
}

async fn agree(unit: &mut Unit, viewer: &Viewer, input: &CanonicalAccept, rules: Rules) -> Result<DisputeId> {
    let (booking, mut dispute) = locked(unit, input.dispute).await?;
    let (by, role) = dispute.hand_of(viewer)?;
    unit.act_as(role);
    let to = LIFE.step(AGREE, dispute.status, by)?;
    let proposal = dispute.acceptable(Some(input.proposal), by, unit.now)?.agreed_by(by);
    dispute.proposal = Some(proposal);
    if proposal.is_agreed() {
        let split = dispute.split(proposal.customer)?;
        return end(unit, (&booking, dispute), AGREE, by, (to, split), rules).await;
    }
    let changed = save(unit, &dispute).await?;
    unit.audit(AuditRow::new("dispute.agree", changed.id).with(json!({ "proposal": proposal.number })));
    unit.state(events::happened(events::ACCEPTED, &changed));
    Ok(changed.id)
}

/// Whoever opened a dispute takes it back, and the booking goes on from where it stood.
pub async fn withdraw(platform: &Platform, caller: &Caller, dispute: DisputeId) -> Result<DisputeId> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    platform
        .work
        .run(caller, dispute, move |unit, dispute| {
            Box::pin(async move {
                let (booking, mut dispute) = locked(unit, *dispute).await?;
                let (by, role) = dispute.hand_of(&viewer)?;
                unit.act_as(role);
                let from = dispute.status;
                let by = if viewer.user == dispute.opener { By::Maker } else { by };
                dispute.status = LIFE.step(RETRACT, from, by)?;
                dispute.ended_at = Some(unit.now);
                let ended = save(unit, &dispute).await?;
                disputed::thaw(unit, &booking, RETRACT, ended.booking_was, rules.patience).await?;
                chat::commands::dismiss(unit, booking.conversation).await?;
                let change = json!({ "from": from.name(), "to": ended.status.name() });
                unit.audit(AuditRow::new("dispute.withdraw", ended.id).with(change));
                unit.state(events::status_changed(&ended, from)?);
                waiting::settle(unit, ended.id, from).await?;
                Ok(ended.id)
            })
        })
        .await
}

/// An administrator decides. All parts are posted together and are the escrow to the last digit, or nothing moves.
pub async fn decide(platform: &Platform, caller: &Caller, key: Once, input: Decide) -> Result<Effect<DisputeId>> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    viewer.must_be(Role::Admin)?;
    let Split { customer, contractor, platform: fees, fee_back } = input.split;
    let parts = [customer, contractor, fees].map(|part| (part.minor, part.currency.code()));
    let canonical = CanonicalDecision { dispute: input.dispute, parts, fee_back, reason: input.reason.clone() };
    platform
        .work
        .once(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move {
                let (booking, mut dispute) = locked(unit, input.dispute).await?;
                let (by, role) = dispute.hand_of(&viewer)?;
                unit.act_as(role);
                let to = LIFE.step(DECIDE, dispute.status, by)?;
                input.split.of_exactly(dispute.escrow)?;
                dispute.decision = Some(input.reason);
                end(unit, (&booking, dispute), DECIDE, by, (to, input.split), rules).await
            })
        })
        .await
}

/// Ends a dispute in a split: the money, the booking and its job, in one unit.
async fn end(
    unit: &mut Unit,
    (booking, mut dispute): (&Booking, Dispute),
    transition: &str,
    by: By,
    (to, split): (Status, Split),
    rules: Rules,
) -> Result<DisputeId> {
    let from = dispute.status;
    dispute.status = to;
    dispute.ending = Some(Ending { split });
    dispute.ended_at = Some(unit.now);
    let ended = save(unit, &dispute).await?;
    let because = ended.decision.as_deref();
    disputed::settle(unit, booking, transition, &split, because, rules.patience).await?;
    let outcome = outcomes::of(transition, Some(from.name()), by)?;
    let given = Given { decided: Decided::Split(split), ..Given::default() };
    escrow::post(unit, Cause::of(booking.id), booking.deal(), outcome, given).await?;
    chat::commands::dismiss(unit, booking.conversation).await?;
    let action = if to == Status::Decided { "dispute.decide" } else { "dispute.agree" };
    let row = AuditRow::new(action, ended.id).with(parts(&split));
    unit.audit(if let Some(because) = because { row.because(because) } else { row });
    unit.state(events::status_changed(&ended, from)?);
    waiting::settle(unit, ended.id, from).await?;
    Ok(ended.id)
}

/// Hands a dispute to staff whose time is over. One that has ended, or got a new proposal, is left alone.
pub async fn escalate(platform: &Platform, caller: &Caller, dispute: DisputeId) -> Result<()> {
    platform
        .work
        .run(caller, dispute, |unit, dispute| {
            Box::pin(async move {
                let (_, mut dispute) = locked(unit, *dispute).await?;
                if dispute.status != Status::Open || is_later(dispute.deadline, unit.now) {
                    return Ok(());
                }
                if dispute.deadline > unit.now {
                    return Err(Error::early("dispute"));
                }
                let from = dispute.status;
                dispute.status = LIFE.step(ESCALATE, from, By::Timer)?;
                let changed = save(unit, &dispute).await?;
                let change = json!({ "from": from.name(), "to": changed.status.name() });
                unit.audit(AuditRow::new(ESCALATE, changed.id).with(change));
                unit.state(events::status_changed(&changed, from)?);
                waiting::raise(unit, changed.id).await
            })
        })
        .await
}

/// Whether a deadline was put off, and is not just ahead of a clock that went back: then another task waits for it.
fn is_later(deadline: Timestamp, now: Timestamp) -> bool {
    deadline > now.plus(DAY / 24)
}

/// A dispute and its booking, which nobody else changes until this unit ends.
pub(super) async fn locked(unit: &mut Unit, id: DisputeId) -> Result<(Booking, Dispute)> {
    let booking = queries::in_unit(unit, id).await?.booking;
    let booking = bookings::commands::lock(unit, booking).await?;
    // Read again: it may have changed while this one waited for its booking.
    Ok((booking, queries::in_unit(unit, id).await?))
}

/// Stores what changed since a dispute was read.
pub(super) async fn save(unit: &mut Unit, dispute: &Dispute) -> Result<Dispute> {
    let saved = store::save(&mut unit.tx, dispute, unit.now).await?;
    saved.ok_or_else(|| Error::conflict("This dispute changed meanwhile; look again."))
}

fn parts(split: &Split) -> serde_json::Value {
    json!({
        "customer": split.customer.to_string(),
        "contractor": split.contractor.to_string(),
        "platform": split.platform.to_string(),
        "feeBack": split.fee_back,
    })
}
