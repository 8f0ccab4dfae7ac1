//! Making offers and ending them.

use serde::{Deserialize, Serialize};

use super::model::{DECLINE, EXPIRE, SEND, WITHDRAW};
use super::{Horizon, LIFE, NewOffer, Offer, Party, Period, Reason, Status, events, queries, store};
use crate::features::wallet::model::Cause;
use crate::features::wallet::{Quote, Rates, escrow, outcomes};
use crate::features::{accounts, jobs};
use crate::kernel::clock::DAY;
use crate::kernel::id::{JobId, OfferId, UserId};
use crate::kernel::{By, Caller, Code, Error, Money, Result, Role, Viewer};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The payload of [`EXPIRE`].
#[derive(Serialize, Deserialize)]
pub struct Expire {
    /// Which offer.
    pub offer: OfferId,
}

/// What the house allows, as the settings say it.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    rates: Rates,
    days: i64,
    pending_max: i64,
    pub(super) rounds_max: i64,
    pub(super) horizon: Horizon,
}

impl Rules {
    pub(super) fn of(platform: &Platform) -> Self {
        let limits = &platform.config.offers;
        Rules {
            rates: Rates::current(platform),
            days: limits.expire_after_days,
            pending_max: limits.pending_per_job,
            rounds_max: limits.counter_rounds,
            horizon: Horizon::of(platform),
        }
    }
}

#[derive(Serialize)]
struct Canonical {
    job: JobId,
    contractor: Option<UserId>,
    minor: i64,
    currency: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
}

/// Makes an offer. A customer's holds the price and the fee at once.
pub async fn send(platform: &Platform, caller: &Caller, key: Once, input: NewOffer) -> Result<Effect<OfferId>> {
    let viewer = caller.viewer()?;
    viewer.must_be(if input.contractor.is_some() { Role::Customer } else { Role::Contractor })?;
    let rules = Rules::of(platform);
    let canonical = Canonical {
        job: input.job,
        contractor: input.contractor,
        minor: input.amount.minor,
        currency: input.amount.currency.code(),
        message: input.message.clone(),
        period: input.period,
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
    let made_by = maker(unit, viewer, &job, input).await?;
    unit.act_as(made_by.role());
    same_currency(input.amount, &job)?;
    if store::pending_count(&mut unit.tx, job.id).await? >= rules.pending_max {
        return Err(Error::new(Code::TooManyOffers, "This job has as many pending offers as it may have; try later."));
    }
    let period = input.period.map(|period| period.within(unit.now, rules.horizon, unit.now)).transpose()?;
    let terms = Terms {
        made_by,
        contractor: input.contractor.unwrap_or(viewer.user),
        amount: input.amount,
        message: &input.message,
        period,
        answers: None,
    };
    place(unit, &job, SEND, terms, rules).await
}

/// Refuses a price in another currency than the job's.
pub(super) fn same_currency(amount: Money, job: &jobs::Job) -> Result<()> {
    if amount.currency == job.budget.currency {
        return Ok(());
    }
    let message = format!("This job is in {}; offer in the same currency.", job.budget.currency);
    Err(Error::new(Code::CurrencyMismatch, message).at("amount.currency"))
}

/// What somebody offers.
pub(super) struct Terms<'a> {
    pub(super) made_by: Party,
    pub(super) contractor: UserId,
    pub(super) amount: Money,
    pub(super) message: &'a str,
    /// When the work would take place.
    pub(super) period: Option<Period>,
    /// The offer that it answers.
    pub(super) answers: Option<&'a Offer>,
}

