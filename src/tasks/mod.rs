//! Background work: a runner, and one file per kind of task.
//!
//! Tasks are rows of the database, enqueued in the transaction that causes them. A worker takes a lease, runs the handler
//! and ends the task; a crashed one loses its lease and another worker tries again. Handlers therefore may run twice, and
//! are written so that the second run changes nothing.
//!
//! To add a kind: its name and payload beside the command that enqueues it, a handler in a file here, and a line in
//! `run`.

mod bookings;
mod changes;
mod disputes;
mod mail;
mod nightly;
mod offers;
mod payments;
mod prune;
mod recurring;
mod reviews;
mod streams;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::features::alerts::{self, NewAlert};
use crate::features::{
    bookings as booking_feature, changes as change_feature, disputes as dispute_feature, jobs as job_feature,
    offers as offer_feature, reviews as review_feature, wallet,
};
use crate::kernel::clock::HOUR;
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::host;
use crate::platform::mail::letters;
use crate::platform::queue::{self, Task};

/// Tasks under way at once in one process.
const AT_ONCE: usize = 8;
/// How long a handler may take: less than its lease, so that nobody else begins meanwhile.
const PATIENCE: Duration = Duration::from_secs(90);
/// Milliseconds between two looks for due tasks, when nothing rings.
const LOOK_MS: u64 = 1_000;

/// Works until the platform stops. Any number of processes may.
pub async fn work(platform: Arc<Platform>) {
    let mut prune_at = platform.clock.now();
    let mut recurring_at = prune_at;
    let (mut running, mut pruning) = (JoinSet::new(), JoinSet::new());
    while !platform.stop.is_cancelled() {
        let found = look(&platform, &mut running).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "tasks could not be looked for; trying again");
            0
        });
        // Beside the tasks: what is tidied up may wait for a store that is slow.
        while pruning.try_join_next().is_some() {}
        if platform.clock.now() >= prune_at && pruning.is_empty() {
            let platform = platform.clone();
            prune_at = platform.clock.now().plus(HOUR);
            pruning.spawn(async move { prune::run(&platform).await });
        }
        if platform.clock.now() >= recurring_at {
            recurring_at = recurring::look(&platform).await;
        }
        if found > 0 && running.len() < AT_ONCE {
            continue;
        }
        tokio::select! {
            () = platform.stop.cancelled() => {}
            Some(_) = running.join_next() => {}
            () = platform.work.tasks_arrived.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS + host::jitter(LOOK_MS / 4))) => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Begins what is due, as far as there is room beside what runs, and says how much that was.
async fn look(platform: &Arc<Platform>, running: &mut JoinSet<()>) -> Result<usize> {
    while running.try_join_next().is_some() {}
    let room = AT_ONCE - running.len();
    if room == 0 {
        return Ok(0);
    }
    let tasks = queue::claim(&platform.db, platform.clock.now(), room as i64).await?;
    let count = tasks.len();
    for task in tasks {
        let platform = platform.clone();
        running.spawn(async move {
            if let Err(error) = attempt(&platform, task).await {
                tracing::warn!(%error, "the end of a task could not be noted; its lease runs out and it runs again");
            }
        });
    }
    Ok(count)
}

async fn attempt(platform: &Platform, task: Task) -> Result<()> {
    let caller = Caller::system(task.id.to_string());
    let outcome = tokio::time::timeout(PATIENCE, AssertUnwindSafe(run(platform, &caller, &task)).catch_unwind()).await;
    let outcome = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Error::internal("the handler panicked")),
        Err(_) => Err(Error::internal("the handler took too long")),
    };
    match outcome {
        Ok(()) => queue::done(&platform.db, &task, platform.clock.now()).await,
        Err(error) => {
            tracing::warn!(task = %task.id, kind = task.kind, %error, "a task failed");
            fail(platform, &caller, task, error.to_string()).await
        }
    }
}

/// Puts a task back that failed. Staff hear of one that is given up.
async fn fail(platform: &Platform, caller: &Caller, task: Task, error: String) -> Result<()> {
    platform
        .work
        .run(caller, (task, error), |unit, (task, error)| {
            Box::pin(async move {
                if queue::failed(&mut unit.tx, task, unit.now, error).await? {
                    let (id, kind, attempts) = (task.id, task.kind.as_str(), task.attempts());
                    let body = format!("The task {id} of the kind {kind} was given up after {attempts} attempts.");
                    alerts::commands::raise(unit, NewAlert::new(alerts::Kind::TaskGivenUp, kind, body)).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Every kind of task and its handler.
async fn run(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    match task.kind.as_str() {
        job_feature::model::EXPIRE => offers::expire_job(platform, caller, task).await,
        offer_feature::model::EXPIRE => offers::expire(platform, caller, task).await,
        offer_feature::settling::TELL => offers::tell(platform, caller, task).await,
        booking_feature::model::TIME_OUT | booking_feature::model::LAPSE | booking_feature::model::RELEASE => {
            bookings::end_silence(platform, caller, task).await
        }
        change_feature::model::EXPIRE => changes::expire(platform, caller, task).await,
        dispute_feature::model::ESCALATE => disputes::escalate(platform, caller, task).await,
        review_feature::commands::PUBLISH => reviews::publish(platform, caller, task).await,
        wallet::commands::COLLECT => payments::collect(platform, caller, task).await,
        letters::DELIVER => mail::deliver(platform, caller, task).await,
        other => Err(Error::internal(format!("nobody handles tasks of the kind {other}"))),
    }
}
