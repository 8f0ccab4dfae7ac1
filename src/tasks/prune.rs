//! Forgets what has had its time, a little at a time so that nobody waits for it.

use crate::kernel::clock::{DAY, HOUR};
use crate::kernel::{Result, Timestamp};
use crate::platform::Platform;
use crate::platform::db::q;

/// Idempotency keys are kept for so long: a client that repeats a request later makes a new one.
const KEYS_KEPT_MS: i64 = 30 * DAY;
/// Ended tasks are kept for so long, to be looked at.
const TASKS_KEPT_MS: i64 = 7 * DAY;

/// Forgets, and says when to come back.
pub(super) async fn run(platform: &Platform) -> Timestamp {
    let now = platform.clock.now();
    if let Err(error) = forget(platform, now).await {
        tracing::warn!(%error, "old rows could not be forgotten; trying again in an hour");
    }
    now.plus(HOUR)
}

async fn forget(platform: &Platform, now: Timestamp) -> Result<()> {
    let mut tx = platform.db.begin().await?;
    q("delete from idempotency where created_at < $1").bind(now.plus(-KEYS_KEPT_MS)).execute(&mut tx).await?;
    q("delete from tasks where ended_at < $1").bind(now.plus(-TASKS_KEPT_MS)).execute(&mut tx).await?;
    Ok(tx.commit().await?)
}