/// Makes an offer on a job that is locked, and holds what it holds.
pub(super) async fn place(
    unit: &mut Unit,
    job: &jobs::Job,
    transition: &'static str,
    terms: Terms<'_>,
    rules: Rules,
) -> Result<OfferId> {
    let made_by = terms.made_by;
    let expires_at = unit.now.plus(rules.days * DAY).min(job.expires_at);
    let offer = Offer {
        id: unit.ids.new_id(),
        job: job.id,
        customer: job.customer,
        contractor: terms.contractor,
        made_by,
        quote: Quote::of(terms.amount, rules.rates)?,
        rates: rules.rates,
        message: terms.message.to_owned(),
        period: terms.period,
        status: LIFE.born(transition, made_by.by())?,
        decline_reason: None,
        counter_to: terms.answers.map(|offer| offer.id),
        round: terms.answers.map_or(0, |offer| offer.round + 1),
        hold: (made_by == Party::Customer).then(|| unit.ids.new_id()),
        expires_at: terms.period.map_or(expires_at, |period| period.answer_by().min(expires_at)),
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    // Before the money: this may wait for a pending offer that is just being ended, which waits for the same wallet next.
    if !store::insert(&mut unit.tx, &offer).await? {
        return Err(Error::new(Code::OfferExists, "Such an offer is pending already; withdraw it first."));
    }
    let outcome = outcomes::of(transition, None, made_by.by())?;
    escrow::post(unit, Cause::of(offer.id), offer.deal(), outcome, Default::default()).await?;
    if offer.hold.is_some() {
        unit.audit(AuditRow::new("offer.hold", offer.id));
    }
    unit.enqueue(NewTask::new(EXPIRE, &Expire { offer: offer.id }, offer.expires_at)?);
    unit.state(events::sent(&offer));
    Ok(offer.id)
}

/// Which side the viewer is on: a customer names a contractor, a contractor names nobody.
async fn maker(unit: &mut Unit, viewer: &Viewer, job: &jobs::Job, input: &NewOffer) -> Result<Party> {
    let own = || Error::new(Code::OwnJob, "Nobody works on an own job.");
    match input.contractor {
        None if job.customer == viewer.user => Err(own().at("jobId")),
        None => Ok(Party::Contractor),
        Some(_) if job.customer != viewer.user => Err(Error::forbidden(
            "Only the job's customer names a contractor; leave contractorId out to offer yourself.",
        )),
        Some(contractor) if contractor == viewer.user => Err(own().at("contractorId")),
        Some(contractor) => {
            let stranger = || Error::not_found("contractor").at("contractorId");
            let user = accounts::queries::in_unit(unit, contractor).await;
            let user = user.map_err(|error| if error.code == Code::NotFound { stranger() } else { error })?;
            let deals = user.roles.has(Role::Contractor) && user.must_be_free(unit.now).is_ok();
            if deals { Ok(Party::Customer) } else { Err(stranger()) }
        }
    }
}

/// The side that got the offer says no. With a key, a repetition gives the first effect again.
pub async fn decline(
    platform: &Platform,
    caller: &Caller,
    key: Option<Once>,
    offer: OfferId,
) -> Result<Effect<OfferId>> {
    end_by(platform, caller, key, offer, DECLINE).await
}

/// The side that made the offer takes it back. With a key, a repetition gives the first effect again.
pub async fn withdraw(
    platform: &Platform,
    caller: &Caller,
    key: Option<Once>,
    offer: OfferId,
) -> Result<Effect<OfferId>> {
    end_by(platform, caller, key, offer, WITHDRAW).await
}

async fn end_by(
    platform: &Platform,
    caller: &Caller,
    key: Option<Once>,
    offer: OfferId,
    transition: &'static str,
) -> Result<Effect<OfferId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once_if(caller, key, offer, move |unit, offer| {
            Box::pin(async move {
                let found = queries::in_unit(unit, *offer).await?.ok_or_else(|| Error::not_found("offer"))?;
                let party = found.party_of(viewer.user)?;
                unit.act_as(party.role());
                let by = found.by(party);
                if end(unit, &found, transition, by).await? { Ok(*offer) } else { Err(gone()) }
            })
        })
        .await
}

/// An offer that a party wants to make a deal of, and that party's side. Both must be able to keep their side of it.
pub async fn to_answer(unit: &mut Unit, viewer: &Viewer, id: OfferId, transition: &str) -> Result<(Offer, Party)> {
    let found = store::to_answer(&mut unit.tx, id, viewer.user, unit.now).await?;
    let (offer, other_deals) = found.ok_or_else(|| Error::not_found("offer"))?;
    let party = offer.party_of(viewer.user)?;
    viewer.must_be(party.role())?;
    unit.act_as(party.role());
    offer.step(transition, offer.by(party), unit.now)?;
    if !other_deals {
        return Err(Error::conflict("The other one makes no deals at present; look for somebody else, or try later."));
    }
    Ok((offer, party))
}

/// What the loser of a race hears.
pub(super) fn gone() -> Error {
    Error::conflict("This offer has ended already.")
}

/// Ends an offer and frees what it holds; false when somebody else ended it meanwhile.
async fn end(unit: &mut Unit, offer: &Offer, transition: &str, by: By) -> Result<bool> {
    let Some(ended) = step(unit, offer, transition, by).await? else { return Ok(false) };
    free(unit, offer, transition, by).await?;
    unit.state(events::ended(&ended)?);
    Ok(true)
}

/// Takes a step in an offer's life, without its money; nothing when somebody else ended it meanwhile.
pub(super) async fn step(unit: &mut Unit, offer: &Offer, transition: &str, by: By) -> Result<Option<Offer>> {
    let (from, to) = (offer.status, offer.step(transition, by, unit.now)?);
    let step = store::Step { from, to, reason: Reason::of(transition, to) };
    store::step(&mut unit.tx, offer.id, step, unit.now).await
}

/// Frees what an offer holds, as a transition from where it stood says.
pub(super) async fn free(unit: &mut Unit, offer: &Offer, transition: &str, by: By) -> Result<()> {
    if offer.hold.is_some() {
        let outcome = outcomes::of(transition, Some(offer.status.name()), by)?;
        escrow::post(unit, Cause::of(offer.id), offer.deal(), outcome, Default::default()).await?;
        unit.audit(AuditRow::new("offer.free", offer.id));
    }
    Ok(())
}

/// Lets an offer expire whose time is over. One that has ended already is left alone.
pub async fn expire(platform: &Platform, caller: &Caller, offer: OfferId) -> Result<()> {
    platform
        .work
        .run(caller, offer, |unit, offer| {
            Box::pin(async move {
                match queries::in_unit(unit, *offer).await? {
                    Some(found) if found.status == Status::Pending && found.expires_at > unit.now => {
                        Err(Error::early("offer"))
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
