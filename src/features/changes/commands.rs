//! Proposing a change, agreeing to it, and the other ways in which it ends.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{DECLINE, EXPIRE, WITHDRAW};
use super::{Change, LIFE, Propose, Status, Terms, events, queries, store};
use crate::features::bookings::model::{CHANGE, PROPOSE_CHANGE, Patience};
use crate::features::bookings::{self, Booking, changed};
use crate::features::offers::{self, Horizon, Period};
use crate::features::wallet::Quote;
use crate::features::wallet::escrow::{self, Given};
use crate::features::wallet::model::Cause;
use crate::features::wallet::outcomes::{self, Decided};
use crate::kernel::clock::DAY;
use crate::kernel::id::{BookingId, ChangeId};
use crate::kernel::{By, Caller, Code, Error, Money, Result, Timestamp, Viewer, text};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The payload of [`EXPIRE`].
#[derive(Serialize, Deserialize)]
pub struct Expire {
    /// Which change.
    pub change: ChangeId,
}

/// What the settings say.
#[derive(Clone, Copy)]
struct Rules {
    patience: Patience,
    horizon: Horizon,
    answer_ms: i64,
}

impl Rules {
    fn of(platform: &Platform) -> Self {
        let answer_ms = platform.config.bookings.change_days * DAY;
        Rules { patience: Patience::of(platform), horizon: Horizon::of(platform), answer_ms }
    }
}

#[derive(Serialize)]
struct Canonical {
    booking: BookingId,
    amount: Option<(i64, &'static str)>,
    period: Option<Period>,
    note: String,
    expected_version: Option<i64>,
}

/// A party proposes other terms. They take the place of those that are pending, whoever proposed these.
pub async fn propose(platform: &Platform, caller: &Caller, key: Once, input: Propose) -> Result<Effect<ChangeId>> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    let canonical = Canonical {
        booking: input.booking,
        amount: input.amount.map(|amount| (amount.minor, amount.currency.code())),
        period: input.period,
        note: input.note.clone(),
        expected_version: input.expected_version,
    };
    platform
        .work
        .once(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move { make(unit, &viewer, &input, rules).await })
        })
        .await
}

async fn make(unit: &mut Unit, viewer: &Viewer, input: &Propose, rules: Rules) -> Result<ChangeId> {
    let booking = bookings::commands::lock(unit, input.booking).await?;
    let (by, role) = booking.hand_of(viewer)?;
    unit.act_as(role);
    booking.step(PROPOSE_CHANGE, by)?;
    let maker = booking.party_of(viewer.user)?;
    if input.expected_version.is_some_and(|version| version != booking.version) {
        return Err(Error::conflict("This booking changed meanwhile; look again.").at("expectedVersion"));
    }
    let terms = wanted(unit, &booking, input, rules).await?;
    let replaced = LIFE.driven(PROPOSE_CHANGE, Status::Pending, Status::Replaced)?;
    if let Some(replaced) = store::end(&mut unit.tx, booking.id, replaced, unit.now).await? {
        unit.state(events::ended(&replaced)?);
    }
    let change = Change {
        id: unit.ids.new_id(),
        booking: booking.id,
        customer: booking.customer,
        contractor: booking.contractor,
        maker,
        before: Terms::of(&booking),
        terms,
        note: input.note.clone(),
        status: LIFE.born(PROPOSE_CHANGE, By::Deal)?,
        expires_at: answer_by(&booking, terms, unit.now.plus(rules.answer_ms), unit.now),
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    if !store::insert(&mut unit.tx, &change).await? {
        return Err(Error::internal("two pending changes of one booking"));
    }
    unit.enqueue(NewTask::new(EXPIRE, &Expire { change: change.id }, change.expires_at)?);
    unit.audit(AuditRow::new("change.propose", change.id).with(prices(&change)));
    unit.state(events::proposed(&change));
    Ok(change.id)
}

/// The terms that are proposed, checked; what is absent stays.
async fn wanted(unit: &mut Unit, booking: &Booking, input: &Propose, rules: Rules) -> Result<Terms> {
    let now = Terms::of(booking);
    let quote = match input.amount {
        Some(amount) => quote(unit, booking, amount).await?,
        None => now.quote,
    };
    let period = match input.period.filter(|period| Some(*period) != now.period) {
        Some(period) => Some(period.within(earliest(booking, period, unit.now), rules.horizon, unit.now)?),
        None => now.period,
    };
    let terms = Terms { quote, period };
    if terms == now {
        let message = "These are the terms that the booking has; name another price or another time.";
        return Err(Error::new(Code::NothingChanges, message));
    }
    Ok(terms)
}

/// The amounts of another price, by the rates that were frozen on the offer.
async fn quote(unit: &mut Unit, booking: &Booking, amount: Money) -> Result<Quote> {
    let currency = booking.quote.budget.currency;
    if amount.currency != currency {
        let message = format!("This booking is in {currency}; name a price in the same currency.");
        return Err(Error::new(Code::CurrencyMismatch, message).at("amount.currency"));
    }
    let offer = offers::queries::in_unit(unit, booking.offer).await?;
    let rates = offer.ok_or_else(|| Error::internal("a booking without its offer"))?.rates;
    Quote::of(amount, rates).map_err(|error| error.at("amount.amount"))
}

/// How early work may be said to begin: a start that is agreed stays, and work that goes on has begun already.
fn earliest(booking: &Booking, period: Period, now: Timestamp) -> Timestamp {
    let agreed = booking.period.map(|period| period.starts_at);
    if agreed == Some(period.starts_at) {
        return period.starts_at;
    }
    if booking.status == bookings::Status::InProgress { booking.created_at } else { now }
}

/// Until when a change can be agreed to: its days, and not after the time that it names.
fn answer_by(booking: &Booking, terms: Terms, days: Timestamp, now: Timestamp) -> Timestamp {
    let named = terms.period.filter(|period| Some(*period) != booking.period);
    let last = named.map(|period| if period.starts_at < now { period.ends_at } else { period.answer_by() });
    last.map_or(days, |last| days.min(last))
}

/// The other party agrees: the booking has the new terms, and the difference of price and fee moves at once.
pub async fn accept(platform: &Platform, caller: &Caller, key: Once, change: ChangeId) -> Result<Effect<ChangeId>> {
    let (viewer, rules) = (caller.viewer()?, Rules::of(platform));
    platform
        .work
        .once(caller, key, change, move |unit, change| {
            Box::pin(async move { agree(unit, &viewer, *change, rules).await })
        })
        .await
}

async fn agree(unit: &mut Unit, viewer: &Viewer, id: ChangeId, rules: Rules) -> Result<ChangeId> {
    let (booking, change) = locked(unit, id).await?;
    let (by, role) = change.hand_of(viewer)?;
    unit.act_as(role);
    let to = change.step(CHANGE, by, unit.now)?;
    let outcome = outcomes::of(CHANGE, Some(change.status.name()), by)?;
    let ended = end(unit, &change, to).await?;
    let Terms { quote, period } = change.terms;
    changed::agree(unit, &booking, (quote, period), rules.patience).await?;
    let given = Given { decided: Decided::Price(quote), ..Given::default() };
    escrow::post(unit, Cause::of(booking.id), booking.deal(), outcome, given).await?;
    unit.audit(AuditRow::new("change.accept", ended.id).with(prices(&ended)));
    Ok(ended.id)
}

/// Which change not to agree to, checked. Staff say why they do it for somebody.
#[derive(Clone, Debug, Serialize)]
pub struct Decline {
    change: ChangeId,
    reason: Option<String>,
}

impl Decline {
    /// Checks what a person typed.
    pub fn new(change: ChangeId, reason: Option<&str>) -> Result<Self> {
        let reason = reason.map(|reason| text::paragraphs(reason, text::NOTE_MAX)).transpose();
        Ok(Decline { change, reason: reason.map_err(|error| error.at("reason"))? })
    }
}

/// The other party says no, or staff do with a reason. With a key, a repetition gives the first effect again.
pub async fn decline(
    platform: &Platform,
    caller: &Caller,
    key: Option<Once>,
    input: Decline,
) -> Result<Effect<ChangeId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once_if(caller, key, input, move |unit, input| {
            Box::pin(async move {
                let (_, change) = locked(unit, input.change).await?;
                let (by, role) = change.hand_of(&viewer)?;
                unit.act_as(role);
                let to = change.step(DECLINE, by, unit.now)?;
                if by == By::Staff {
                    let missing = || Error::new(Code::Invalid, "Staff say why they do this for somebody.").at("reason");
                    let reason = input.reason.as_deref().ok_or_else(missing)?;
                    unit.audit(AuditRow::new("change.decline", change.id).because(reason));
                }
                Ok(end(unit, &change, to).await?.id)
            })
        })
        .await
}

