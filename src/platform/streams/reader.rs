//! Reads streams from the database, and says plainly when a place is not there any more.

use std::collections::HashMap;

use uuid::Uuid;

use super::{BACKLOG_MAX, Cursor, Event, PAGE, Place, StreamName};
use crate::kernel::Result;
use crate::platform::db::{Db, FromRow, Row, q};

/// Why a stream cannot be continued from a place. The client reloads and goes on from the new cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The cursor comes from another database, or from one before a restore.
    Epoch,
    /// The cursor is ahead of the stream: the database lost events.
    Ahead,
    /// Another event stands at the cursor's place: the database took another course.
    Diverged,
    /// The place is so old that its events were removed.
    Pruned,
    /// So many events were missed that reloading is cheaper.
    Backlog,
    /// The cursor speaks of another user's or another topic's stream.
    Foreign,
    /// This is no cursor.
    Invalid,
}

/// Stream names looked up in one statement.
const NAMES_AT_ONCE: usize = 1_000;
/// Events fetched in one statement, over all streams.
const FETCH_MAX: i64 = 2_000;

/// Where a stream ends.
struct Head {
    stream: StreamName,
    place: Place,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self> {
        let seq = row.get("head")?;
        let id: Option<Uuid> = row.get("id")?;
        let place = Place { seq, mark: id.map_or(0, |id| id.as_u64_pair().1) };
        Ok(Head { stream: StreamName::from_text(row.get::<String>("name")?), place })
    }
}

/// Reads events of one database.
#[derive(Clone, Debug)]
pub struct Reader {
    db: Db,
    epoch: Uuid,
}

impl Reader {
    /// Reads this database, whose epoch names it in cursors.
    pub const fn new(db: Db, epoch: Uuid) -> Self {
        Reader { db, epoch }
    }

    /// The database.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The database's epoch.
    pub const fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Where the streams end. A stream without events ends at place 0.
    pub async fn heads(&self, streams: &[StreamName]) -> Result<Vec<(StreamName, Place)>> {
        let mut places: HashMap<StreamName, Place> = HashMap::new();
        for names in streams.chunks(NAMES_AT_ONCE) {
            let statement = "select s.name, s.head, e.id from streams s
                left join events e on e.stream = s.name and e.seq = s.head where s.name in ({list})";
            let found: Vec<Head> = q(statement).list(names.iter().map(StreamName::as_str)).all(&self.db).await?;
            places.extend(found.into_iter().map(|head| (head.stream, head.place)));
        }
        let place = |stream: &StreamName| places.get(stream).copied().unwrap_or_default();
        Ok(streams.iter().map(|stream| (stream.clone(), place(stream))).collect())
    }

    /// Events of several streams, each from its number on, that number included: so that the caller can compare the
    /// event that it knows with the one that is there.
    pub async fn from_inclusive(&self, wanted: &[(StreamName, i64)]) -> Result<Vec<Event>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let rows = wanted.iter().map(|(stream, seq)| vec![stream.as_str().into(), (*seq).into()]).collect();
        q("with wanted (stream, seq) as (values {rows})
            select e.* from wanted w join events e on e.stream = w.stream and e.seq >= w.seq
            order by e.stream, e.seq limit 2000")
        .rows(rows)
        .all(&self.db)
        .await
    }

    /// Whether a fetch was cut off, so that there may be more.
    pub fn was_cut(fetched: usize) -> bool {
        i64::try_from(fetched).is_ok_and(|count| count >= FETCH_MAX)
    }

    /// The next events of one stream behind a place, or the reason why there is no next.
    pub async fn page(&self, stream: &StreamName, place: Place) -> Result<Result<Vec<Event>, Gap>> {
        let mut events: Vec<Event> = q("select * from events where stream = $1 and seq >= $2 order by seq limit $3")
            .bind(stream.as_str())
            .bind(place.seq)
            .bind(PAGE + 1)
            .all(&self.db)
            .await?;
        if place.seq == 0 {
            return Ok(if events.first().is_some_and(|event| event.seq > 1) { Err(Gap::Pruned) } else { Ok(events) });
        }
        Ok(match events.first() {
            Some(event) if event.seq == place.seq && event.mark() == place.mark => {
                events.remove(0);
                Ok(events)
            }
            Some(event) if event.seq == place.seq => Err(Gap::Diverged),
            Some(_) => Err(Gap::Pruned),
            None => Err(Gap::Ahead),
        })
    }

    /// Checks a client's cursor for one stream against the stream's head.
    pub async fn resume(&self, cursor: &str, stream: &StreamName, head: Place) -> Result<Result<Place, Gap>> {
        let Some(cursor) = Cursor::decode(cursor) else { return Ok(Err(Gap::Invalid)) };
        if cursor.epoch != self.epoch {
            return Ok(Err(Gap::Epoch));
        }
        let Some(place) = cursor.place(stream) else { return Ok(Err(Gap::Foreign)) };
        if place.seq > head.seq {
            return Ok(Err(Gap::Ahead));
        }
        if head.seq - place.seq > BACKLOG_MAX {
            return Ok(Err(Gap::Backlog));
        }
        if place.seq == head.seq {
            return Ok(if place.mark == head.mark { Ok(place) } else { Err(Gap::Diverged) });
        }
        // For place 0 the first event must still be there; else the event at the place itself.
        let known = q("select id from events where stream = $1 and seq = $2")
            .bind(stream.as_str())
            .bind(place.seq.max(1))
            .optional::<Uuid>(&self.db)
            .await?;
        Ok(match known {
            None => Err(Gap::Pruned),
            Some(_) if place.seq == 0 => Ok(place),
            Some(id) if id.as_u64_pair().1 == place.mark => Ok(place),
            Some(_) => Err(Gap::Diverged),
        })
    }
}
