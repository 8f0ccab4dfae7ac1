//! The SQL of alerts.

use super::model::{Subject, TOLD_AGAIN_MS};
use super::{Alert, Filter, Kind, NewAlert};
use crate::kernel::id::{AlertId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Query, Row, Tx, q};

impl FromRow for Alert {
    fn from_row(row: &Row) -> Result<Self> {
        let kind: Option<String> = row.get("subject_kind")?;
        let id = row.get("subject_id")?;
        Ok(Alert {
            id: row.get("id")?,
            kind: row.parsed("kind", Kind::parse)?,
            body: row.get("body")?,
            subject: kind.zip(id).map(|(kind, id)| Subject { kind, id }),
            occurrences: row.get("occurrences")?,
            last_raised_at: row.get("last_raised_at")?,
            told_at: row.get("told_at")?,
            dismissed_at: row.get("dismissed_at")?,
            dismissed_by: row.get("dismissed_by")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

pub(super) async fn insert_or_renew(tx: &mut Tx, id: AlertId, new: &NewAlert, now: Timestamp) -> Result<Alert> {
    let (subject_kind, subject_id) = new.subject.as_ref().map(|it| (it.kind.as_str(), it.id)).unzip();
    q("insert into alerts (id, kind, cause, body, subject_kind, subject_id, occurrences, last_raised_at, told_at,
            created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, 1, $7, $7, $7, $7, 1)
        on conflict (kind, cause) where dismissed_at is null do update set body = excluded.body,
            occurrences = alerts.occurrences + 1, last_raised_at = excluded.last_raised_at,
            told_at = case when alerts.told_at <= $8 then excluded.told_at else alerts.told_at end,
            updated_at = excluded.updated_at, version = alerts.version + 1
        returning *")
    .bind(id)
    .bind(new.kind.name())
    .bind(new.cause.as_str())
    .bind(new.body.as_str())
    .bind(subject_kind)
    .bind(subject_id)
    .bind(now)
    .bind(now.plus(-TOLD_AGAIN_MS))
    .one(tx)
    .await
}

pub(super) async fn settle(tx: &mut Tx, kind: Kind, cause: &str, now: Timestamp) -> Result<Option<Alert>> {
    q("update alerts set dismissed_at = $3, updated_at = $3, version = version + 1
        where kind = $1 and cause = $2 and dismissed_at is null returning *")
    .bind(kind.name())
    .bind(cause)
    .bind(now)
    .optional(tx)
    .await
}

pub(super) async fn dismiss(tx: &mut Tx, id: AlertId, by: UserId, now: Timestamp) -> Result<Option<Alert>> {
    q("update alerts set dismissed_at = $2, dismissed_by = $3, updated_at = $2, version = version + 1
        where id = $1 and dismissed_at is null returning *")
    .bind(id)
    .bind(now)
    .bind(by)
    .optional(tx)
    .await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[AlertId]) -> Result<Vec<Alert>> {
    q("select * from alerts where id in ({list})").list(ids.iter().copied()).all(on).await
}

/// What is not asked for lets everything pass, so that one statement serves all filters.
fn wanted(filter: &Filter, sql: &'static str) -> Query {
    q(sql)
        .bind(filter.is_dismissed.is_none_or(|is_dismissed| is_dismissed))
        .bind(filter.is_dismissed.is_none_or(|is_dismissed| !is_dismissed))
        .list(filter.kinds.iter().map(|kind| kind.name()))
}

pub(super) async fn page(db: &Db, filter: &Filter, page: &Page) -> Result<Slice<Alert>> {
    let sql = "select * from alerts where case when dismissed_at is null then $2 else $1 end and kind in ({list})";
    wanted(filter, sql).page(db, page, Order::descending("created_at", "id")).await
}

pub(super) async fn count(db: &Db, filter: &Filter) -> Result<i64> {
    let sql = "select count(*) as n from alerts where case when dismissed_at is null then $2 else $1 end and kind in ({list})";
    wanted(filter, sql).one(db).await
}

pub(super) async fn open_counts(db: &Db) -> Result<Vec<(Kind, i64)>> {
    let rows = q("select kind, count(*) as n from alerts where dismissed_at is null group by kind order by kind")
        .fetch(db)
        .await?;
    rows.iter().map(|row| Ok((row.parsed("kind", Kind::parse)?, row.get("n")?))).collect()
}

pub(super) async fn forget(db: &Db, dismissed: Timestamp) -> Result<bool> {
    q("delete from alerts where id in (select id from alerts where dismissed_at < $1 limit $2)")
        .bind(dismissed)
        .forget(db)
        .await
}
