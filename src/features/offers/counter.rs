//! Answering an offer with another one: the old one is declined, the new one goes the other way.
//!
//! Only one of the two can hold money, since only a customer's does: a customer's counter holds its own, a contractor's
//! frees what the customer's offer held.

use serde::Serialize;

use super::commands::{Rules, Terms, free, gone, place, same_currency, step, to_answer};
use super::model::COUNTER;
use super::{NewCounter, Period, events};
use crate::features::jobs;
use crate::kernel::id::OfferId;
use crate::kernel::{Caller, Code, Error, Result, Viewer};
use crate::platform::Platform;
use crate::platform::work::{Effect, Once, Unit};

#[derive(Serialize)]
struct Canonical {
    offer: OfferId,
    minor: i64,
    currency: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Option<Period>>,
}

/// Whoever got an offer answers with other terms.
pub async fn counter(platform: &Platform, caller: &Caller, key: Once, input: NewCounter) -> Result<Effect<OfferId>> {
    let viewer = caller.viewer()?;
    let rules = Rules::of(platform);
    let canonical = Canonical {
        offer: input.offer,
        minor: input.amount.minor,
        currency: input.amount.currency.code(),
        message: input.message.clone(),
        period: input.period,
    };
    platform
        .work
        .once(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move { reply(unit, &viewer, &input, rules).await })
        })
        .await
}

async fn reply(unit: &mut Unit, viewer: &Viewer, input: &NewCounter, rules: Rules) -> Result<OfferId> {
    let (found, made_by) = to_answer(unit, viewer, input.offer, COUNTER).await?;
    let by = found.by(made_by);
    // The job first, then its offers, then money: the order in which everybody locks.
    let job = jobs::commands::lock_open(unit, viewer, found.job).await?;
    same_currency(input.amount, &job)?;
    if found.round >= rules.rounds_max {
        let message = "You two have countered as often as you may; accept, decline, or talk about it.";
        return Err(Error::new(Code::TooManyCounters, message));
    }
    // What is kept was checked when it was named, and may have begun meanwhile.
    let period = match input.period.flatten() {
        Some(period) => Some(period.within(unit.now, rules.horizon, unit.now)?),
        None => found.period.filter(|_| input.period.is_none()),
    };
    let ended = step(unit, &found, COUNTER, by).await?.ok_or_else(gone)?;
    unit.state(events::ended(&ended)?);
    let terms = Terms {
        made_by,
        contractor: found.contractor,
        amount: input.amount,
        message: &input.message,
        period,
        answers: Some(&found),
    };
    let answer = place(unit, &job, COUNTER, terms, rules).await?;
    free(unit, &found, COUNTER, by).await?;
    Ok(answer)
}
