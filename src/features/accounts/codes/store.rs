//! The SQL of one-time codes.

use uuid::Uuid;

use super::{Purpose, Stored};
use crate::kernel::clock::HOUR;
use crate::kernel::id::{CodeId, UserId};
use crate::kernel::{Result, Timestamp};
use crate::platform::Platform;
use crate::platform::db::{Db, FromRow, Row, Tx, q, q2};

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Stored {
            id: row.get("id")?,
            user: row.get("user_id")?,
            purpose: row.get("purpose")?,
            seed: row.get("seed")?,
            digits: row.get("digits")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
        })
    }
}

/// How often something happened within the hour, and when the first of these times was.
pub(super) struct Counted {
    pub(super) count: i64,
    first_at: Option<Timestamp>,
}

impl Counted {
    /// When the first of them is an hour old.
    pub(super) fn free_at(&self, now: Timestamp) -> Timestamp {
        self.first_at.unwrap_or(now).plus(HOUR)
    }
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Counted { count: row.get("n")?, first_at: row.get("first_at")? })
    }
}

/// Puts a code in the place of an older one, and locks its row.
pub(super) async fn replace(tx: &mut Tx, code: &Stored, now: Timestamp) -> Result<()> {
    q("insert into codes (user_id, purpose, id, seed, digits, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (user_id, purpose) do update set id = excluded.id, seed = excluded.seed, digits = excluded.digits,
        expires_at = excluded.expires_at, created_at = excluded.created_at, used_at = null")
    .bind(code.user)
    .bind(code.purpose.as_str())
    .bind(code.id)
    .bind(code.seed.as_str())
    .bind(code.digits)
    .bind(code.expires_at)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The code of a user for a purpose, locked: guesses that come at once are judged one after the other.
pub(super) async fn locked(tx: &mut Tx, user: UserId, purpose: Purpose) -> Result<Option<Stored>> {
    q2(
        "select * from codes where user_id = $1 and purpose = $2 for update",
        "select * from codes where user_id = $1 and purpose = $2",
    )
    .bind(user)
    .bind(purpose.name())
    .optional(tx)
    .await
}

pub(super) async fn by_id(db: &Db, id: CodeId) -> Result<Option<Stored>> {
    q("select * from codes where id = $1").bind(id).optional(db).await
}

pub(super) async fn used(tx: &mut Tx, id: CodeId, now: Timestamp) -> Result<()> {
    q("update codes set used_at = $2 where id = $1").bind(id).bind(now).execute(tx).await?;
    Ok(())
}

pub(super) async fn counted(tx: &mut Tx, subject: &str, since: Timestamp) -> Result<Counted> {
    q("select count(*) as n, min(counted_at) as first_at from code_counts where subject = $1 and counted_at > $2")
        .bind(subject)
        .bind(since)
        .one(tx)
        .await
}

pub(super) async fn count(tx: &mut Tx, id: Uuid, subject: &str, now: Timestamp) -> Result<()> {
    q("insert into code_counts (id, subject, counted_at) values ($1, $2, $3)")
        .bind(id)
        .bind(subject)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn uncount(tx: &mut Tx, subject: &str) -> Result<()> {
    q("delete from code_counts where subject = $1").bind(subject).execute(tx).await?;
    Ok(())
}

/// Forgets some counts and codes that ended before `then`, and says whether there may be more.
pub async fn forget(platform: &Platform, then: Timestamp) -> Result<bool> {
    let counts = q("delete from code_counts where id in
        (select id from code_counts where counted_at < $1 limit $2)");
    let codes = q("delete from codes where id in (select id from codes where expires_at < $1 limit $2)");
    let has_more_counts = counts.bind(then).forget(&platform.db).await?;
    let has_more_codes = codes.bind(then).forget(&platform.db).await?;
    Ok(has_more_counts || has_more_codes)
}
