//! What a transition of a change would do: the very command, as [`bookings::preview`](preview) runs those of jobs, offers
//! and bookings.
//!
//! To add a transition: a line in [`ending`] that calls its command.

use super::model::{DECLINE, WITHDRAW};
use super::{Propose, Status, commands, queries};
use crate::features::bookings;
use crate::features::bookings::model::{CHANGE, PROPOSE_CHANGE};
use crate::features::bookings::preview::{self, Stage, key, taken};
use crate::kernel::id::{BookingId, ChangeId, UserId, parse};
use crate::kernel::{Caller, Error, Money, Result};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Where everything would stand.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The deal and the viewer's wallet.
    pub deal: preview::Foreseen,
    /// The change.
    pub change: Status,
}

/// Whether a mutation is one of changes.
pub fn knows(mutation: &str) -> bool {
    [PROPOSE_CHANGE, CHANGE, DECLINE, WITHDRAW].contains(&mutation)
}

/// What a mutation would do to the booking or the change with this id, for this caller.
pub async fn of(platform: &Platform, caller: &Caller, mutation: &'static str, id: &str) -> Result<Foreseen> {
    match mutation {
        PROPOSE_CHANGE => proposing(platform, caller, parse(id)?).await,
        _ => ending(platform, caller, mutation, parse(id)?).await,
    }
}

/// Of a proposal nothing is told but that it may be: any price does that is not the agreed one.
async fn proposing(platform: &Platform, caller: &Caller, id: BookingId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let found = bookings::queries::by_ids(platform, &[id]).await?.pop().ok_or_else(|| Error::not_found("booking"))?;
    let stage = Stage::new(platform, move |unit| Box::pin(after_proposing(unit, viewer.user, id)));
    let agreed = found.quote.budget;
    let other = if agreed.minor > 1 { agreed.minor - 1 } else { agreed.minor + 1 };
    let input = Propose::new(id, Some(Money::new(other, agreed.currency)), None, "")?;
    commands::propose(&stage.platform, caller, key(platform, PROPOSE_CHANGE)?, input).await?;
    stage.seen()
}

async fn ending(platform: &Platform, caller: &Caller, mutation: &'static str, id: ChangeId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let found = queries::by_ids(platform, &[id]).await?.pop();
    let stage = Stage::new(platform, move |unit| Box::pin(after(unit, viewer.user, id)));
    match mutation {
        CHANGE => commands::accept(&stage.platform, caller, key(platform, mutation)?, id).await.map(drop)?,
        DECLINE => {
            // Why somebody declines changes nothing.
            let input = commands::Decline::new(id, Some(mutation))?;
            commands::decline(&stage.platform, caller, None, input).await.map(drop)?;
        }
        _ => commands::withdraw(&stage.platform, caller, None, id).await.map(drop)?,
    }
    let found = found.ok_or_else(|| Error::not_found("change"))?;
    let available = found.available(&viewer, platform.clock.now());
    let effect = found.effect(mutation, taken(&available, mutation)?.by)?;
    let Foreseen { deal, change } = stage.seen()?;
    Ok(Foreseen { deal: preview::Foreseen { effect, ..deal }, change })
}

async fn after_proposing(unit: &mut Unit, viewer: UserId, booking: BookingId) -> Result<Foreseen> {
    let deal = preview::after_booking(unit, viewer, booking).await?;
    Ok(Foreseen { deal, change: Status::Pending })
}

async fn after(unit: &mut Unit, viewer: UserId, id: ChangeId) -> Result<Foreseen> {
    let change = queries::in_unit(unit, id).await?;
    let deal = preview::after_booking(unit, viewer, change.booking).await?;
    Ok(Foreseen { deal, change: change.status })
}
