//! Background work, stored in the same database and enqueued in the transaction that causes it. `tasks/` runs it.
//!
//! A task waits until its instant, is claimed with a lease, and ends, or fails and comes back after a pause that grows.
//! A worker that dies loses its lease, and another one claims the task: so a task may run twice.
//!
//! To add a kind, see the module `tasks`: nothing here knows the kinds.

pub mod schedule;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kernel::clock::{HOUR, MINUTE, SECOND};
use crate::kernel::id::TaskId;
use crate::kernel::{Error, Ids, Result, Timestamp};
use crate::platform::db::{Db, FromRow, Query, Row, Tx, Value, q, q2};

/// How long a worker may take before another one assumes that it died.
const LEASE_MS: i64 = 2 * MINUTE;
/// How often a task is tried before it is given up.
const ATTEMPTS_MAX: i64 = 20;
/// The longest pause between two attempts.
const PAUSE_MAX_MS: i64 = HOUR;

/// A unit of work for later.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Which handler runs it, such as `offer.expire`.
    pub kind: &'static str,
    /// What the handler needs, as JSON.
    pub payload: String,
    /// Not before this instant.
    pub run_at: Timestamp,
}

impl NewTask {
    /// A task for an instant.
    pub fn new(kind: &'static str, payload: &impl Serialize, run_at: Timestamp) -> Result<Self> {
        let payload = serde_json::to_string(payload).map_err(Error::internal)?;
        Ok(NewTask { kind, payload, run_at })
    }
}

/// The statement that stores tasks with the transaction; none when there are none.
pub fn enqueue(ids: &Ids, now: Timestamp, tasks: &[NewTask]) -> Option<Query> {
    if tasks.is_empty() {
        return None;
    }
    let rows: Vec<Vec<Value>> = tasks
        .iter()
        .map(|task| {
            let id: TaskId = ids.new_id();
            vec![
                id.into(),
                task.kind.into(),
                task.payload.as_str().into(),
                task.run_at.into(),
                0_i64.into(),
                now.into(),
            ]
        })
        .collect();
    Some(q("insert into tasks (id, kind, payload, run_at, attempts, created_at) values {rows}").rows(rows))
}

/// A task that this worker holds the lease of.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Which handler runs it.
    pub kind: String,
    payload: String,
    attempts: i64,
}

impl FromRow for Task {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Task {
            id: row.get("id")?,
            kind: row.get("kind")?,
            payload: row.get("payload")?,
            attempts: row.get("attempts")?,
        })
    }
}

impl Task {
    /// How often it was tried, this time included.
    pub const fn attempts(&self) -> i64 {
        self.attempts
    }

    /// Whether it is given up when this attempt fails.
    pub const fn is_last_attempt(&self) -> bool {
        self.attempts >= ATTEMPTS_MAX
    }

    /// What the handler needs.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.payload).map_err(Error::internal)
    }
}

/// Takes the leases of tasks that are due. Several workers get different ones.
pub async fn claim(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Task>> {
    // A look on a reader first: an idle worker must not take SQLite's writer lane every second.
    let due = q("select id from tasks where ended_at is null and run_at <= $1
        and (leased_until is null or leased_until < $1) limit 1")
    .bind(now)
    .fetch(db)
    .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin().await?;
    let tasks = q2(
        "with due as materialized (
            select id from tasks where ended_at is null and run_at <= $1 and (leased_until is null or leased_until < $1)
            order by run_at limit $3 for update skip locked)
        update tasks set leased_until = $2, attempts = attempts + 1 where id in (select id from due) returning *",
        "update tasks set leased_until = $2, attempts = attempts + 1 where id in (
            select id from tasks where ended_at is null and run_at <= $1 and (leased_until is null or leased_until < $1)
            order by run_at limit $3)
        returning *",
    )
    .bind(now)
    .bind(now.plus(LEASE_MS))
    .bind(limit)
    .all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(tasks)
}

/// Ends a task inside the transaction of its effect; false when it had ended already, so that the effect is left out.
pub async fn finish(tx: &mut Tx, id: TaskId, now: Timestamp) -> Result<bool> {
    let ended = q("update tasks set ended_at = $2, outcome = 'DONE' where id = $1 and ended_at is null")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(ended == 1)
}

/// Ends a task whose effect is committed.
pub async fn done(db: &Db, task: &Task, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    finish(&mut tx, task.id, now).await?;
    Ok(tx.commit().await?)
}

/// Puts a task back for a later attempt, or gives it up after the last one: says whether it was given up.
pub async fn failed(tx: &mut Tx, task: &Task, now: Timestamp, error: &str) -> Result<bool> {
    let pause = (SECOND << task.attempts.clamp(0, 20)).min(PAUSE_MAX_MS);
    let is_last = task.is_last_attempt();
    // Only by whoever holds the lease: a task that ended meanwhile stays ended.
    let noted = q("update tasks set run_at = $2, leased_until = null, last_error = $3, ended_at = $4, outcome = $5
        where id = $1 and ended_at is null and attempts = $6")
    .bind(task.id)
    .bind(now.plus(pause))
    .bind(error)
    .bind(is_last.then_some(now))
    .bind(is_last.then_some("FAILED"))
    .bind(task.attempts)
    .execute(tx)
    .await?;
    Ok(is_last && noted == 1)
}

/// Forgets some tasks that ended before `then`, and says whether there may be more.
pub async fn forget_ended(db: &Db, then: Timestamp) -> Result<bool> {
    q("delete from tasks where id in (select id from tasks where ended_at < $1 limit $2)").bind(then).forget(db).await
}

/// How many tasks wait, and how many were given up and are still kept.
pub async fn counts(db: &Db) -> Result<(i64, i64)> {
    let waiting = q("select count(*) as n from tasks where ended_at is null").one(db).await?;
    let failed = q("select count(*) as n from tasks where outcome = 'FAILED'").one(db).await?;
    Ok((waiting, failed))
}
