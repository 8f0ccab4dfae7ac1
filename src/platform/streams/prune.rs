//! Removes old events from the beginnings of streams, a few at a time, so that nobody waits for it.
//!
//! A stream's newest event always stays: cursors are compared with it. What is left is whole from its first event on, so
//! that a cursor in front of it is told `PRUNED`, and nothing is stepped over.

use super::{Reader, StreamName};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, Row, q};

/// Streams that are looked at in one statement.
const STREAMS_AT_ONCE: i64 = 200;
/// Events that are removed in one transaction: few enough that nobody notices.
const EVENTS_AT_ONCE: i64 = 500;

/// What stays.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Events that happened at this instant or later.
    pub since: Timestamp,
    /// Of each stream at most so many.
    pub newest: i64,
}

/// An event at the beginning of a stream.
struct Oldest {
    stream: StreamName,
    head: i64,
    event: Option<(i64, Timestamp)>,
}

impl FromRow for Oldest {
    fn from_row(row: &Row) -> Result<Self> {
        let seq: Option<i64> = row.get("seq")?;
        let occurred_at: Option<Timestamp> = row.get("occurred_at")?;
        Ok(Oldest {
            stream: StreamName::from_text(row.get::<String>("name")?),
            head: row.get("head")?,
            event: seq.zip(occurred_at),
        })
    }
}

impl Oldest {
    /// The number of the event if it is to go.
    fn is_over(&self, keep: Keep) -> Option<i64> {
        let (seq, occurred_at) = self.event?;
        let is_over = occurred_at < keep.since || seq <= self.head - keep.newest;
        (is_over && seq < self.head).then_some(seq)
    }
}

impl Reader {
    /// Removes from the next streams behind a name what is over, until `stop` says so. Gives the name to go on behind;
    /// nothing when all streams were looked at.
    pub async fn prune(&self, keep: Keep, behind: &str, stop: impl Fn() -> bool) -> Result<Option<StreamName>> {
        let oldest: Vec<Oldest> = q("select s.name, s.head, e.seq, e.occurred_at from streams s
            left join events e on e.stream = s.name and e.seq = (select min(seq) from events where stream = s.name)
            where s.name > $1 order by s.name limit $2")
        .bind(behind)
        .bind(STREAMS_AT_ONCE)
        .all(self.db())
        .await?;
        for first in oldest.iter().filter(|first| first.is_over(keep).is_some()) {
            while !stop() && prune_some(self.db(), &first.stream, keep).await? {}
        }
        let is_whole = i64::try_from(oldest.len()).is_ok_and(|count| count < STREAMS_AT_ONCE);
        Ok(oldest.into_iter().last().filter(|_| !is_whole && !stop()).map(|last| last.stream))
    }
}

/// Removes some of a stream's events, and says whether more may be over.
async fn prune_some(db: &Db, stream: &StreamName, keep: Keep) -> Result<bool> {
    let oldest: Vec<Oldest> = q("select s.name, s.head, e.seq, e.occurred_at from streams s
        join events e on e.stream = s.name where s.name = $1 order by e.seq limit $2")
    .bind(stream.as_str())
    .bind(EVENTS_AT_ONCE)
    .all(db)
    .await?;
    // Instants are not quite in the order of the numbers; the numbers are what must not get holes.
    let Some(last) = oldest.iter().map_while(|event| event.is_over(keep)).last() else { return Ok(false) };
    let mut tx = db.begin().await?;
    let gone = q("delete from events where stream = $1 and seq <= $2")
        .bind(stream.as_str())
        .bind(last)
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(i64::try_from(gone).is_ok_and(|gone| gone == EVENTS_AT_ONCE))
}
