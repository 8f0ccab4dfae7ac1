//! Reading, dismissing, and forgetting what is old.
//!
//! The rows change with [`Unit::later`], behind the lock of the user's stream: who marks and who notifies take their locks
//! in the same order and cannot wait for each other for ever.

use super::{Notification, events, store};
use crate::kernel::clock::DAY;
use crate::kernel::id::NotificationId;
use crate::kernel::{Caller, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Read and dismissed notifications are kept for so long after they came.
pub const READ_KEPT_MS: i64 = 90 * DAY;
/// Unread ones are kept for so long.
pub const UNREAD_KEPT_MS: i64 = 365 * DAY;

/// Marks one as read. One that is read already stays as it is, and nothing is stated.
pub async fn mark_read(platform: &Platform, caller: &Caller, id: NotificationId) -> Result<()> {
    change(platform, caller, id, |unit, found| {
        if found.read_at.is_none() {
            store::set_read(unit, found);
            unit.state(events::read(found));
        }
    })
    .await
}

/// Marks everything as read that is there now, in one statement.
pub async fn mark_all_read(platform: &Platform, caller: &Caller) -> Result<()> {
    let user = caller.viewer()?.user;
    platform
        .work
        .run(caller, user, |unit, user| {
            Box::pin(async move {
                if store::has_unread(&mut unit.tx, *user).await? {
                    store::set_all_read(unit, *user);
                    unit.state(events::all_read(*user));
                }
                Ok(())
            })
        })
        .await
}

/// Takes one off the list. It counts as read from then on.
pub async fn dismiss(platform: &Platform, caller: &Caller, id: NotificationId) -> Result<()> {
    change(platform, caller, id, |unit, found| {
        if found.dismissed_at.is_none() {
            store::set_dismissed(unit, found);
            unit.state(events::dismissed(found));
        }
    })
    .await
}

/// Changes a notification of the caller's own.
async fn change(
    platform: &Platform,
    caller: &Caller,
    id: NotificationId,
    how: fn(&mut Unit, &Notification),
) -> Result<()> {
    let user = caller.viewer()?.user;
    platform
        .work
        .run(caller, id, move |unit, id| {
            Box::pin(async move {
                let found = store::by_ids(&mut unit.tx, &[*id]).await?.into_iter().find(|found| found.user == user);
                how(unit, &found.ok_or_else(|| Error::not_found("notification").at("notificationId"))?);
                Ok(())
            })
        })
        .await
}

/// Forgets some that have had their time, and says whether there may be more.
pub async fn forget(platform: &Platform, now: Timestamp) -> Result<bool> {
    store::forget(&platform.db, now.plus(-READ_KEPT_MS), now.plus(-UNREAD_KEPT_MS)).await
}
