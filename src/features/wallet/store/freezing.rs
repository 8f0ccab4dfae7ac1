//! The SQL of frozen payouts.

use crate::features::wallet::freezing::Freeze;
use crate::kernel::id::FreezeId;
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{FromRow, On, Row, Tx, q};

impl FromRow for Freeze {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Freeze { id: row.get("id")?, reason: row.get("reason")?, created_at: row.get("created_at")? })
    }
}

pub(in crate::features::wallet) async fn open(on: impl Into<On<'_>>) -> Result<Option<Freeze>> {
    q("select id, reason, created_at from payout_freezes where lifted_at is null").optional(on).await
}

/// Says whether nothing was frozen before.
pub(in crate::features::wallet) async fn insert(tx: &mut Tx, freeze: &Freeze) -> Result<bool> {
    let inserted = q("insert into payout_freezes (id, reason, created_at) values ($1, $2, $3) on conflict do nothing")
        .bind(freeze.id)
        .bind(freeze.reason.as_str())
        .bind(freeze.created_at)
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

/// Ends the freeze and says which one it was.
pub(in crate::features::wallet) async fn lift(tx: &mut Tx, reason: &str, now: Timestamp) -> Result<Option<FreezeId>> {
    let rows = q("update payout_freezes set lifted_at = $1, lift_reason = $2 where lifted_at is null returning id")
        .bind(now)
        .bind(reason)
        .fetch(tx)
        .await?;
    rows.first().map(|row| row.get("id")).transpose()
}
