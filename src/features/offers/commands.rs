//! Making offers and ending them.

use serde::{Deserialize, Serialize};

use super::model::{ACCEPT, DECLINE, EXPIRE, SEND, WITHDRAW};
use super::{LIFE, NewOffer, Offer, Side, Status, events, queries, store};
use crate::features::wallet::model::Cause;
use crate::features::wallet::{Quote, Rates, escrow, outcomes};
use crate::features::{accounts, jobs};
use crate::kernel::clock::DAY;
use crate::kernel::id::{JobId, OfferId, TaskId, UserId};
use crate::kernel::{By, Caller, Code, Error, Result, Role, Viewer};
use crate::platform::Platform;
use crate::platform::queue::{self, NewTask};
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The payload of [`EXPIRE`].
#[derive(Serialize, Deserialize)]
pub struct Expire {
    /// Which offer.
    pub offer: OfferId,
}

/// The task that tells contractors whose offers were declined with many others.
pub const TELL: &str = "offer.tell";

/// The payload of [`TELL`].
#[derive(Serialize, Deserialize)]
pub struct Tell {
    /// Which offers.
    pub offers: Vec<OfferId>,
}

/// Declined contractors told in the accepting transaction, and in each task: with both parties and the topics of the
/// deal it stays within the streams that one transaction may write to.
const TOLD_AT_ONCE: usize = 12;

/// What the house allows, as the settings say it.
#[derive(Clone, Copy)]
struct Rules {
    rates: Rates,
    days: i64,
    pending_max: i64,
}

#[derive(Serialize)]
struct Canonical {
    job: JobId,
    contractor: Option<UserId>,
    minor: i64,
    currency: &'static str,
    message: String,
}

/// Makes an offer. A customer's holds the price and the fee at once.
pub async fn send(platform: &Platform, caller: &Caller, key: Once, input: NewOffer) -> Result<Effect<OfferId>> {
    let viewer = caller.viewer()?;
    viewer.must_be(if input.contractor.is_some() { Role::Customer } else { Role::Contractor })?;
    let limits = &platform.config.offers;
    let rules =
        Rules { rates: Rates::current(platform), days: limits.expire_after_days, pending_max: limits.pending_per_job };
    let canonical = Canonical {
        job: input.job,
        contractor: input.contractor,
        minor: input.amount.minor,
        currency: input.amount.currency.code(),
        message: input.message.clone(),
    };
    platform
        .work
        .once(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move { make(unit, &viewer, &input, rules).await })
        })
        .await
}

async fn make(unit: &mut Unit, viewer: &Viewer, input: &NewOffer, rules: Rules) -> Result<OfferId> {
    let job = jobs::commands::lock_open(unit, viewer, input.job).await?;
    let made_by = side(unit, viewer, &job, input).await?;
    unit.act_as(made_by.role());
    if input.amount.currency != job.budget.currency {
        let message = format!("This job is in {}; offer in the same currency.", job.budget.currency);
        return Err(Error::new(Code::CurrencyMismatch, message).at("amount.currency"));
    }
    if store::pending_count(&mut unit.tx, job.id).await? >= rules.pending_max {
        return Err(Error::new(Code::TooManyOffers, "This job has as many pending offers as it may have; try later."));
    }
    let offer = Offer {
        id: unit.ids.new_id(),
        job: job.id,
        customer: job.customer,
        contractor: input.contractor.unwrap_or(viewer.user),
        made_by,
        quote: Quote::of(input.amount, rules.rates)?,
        rates: rules.rates,
        message: input.message.clone(),
        status: LIFE.born(SEND, made_by.by())?,
        hold: (made_by == Side::Customer).then(|| unit.ids.new_id()),
        expires_at: unit.now.plus(rules.days * DAY),
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    // Before the money: this may wait for a pending offer that is just being ended, which waits for the same wallet next.
    if !store::insert(&mut unit.tx, &offer).await? {
        return Err(Error::new(Code::OfferExists, "Such an offer is pending already; withdraw it first."));
    }
    let outcome = outcomes::of(SEND, None, made_by.by())?;
    escrow::post(unit, Cause::of(offer.id), offer.deal(), outcome, Default::default()).await?;
    if offer.hold.is_some() {
        unit.audit(AuditRow::new("offer.hold", offer.id));
    }
    unit.enqueue(NewTask::new(EXPIRE, &Expire { offer: offer.id }, offer.expires_at)?);
    unit.state(events::sent(&offer));
    Ok(offer.id)
}

/// Which side the viewer is on: a customer names a contractor, a contractor names nobody.
async fn side(unit: &mut Unit, viewer: &Viewer, job: &jobs::Job, input: &NewOffer) -> Result<Side> {
    let own = || Error::new(Code::OwnJob, "Nobody works on an own job.");
    match input.contractor {
        None if job.customer == viewer.user => Err(own().at("jobId")),
        None => Ok(Side::Contractor),
        Some(_) if job.customer != viewer.user => Err(Error::forbidden(
            "Only the job's customer names a contractor; leave contractorId out to offer yourself.",
        )),
        Some(contractor) if contractor == viewer.user => Err(own().at("contractorId")),
        Some(contractor) => {
            let stranger = || Error::not_found("contractor").at("contractorId");
            let user = accounts::queries::in_unit(unit, contractor).await.map_err(|_| stranger())?;
            if user.roles.has(Role::Contractor) { Ok(Side::Customer) } else { Err(stranger()) }
        }
    }
}

/// The side that got the offer says no.
pub async fn decline(platform: &Platform, caller: &Caller, offer: OfferId) -> Result<OfferId> {
    end_by(platform, caller, offer, DECLINE).await
}

/// The side that made the offer takes it back.
pub async fn withdraw(platform: &Platform, caller: &Caller, offer: OfferId) -> Result<OfferId> {
    end_by(platform, caller, offer, WITHDRAW).await
}

async fn end_by(platform: &Platform, caller: &Caller, offer: OfferId, transition: &'static str) -> Result<OfferId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, (viewer, offer, transition), |unit, (viewer, offer, transition)| {
            Box::pin(async move {
                let found = queries::in_unit(unit, *offer).await?.ok_or_else(|| Error::not_found("offer"))?;
                let side = found.side_of(viewer.user)?;
                unit.act_as(side.role());
                let gone = || Error::conflict("This offer has ended already.");
                if end(unit, &found, transition, found.by(side)).await? { Ok(*offer) } else { Err(gone()) }
            })
        })
        .await
}

