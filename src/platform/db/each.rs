//! Results that are too long to hold: row after row, as the database hands them over.

use futures_util::TryStreamExt;
use sqlx::{Postgres, Sqlite};

use super::query::{postgres, sqlite};
use super::{DbError, Query, Row, Tx, TxInner};
use crate::kernel::Result;

impl Query {
    /// Runs it and hands over each row in turn, however many there are.
    pub async fn each(self, tx: &mut Tx, mut take: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        tx.meter.tick();
        let (sql, values) = self.text(matches!(tx.inner, TxInner::Sqlite(_)));
        match &mut tx.inner {
            TxInner::Sqlite(tx) => {
                let mut rows = sqlx::query_with::<Sqlite, _>(sql, sqlite(values)?).fetch(tx.connection()?);
                while let Some(row) = rows.try_next().await.map_err(DbError::from)? {
                    take(&Row::from(row))?;
                }
            }
            TxInner::Postgres(tx) => {
                let mut rows = sqlx::query_with::<Postgres, _>(sql, postgres(values)?).fetch(tx.connection()?);
                while let Some(row) = rows.try_next().await.map_err(DbError::from)? {
                    take(&Row::from(row))?;
                }
            }
        }
        Ok(())
    }
}
