//! What is due again and again, once for all processes: a row per name, with the instant at which it is due next.
//!
//! Whoever takes it holds a lease. One that dies loses it and another process begins anew; one that fails comes back
//! after a pause. To add one: a name, and a file in `tasks/` that looks for it.

use crate::kernel::clock::{HOUR, MINUTE};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, q};

/// How long the work may take before another process assumes that this one died.
const LEASE_MS: i64 = 2 * HOUR;
/// The pause after a failure.
const PAUSE_MS: i64 = 10 * MINUTE;

/// Takes what is due; false when it is not, or when somebody else has it. What nobody ever took is due at `first`.
pub async fn take(db: &Db, name: &str, now: Timestamp, first: Timestamp) -> Result<bool> {
    // A look on a reader first: SQLite's writer lane is for those who have something to write.
    let waiting: i64 = q("select count(*) as n from schedules where name = $1 and (due_at > $2 or leased_until > $2)")
        .bind(name)
        .bind(now)
        .one(db)
        .await?;
    if waiting > 0 {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    q("insert into schedules (name, due_at) values ($1, $2) on conflict do nothing")
        .bind(name)
        .bind(first)
        .execute(&mut tx)
        .await?;
    let taken = q("update schedules set leased_until = $3
        where name = $1 and due_at <= $2 and (leased_until is null or leased_until <= $2)")
    .bind(name)
    .bind(now)
    .bind(now.plus(LEASE_MS))
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(taken == 1)
}

/// Gives back what was done; it is due again at `next`.
pub async fn done(db: &Db, name: &str, next: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    q("update schedules set due_at = $2, leased_until = null where name = $1")
        .bind(name)
        .bind(next)
        .execute(&mut tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Gives back what failed; it is still due, after a pause.
pub async fn failed(db: &Db, name: &str, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    q("update schedules set leased_until = $2 where name = $1")
        .bind(name)
        .bind(now.plus(PAUSE_MS))
        .execute(&mut tx)
        .await?;
    Ok(tx.commit().await?)
}
