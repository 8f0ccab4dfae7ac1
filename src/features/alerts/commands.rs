//! Raising, dismissing, and forgetting what is old.

use super::model::{DISMISSED_KEPT_MS, LETTERS_MAX, LETTERS_WITHIN_MS};
use super::{Alert, Kind, NewAlert, events, store};
use crate::kernel::id::AlertId;
use crate::kernel::{Caller, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::mail::letters;
use crate::platform::work::{AuditRow, Unit};

/// Raises an alert in the unit of work that has its cause. One that is there already is renewed.
pub async fn raise(unit: &mut Unit, new: NewAlert) -> Result<()> {
    let alert = store::insert_or_renew(&mut unit.tx, unit.ids.new_id(), &new, unit.now).await?;
    // Somebody is told of the first one, and of further ones now and then.
    if alert.told_at == unit.now {
        unit.state(events::raised(&alert)?);
    }
    Ok(())
}

/// Dismisses the alert of a cause that has ended by itself, if there is one.
pub async fn settle(unit: &mut Unit, kind: Kind, cause: &str) -> Result<()> {
    if let Some(alert) = store::settle(&mut unit.tx, kind, cause, unit.now).await? {
        unit.state(events::dismissed(&alert)?);
    }
    Ok(())
}

/// Takes an alert off the list, for all staff. One that is dismissed already stays as it is.
pub async fn dismiss(platform: &Platform, caller: &Caller, id: AlertId) -> Result<()> {
    let viewer = caller.viewer()?;
    let role = viewer.must_be_staff()?;
    platform
        .work
        .run(caller, id, move |unit, id| {
            Box::pin(async move {
                unit.act_as(role);
                let found = store::by_ids(&mut unit.tx, &[*id]).await?;
                let found = found.into_iter().find(|alert| alert.kind.is_for(viewer.roles));
                let found: Alert = found.ok_or_else(|| Error::not_found("alert").at("alertId"))?;
                if let Some(alert) = store::dismiss(&mut unit.tx, found.id, viewer.user, unit.now).await? {
                    unit.audit(AuditRow::new("alert.dismiss", alert.id));
                    unit.state(events::dismissed(&alert)?);
                }
                Ok(())
            })
        })
        .await
}

/// Raises an alert if too many letters have failed lately. Asked when one more did.
pub async fn count_letters(platform: &Platform, caller: &Caller) -> Result<()> {
    platform
        .work
        .run(caller, (), |unit, ()| {
            Box::pin(async move {
                let count = letters::failed_since(&mut unit.tx, unit.now.plus(-LETTERS_WITHIN_MS)).await?;
                if count < LETTERS_MAX {
                    return Ok(());
                }
                let body = format!("{count} letters of the last hour were given up.");
                raise(unit, NewAlert::new(Kind::LettersFailing, "letters", body)).await
            })
        })
        .await
}

/// Forgets some that were dismissed long ago, and says whether there may be more.
pub async fn forget(platform: &Platform, now: Timestamp) -> Result<bool> {
    store::forget(&platform.db, now.plus(-DISMISSED_KEPT_MS)).await
}
