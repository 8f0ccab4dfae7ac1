//! What a transition of a dispute would do: the very command, as [`bookings::preview`](preview) runs those of jobs, offers
//! and bookings.
//!
//! To add a transition: a line in [`going_on`] that calls its command.

use super::model::{ADD_EVIDENCE, PROPOSE};
use super::{AddEvidence, Decide, NewDispute, Propose, Reason, Status, commands, evidence, queries};
use crate::features::bookings::model::{AGREE, DECIDE, DISPUTE, RETRACT};
use crate::features::bookings::preview::{self, Stage, key, taken};
use crate::kernel::id::{BookingId, DisputeId, UserId, parse};
use crate::kernel::{Caller, Error, Money, Result};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Where everything would stand.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The deal and the viewer's wallet.
    pub deal: preview::Foreseen,
    /// The dispute, when the transition is one of a dispute.
    pub dispute: Option<Status>,
}

/// What a mutation would do to the object with this id, for this caller.
pub async fn of(platform: &Platform, caller: &Caller, mutation: &'static str, id: &str) -> Result<Foreseen> {
    match mutation {
        DISPUTE => opening(platform, caller, parse(id)?).await,
        PROPOSE | AGREE | ADD_EVIDENCE | RETRACT | DECIDE => going_on(platform, caller, mutation, parse(id)?).await,
        other => Ok(Foreseen { deal: preview::of(platform, caller, other, id).await?, dispute: None }),
    }
}

async fn opening(platform: &Platform, caller: &Caller, id: BookingId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let stage = Stage::new(platform, move |unit| Box::pin(after_opening(unit, viewer.user, id)));
    // Why somebody opens it changes nothing.
    let input = NewDispute::new(id, Reason::Other, DISPUTE, Vec::new())?;
    commands::open(&stage.platform, caller, key(platform, DISPUTE)?, input).await?;
    stage.seen()
}

async fn going_on(platform: &Platform, caller: &Caller, mutation: &'static str, id: DisputeId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let found = queries::by_ids(platform, &[id]).await?.pop().ok_or_else(|| Error::not_found("dispute"))?;
    let stage = Stage::new(platform, move |unit| Box::pin(after(unit, viewer.user, id)));
    // Of what is proposed or decided nothing is told but that it may be: any split does.
    let nothing = Money::zero(found.escrow.currency);
    match mutation {
        PROPOSE => {
            commands::propose(&stage.platform, caller, Propose { dispute: id, customer: nothing }).await.map(drop)?
        }
        AGREE => {
            let last = found.proposal.map_or(0, |proposal| proposal.number);
            commands::accept(&stage.platform, caller, key(platform, mutation)?, (id, last)).await.map(drop)?;
        }
        // Which files it will be is for the client to choose.
        ADD_EVIDENCE => {
            evidence::add(&stage.platform, caller, AddEvidence { dispute: id, files: Vec::new() }).await.map(drop)?;
        }
        RETRACT => commands::withdraw(&stage.platform, caller, id).await.map(drop)?,
        _ => {
            let decision = Decide::new(id, found.split(nothing)?, mutation)?;
            commands::decide(&stage.platform, caller, key(platform, mutation)?, decision).await.map(drop)?;
        }
    }
    let step = taken(&found.available(&viewer, platform.clock.now()), mutation)?.by;
    let Foreseen { deal, dispute } = stage.seen()?;
    let effect = found.effect(mutation, step)?;
    let deal = match mutation {
        // Where these go is part of the decision.
        DECIDE => preview::Foreseen { job: None, booking: None, effect, ..deal },
        _ => preview::Foreseen { effect, ..deal },
    };
    Ok(Foreseen { deal, dispute })
}

async fn after_opening(unit: &mut Unit, viewer: UserId, booking: BookingId) -> Result<Foreseen> {
    let deal = preview::after_booking(unit, viewer, booking).await?;
    let opened = queries::last_in_unit(unit, booking).await?;
    Ok(Foreseen { deal, dispute: opened.map(|dispute| dispute.status) })
}

async fn after(unit: &mut Unit, viewer: UserId, id: DisputeId) -> Result<Foreseen> {
    let dispute = queries::in_unit(unit, id).await?;
    let deal = preview::after_booking(unit, viewer, dispute.booking).await?;
    Ok(Foreseen { deal, dispute: Some(dispute.status) })
}
