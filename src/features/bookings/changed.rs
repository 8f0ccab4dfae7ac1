//! The hand that changes have in bookings: new terms. The difference in money is posted by whoever agrees to them.

use super::model::{CHANGE, Patience};
use super::{Booking, LIFE, store, timers};
use crate::features::offers::Period;
use crate::features::wallet::Quote;
use crate::kernel::{Error, Result};
use crate::platform::work::Unit;

/// The two agreed on other terms: the booking has them from now on, where it stands, and its timer begins anew.
pub async fn agree(
    unit: &mut Unit,
    found: &Booking,
    terms: (Quote, Option<Period>),
    patience: Patience,
) -> Result<Booking> {
    LIFE.driven(CHANGE, found.status, found.status)?;
    let changed = store::change(&mut unit.tx, found, terms, unit.now).await?;
    let changed = changed.ok_or_else(|| Error::conflict("This booking changed meanwhile; look again."))?;
    timers::wait(unit, &changed, patience)?;
    Ok(changed)
}
