//! Every hour: forgets what has had its time, a little at a time so that nobody waits for it, and looks for jobs,
//! offers and reviews whose own task was lost.

use crate::features::{jobs, offers, reviews};
use crate::kernel::clock::{DAY, HOUR};
use crate::kernel::{Caller, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::queue;
use crate::platform::work;

/// Idempotency keys are kept for so long: a client that repeats a request later makes a new one.
const KEYS_KEPT_MS: i64 = 30 * DAY;
/// Ended tasks are kept for so long, to be looked at.
const TASKS_KEPT_MS: i64 = 7 * DAY;
/// The own task of a job, an offer or a review has had its chance when it is overdue by so much.
const OVERDUE_MS: i64 = HOUR;

/// Runs, and says when to come back.
pub(super) async fn run(platform: &Platform) -> Timestamp {
    let now = platform.clock.now();
    if let Err(error) = forget(platform, now).await {
        tracing::warn!(%error, "old rows could not be forgotten; trying again in an hour");
    }
    if let Err(error) = expire_lost(platform, now).await {
        tracing::warn!(%error, "overdue jobs and offers could not be ended; trying again in an hour");
    }
    if let Err(error) = publish_lost(platform, now).await {
        tracing::warn!(%error, "overdue reviews could not be published; trying again in an hour");
    }
    now.plus(HOUR)
}

async fn forget(platform: &Platform, now: Timestamp) -> Result<()> {
    while work::forget_keys(&platform.db, now.plus(-KEYS_KEPT_MS)).await? && !platform.stop.is_cancelled() {}
    while queue::forget_ended(&platform.db, now.plus(-TASKS_KEPT_MS)).await? && !platform.stop.is_cancelled() {}
    Ok(())
}

/// No hold stays for ever, whatever became of the tasks that were to end its offer or its job.
async fn expire_lost(platform: &Platform, now: Timestamp) -> Result<()> {
    for job in jobs::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        offers::settling::expire_job(platform, &Caller::system(format!("overdue-{job}")), job).await?;
    }
    for offer in offers::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        offers::commands::expire(platform, &Caller::system(format!("overdue-{offer}")), offer).await?;
    }
    Ok(())
}

/// No review waits for ever, whatever became of the task that was to publish it.
async fn publish_lost(platform: &Platform, now: Timestamp) -> Result<()> {
    for review in reviews::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        reviews::commands::publish(platform, &Caller::system(format!("overdue-{review}")), review).await?;
    }
    Ok(())
}
