//! Rows whose time is over, removed a few at a time.

use super::{Db, Query};
use crate::kernel::Result;

/// Rows of one transaction: few enough that nobody waits for it.
const AT_ONCE: u64 = 500;

impl Query {
    /// Deletes up to so many rows, and says whether there may be more. How many is the last parameter of the statement.
    pub async fn forget(self, db: &Db) -> Result<bool> {
        let mut tx = db.begin().await?;
        let gone = self.bind(AT_ONCE.cast_signed()).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(gone == AT_ONCE)
    }
}