/// Whoever made a change takes it back. With a key, a repetition gives the first effect again.
pub async fn withdraw(
    platform: &Platform,
    caller: &Caller,
    key: Option<Once>,
    change: ChangeId,
) -> Result<Effect<ChangeId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once_if(caller, key, change, move |unit, change| {
            Box::pin(async move {
                let (_, change) = locked(unit, *change).await?;
                let (by, role) = change.hand_of(&viewer)?;
                unit.act_as(role);
                let to = change.step(WITHDRAW, by, unit.now)?;
                Ok(end(unit, &change, to).await?.id)
            })
        })
        .await
}

/// Lets a change expire whose time is over. One that has ended already is left alone.
pub async fn expire(platform: &Platform, caller: &Caller, change: ChangeId) -> Result<()> {
    platform
        .work
        .run(caller, change, |unit, change| {
            Box::pin(async move {
                let (_, change) = locked(unit, *change).await?;
                if change.status != Status::Pending {
                    return Ok(());
                }
                if change.expires_at > unit.now {
                    return Err(Error::early("change"));
                }
                let to = change.step(EXPIRE, By::Timer, unit.now)?;
                end(unit, &change, to).await.map(drop)
            })
        })
        .await
}

/// A change and its booking, which nobody else changes until this unit ends.
async fn locked(unit: &mut Unit, id: ChangeId) -> Result<(Booking, Change)> {
    let booking = queries::in_unit(unit, id).await?.booking;
    let booking = bookings::commands::lock(unit, booking).await?;
    // Read again: it may have ended while this one waited for its booking.
    Ok((booking, queries::in_unit(unit, id).await?))
}

/// Ends a change that is pending, and tells both.
async fn end(unit: &mut Unit, change: &Change, to: Status) -> Result<Change> {
    let ended = store::step(&mut unit.tx, change.id, to, unit.now).await?;
    let ended = ended.ok_or_else(|| Error::conflict("This change has ended already; look again."))?;
    unit.state(events::ended(&ended)?);
    Ok(ended)
}

fn prices(change: &Change) -> serde_json::Value {
    let price = |terms: Terms| terms.quote.budget.to_string();
    json!({ "from": price(change.before), "to": price(change.terms), "isNewPeriod": change.before.period != change.terms.period })
}
