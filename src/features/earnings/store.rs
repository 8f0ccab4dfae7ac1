//! The SQL of earnings.

use super::Earning;
use crate::kernel::Result;
use crate::kernel::id::EarningId;
use crate::platform::db::{Db, FromRow, Row, Tx, q};

impl FromRow for Earning {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Earning {
            id: row.get("id")?,
            contractor: row.get("contractor_id")?,
            booking: row.get("booking_id")?,
            gross: row.money("gross")?,
            service_fee: row.money("service_fee")?,
            net: row.money("net")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, earning: &Earning) -> Result<()> {
    q("insert into earnings (id, contractor_id, booking_id, gross, service_fee, net, currency, created_at, updated_at,
        version) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1)")
    .bind(earning.id)
    .bind(earning.contractor)
    .bind(earning.booking)
    .bind(earning.gross.minor)
    .bind(earning.service_fee.minor)
    .bind(earning.net.minor)
    .bind(earning.gross.currency.code())
    .bind(earning.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_ids(db: &Db, ids: &[EarningId]) -> Result<Vec<Earning>> {
    q("select * from earnings where id in ({list})").list(ids.iter().copied()).all(db).await
}
