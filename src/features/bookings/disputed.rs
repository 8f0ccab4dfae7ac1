//! The hands that disputes have in bookings. What a dispute does to the money is posted by whoever ends it.

use super::commands::{step, write};
use super::model::{DISPUTE, Patience, Settled};
use super::store::Step;
use super::{Booking, LIFE, Status, events};
use crate::features::offers::Party;
use crate::features::wallet::outcomes::Split;
use crate::kernel::{Money, Result};
use crate::platform::work::Unit;

/// Who gave a booking up that the end of a dispute cancels.
const DISPUTED: &str = "DISPUTE";
/// Why it was given up, when staff did not say it.
const AGREED: &str = "The two agreed on it in a dispute.";

/// A party opens a dispute: nothing moves the booking on until it has ended, no timer either.
pub async fn freeze(unit: &mut Unit, found: &Booking, party: Party, patience: Patience) -> Result<Booking> {
    let frozen = step(unit, found, DISPUTE, party.by(), None, patience).await?;
    unit.state(events::status_changed(&frozen, found.status)?);
    Ok(frozen)
}

/// The dispute is over and nothing is shared: the booking goes back to where it stood, and its timer begins anew.
pub async fn thaw(unit: &mut Unit, found: &Booking, transition: &str, to: Status, patience: Patience) -> Result<()> {
    let to = LIFE.driven(transition, found.status, to)?;
    let thawed = write(unit, found, Step::plain(found.status, to), patience).await?;
    unit.state(events::status_changed(&thawed, found.status)?);
    Ok(())
}

/// The dispute ended in a split: the booking is completed if the contractor gets anything, and given up if not.
pub async fn settle(
    unit: &mut Unit,
    found: &Booking,
    transition: &str,
    split: &Split,
    because: Option<&str>,
    patience: Patience,
) -> Result<()> {
    let to = if split.contractor.minor > 0 { Status::Completed } else { Status::Cancelled };
    let to = LIFE.driven(transition, found.status, to)?;
    let is_gone = to == Status::Cancelled;
    // What is shared is posted at once, whatever the delay of the release.
    let step = Step {
        cancelled_by: is_gone.then_some(DISPUTED),
        cancel_reason: is_gone.then_some(because.unwrap_or(AGREED)),
        settled: Some(Settled { contractor: split.contractor, platform: split.platform }),
        ..Step::plain(found.status, to)
    };
    let ended = write(unit, found, step, patience).await?;
    let fee = if split.fee_back { found.quote.platform_fee } else { Money::zero(found.quote.budget.currency) };
    unit.state(match to {
        Status::Cancelled => events::cancelled(&ended, DISPUTED, split.customer.plus(fee)?)?,
        _ => events::status_changed(&ended, found.status)?,
    });
    Ok(())
}