/// Ends an offer and frees what it holds; false when somebody else ended it meanwhile.
async fn end(unit: &mut Unit, offer: &Offer, transition: &str, by: By) -> Result<bool> {
    let (from, to) = (offer.status, offer.step(transition, by, unit.now)?);
    let Some(ended) = store::step(&mut unit.tx, offer.id, from, to, unit.now).await? else { return Ok(false) };
    if ended.hold.is_some() {
        let outcome = outcomes::of(transition, Some(from.name()), by)?;
        escrow::post(unit, Cause::of(ended.id), ended.deal(), outcome, Default::default()).await?;
        unit.audit(AuditRow::new("offer.free", ended.id));
    }
    unit.state(events::ended(&ended)?);
    Ok(true)
}

/// Lets an offer expire whose time is over. One that has ended already is left alone.
pub async fn expire(platform: &Platform, caller: &Caller, offer: OfferId) -> Result<()> {
    platform
        .work
        .run(caller, offer, |unit, offer| {
            Box::pin(async move {
                match queries::in_unit(unit, *offer).await? {
                    // The clock went back a little: come again.
                    Some(found) if found.status == Status::Pending && found.expires_at > unit.now => {
                        Err(Error::new(Code::Unavailable, "This offer's time is not over yet."))
                    }
                    Some(found) if found.status == Status::Pending => {
                        end(unit, &found, EXPIRE, By::Timer).await.map(drop)
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
}

/// The offers of a job, decided: one accepted, the others declined.
pub struct Decided {
    /// The accepted one.
    pub winner: Offer,
    /// The declined ones.
    pub losers: Vec<Offer>,
}

/// Accepts one offer of a job and declines the others. Money and booking are the caller's.
pub async fn decide(unit: &mut Unit, job: JobId, winner: OfferId) -> Result<Decided> {
    let from = Status::Pending;
    let (won, lost) = (LIFE.step(ACCEPT, from, By::Receiver)?, LIFE.step(ACCEPT, from, By::Rival)?);
    let decision = store::Decision { winner, from, won, lost };
    let offers = store::decide(&mut unit.tx, job, decision, unit.now).await?;
    let (mut won, losers): (Vec<_>, Vec<_>) = offers.into_iter().partition(|offer| offer.id == winner);
    let winner = won.pop().ok_or_else(|| Error::conflict("This offer has ended already."))?;
    unit.state(events::ended(&winner)?);
    // States and money change here and now; when the job had many offers, most contractors hear of it a moment later.
    let (now, later) = losers.split_at(losers.len().min(TOLD_AT_ONCE));
    for offer in now {
        unit.state(events::ended(offer)?);
    }
    for page in later.chunks(TOLD_AT_ONCE) {
        let offers = page.iter().map(|offer| offer.id).collect();
        unit.enqueue(NewTask::new(TELL, &Tell { offers }, unit.now)?);
    }
    Ok(Decided { winner, losers })
}

/// Tells both sides of offers that ended without a word.
pub async fn tell(platform: &Platform, caller: &Caller, task: TaskId, offers: Vec<OfferId>) -> Result<()> {
    platform
        .work
        .run(caller, (task, offers), |unit, (task, offers)| {
            Box::pin(async move {
                // The task ends with its effect, so that nobody is told twice.
                if !queue::finish(&mut unit.tx, *task, unit.now).await? {
                    return Ok(());
                }
                for offer in store::by_ids(&mut unit.tx, offers).await? {
                    unit.state(events::ended(&offer)?);
                }
                Ok(())
            })
        })
        .await
}
