//! Payouts stand still while the books are in doubt.
//!
//! The nightly proof freezes them when it finds something; a person lifts the freeze, with a reason. Whoever pays out asks
//! [`frozen`] first, inside the unit of work that pays.

use super::store;
use crate::features::alerts::{self, NewAlert};
use crate::kernel::id::FreezeId;
use crate::kernel::{Caller, Error, Result, Timestamp, text};
use crate::platform::Platform;
use crate::platform::db::On;
use crate::platform::work::{AuditRow, Unit};

/// The cause of the alert that payouts are frozen.
const PAYOUTS: &str = "payouts";

/// Why and since when nothing is paid out.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    /// Its id.
    pub id: FreezeId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// The freeze that holds now, if one does.
pub async fn frozen(on: impl Into<On<'_>>) -> Result<Option<Freeze>> {
    store::freezing::open(on).await
}

/// Freezes all payouts. Where they are frozen already, the first reason stays.
pub async fn freeze(unit: &mut Unit, reason: &str) -> Result<()> {
    let freeze = Freeze { id: unit.ids.new_id(), reason: reason.to_owned(), created_at: unit.now };
    if store::freezing::insert(&mut unit.tx, &freeze).await? {
        unit.audit(AuditRow::new("payouts.freeze", freeze.id).because(reason));
        alerts::commands::raise(unit, NewAlert::new(alerts::Kind::PayoutsFrozen, PAYOUTS, reason)).await?;
    }
    Ok(())
}

/// Lets payouts go on.
pub async fn lift(platform: &Platform, caller: &Caller, reason: &str) -> Result<()> {
    let reason = text::paragraphs(reason, text::NOTE_MAX).map_err(|error| error.at("reason"))?;
    platform
        .work
        .run(caller, reason, |unit, reason| {
            Box::pin(async move {
                let lifted = store::freezing::lift(&mut unit.tx, reason, unit.now).await?;
                let id = lifted.ok_or_else(|| Error::conflict("Payouts are not frozen; there is nothing to lift."))?;
                unit.audit(AuditRow::new("payouts.lift", id).because(reason));
                alerts::commands::settle(unit, alerts::Kind::PayoutsFrozen, PAYOUTS).await
            })
        })
        .await
}
