//! Every hour: forgets what has had its time, a little at a time so that nobody waits for it, looks for jobs, offers,
//! bookings, changes, disputes and reviews whose own task was lost, and removes files that nothing needs.

use crate::features::{
    accounts::codes, alerts, bookings, changes, disputes, jobs, notifications, offers, reviews, uploads,
};
use crate::kernel::clock::{DAY, HOUR};
use crate::kernel::{Caller, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::queue;
use crate::platform::work;

/// Idempotency keys are kept for so long: a client that repeats a request later makes a new one.
const KEYS_KEPT_MS: i64 = 30 * DAY;
/// Ended tasks are kept for so long, to be looked at.
const TASKS_KEPT_MS: i64 = 7 * DAY;
/// Codes and their counts matter for an hour.
const CODES_KEPT_MS: i64 = DAY;
/// The own task of a job, an offer or a review has had its chance when it is overdue by so much.
const OVERDUE_MS: i64 = HOUR;

/// Nothing is written for so long: what is still half-written then was left by a crash.
const HALF_WRITTEN_KEPT_MS: i64 = DAY;

/// Runs. Where a part fails, the others go on.
pub(super) async fn run(platform: &Platform) {
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
    if let Err(error) = wake_lost(platform, now).await {
        tracing::warn!(%error, "overdue bookings, changes and disputes could not be moved on; trying again in an hour");
    }
    if let Err(error) = remove_files(platform, now).await {
        tracing::warn!(%error, "files could not be removed; trying again in an hour");
    }
}

async fn forget(platform: &Platform, now: Timestamp) -> Result<()> {
    while work::forget_keys(&platform.db, now.plus(-KEYS_KEPT_MS)).await? && !platform.stop.is_cancelled() {}
    while queue::forget_ended(&platform.db, now.plus(-TASKS_KEPT_MS)).await? && !platform.stop.is_cancelled() {}
    while notifications::commands::forget(platform, now).await? && !platform.stop.is_cancelled() {}
    while alerts::commands::forget(platform, now).await? && !platform.stop.is_cancelled() {}
    while codes::forget(platform, now.plus(-CODES_KEPT_MS)).await? && !platform.stop.is_cancelled() {}
    Ok(())
}

/// No hold stays for ever, whatever became of the tasks that were to end its offer or its job.
async fn expire_lost(platform: &Platform, now: Timestamp) -> Result<()> {
    for job in jobs::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        go_on(offers::settling::expire_job(platform, &Caller::system(format!("overdue-{job}")), job).await);
    }
    for offer in offers::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        go_on(offers::commands::expire(platform, &Caller::system(format!("overdue-{offer}")), offer).await);
    }
    Ok(())
}

/// No review waits for ever, whatever became of the task that was to publish it.
async fn publish_lost(platform: &Platform, now: Timestamp) -> Result<()> {
    for review in reviews::queries::overdue(platform, now.plus(-OVERDUE_MS)).await? {
        go_on(reviews::commands::publish(platform, &Caller::system(format!("overdue-{review}")), review).await);
    }
    Ok(())
}

/// No booking is silent for ever, and no change and no dispute waits for ever, whatever became of the tasks that were to wake them.
async fn wake_lost(platform: &Platform, now: Timestamp) -> Result<()> {
    let then = now.plus(-OVERDUE_MS);
    for (booking, version) in bookings::queries::overdue(platform, then).await? {
        let silence = bookings::timers::Silence { booking, version };
        go_on(bookings::timers::end_silence(platform, &Caller::system(format!("overdue-{booking}")), silence).await);
    }
    for change in changes::queries::overdue(platform, then).await? {
        go_on(changes::commands::expire(platform, &Caller::system(format!("overdue-{change}")), change).await);
    }
    for dispute in disputes::queries::overdue(platform, then).await? {
        go_on(disputes::commands::escalate(platform, &Caller::system(format!("overdue-{dispute}")), dispute).await);
    }
    Ok(())
}

/// One row that cannot be moved on keeps nobody else waiting.
fn go_on(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "something overdue could not be moved on; trying again in an hour");
    }
}

/// Uploads that were never finished, files that nothing shows any more, and what a crash left half-written.
async fn remove_files(platform: &Platform, now: Timestamp) -> Result<()> {
    uploads::commands::remove_unneeded(platform, &Caller::system("unneeded-files")).await?;
    match &platform.folder {
        Some(folder) => folder.tidy(now.plus(-HALF_WRITTEN_KEPT_MS)).await,
        None => Ok(()),
    }
}
