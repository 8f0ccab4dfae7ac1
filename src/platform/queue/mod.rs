//! Background work, stored in the same database and enqueued in the transaction that causes it. `tasks/` runs it.

use serde::Serialize;

use crate::kernel::id::TaskId;
use crate::kernel::{Error, Ids, Result, Timestamp};
use crate::platform::db::{Tx, Value, q};

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

/// Stores tasks with the transaction.
pub async fn enqueue(tx: &mut Tx, ids: &Ids, now: Timestamp, tasks: &[NewTask]) -> Result<()> {
    if tasks.is_empty() {
        return Ok(());
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
    q("insert into tasks (id, kind, payload, run_at, attempts, created_at) values {rows}")
        .rows(rows)
        .execute(tx)
        .await?;
    Ok(())
}
