//! Numbers drafts and stores them, inside the transaction that causes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Event, Place, Stated, StreamName};
use crate::kernel::id::EventId;
use crate::kernel::{Error, Ids, Result, Timestamp};
use crate::platform::db::{FromRow, Query, Row, Tx, Value, q};

/// One upsert moves every head, and says behind which event it moves on. Its rows are sorted by name, so that two
/// transactions lock heads in the same order.
const MOVE_HEADS: &str = "insert into streams (name, head) values {rows}
    on conflict (name) do update set head = streams.head + excluded.head
    returning name as stream, head,
        (select e.id from events e where e.stream = streams.name order by e.seq desc limit 1) as last";

const STORE: &str = "insert into events (stream, seq, id, noun, kind, object_id, subject_id, version, facts,
    actor_id, actor_role, request_id, occurred_at) values {rows}";

/// What a transaction adds to one stream.
#[derive(Debug)]
pub struct Growth {
    /// The stream.
    pub stream: StreamName,
    /// Where it ended before.
    pub behind: Place,
    /// The new events, in their order.
    pub events: Vec<Arc<Event>>,
}

impl Growth {
    /// The number of the last event.
    pub fn head(&self) -> i64 {
        self.events.last().map_or(self.behind.seq, |event| event.seq)
    }

    fn add(&mut self, stated: &Stated, id: EventId, now: Timestamp) {
        let Stated { author, draft } = stated;
        self.events.push(Arc::new(Event {
            stream: self.stream.clone(),
            seq: self.head() + 1,
            id,
            noun: draft.noun.to_owned(),
            kind: draft.kind.to_owned(),
            object: draft.object,
            subject: draft.subject,
            version: draft.version,
            facts: draft.facts.clone(),
            actor: author.actor,
            request_id: author.request_id.to_string(),
            occurred_at: now,
        }));
    }
}

/// A stream whose head has moved.
struct Moved {
    stream: StreamName,
    head: i64,
    last: Option<Uuid>,
}

impl FromRow for Moved {
    fn from_row(row: &Row) -> Result<Self> {
        let stream = StreamName::from_text(row.get::<String>("stream")?);
        Ok(Moved { stream, head: row.get("head")?, last: row.get("last")? })
    }
}

impl Moved {
    /// The room behind the old head, which was so far back.
    fn growth(self, by: i64) -> Growth {
        let mark = self.last.map_or(0, |id| id.as_u64_pair().1);
        Growth { stream: self.stream, behind: Place { seq: self.head - by, mark }, events: Vec::new() }
    }
}

/// Stores the facts in the streams of their audiences and says how each has grown. Statements that came before and that
/// nobody waits for go along.
pub async fn append(
    tx: &mut Tx,
    ids: &Ids,
    now: Timestamp,
    stated: &[Stated],
    streams_max: usize,
    before: Vec<Query>,
) -> Result<Vec<Growth>> {
    let mut by: BTreeMap<&StreamName, i64> = BTreeMap::new();
    for stream in stated.iter().flat_map(|it| &it.draft.audience) {
        *by.entry(stream).or_default() += 1;
    }
    if by.is_empty() {
        for statement in before {
            statement.execute(tx).await?;
        }
        return Ok(Vec::new());
    }
    if by.len() > streams_max {
        return Err(Error::internal("a command states facts to more streams than it may: tell the rest by a task"));
    }
    let moves = by.iter().map(|(stream, by)| vec![stream.as_str().into(), (*by).into()]).collect();
    let mut grown: BTreeMap<StreamName, Growth> = BTreeMap::new();
    for row in q(MOVE_HEADS).rows(moves).fetch_behind(before, tx).await? {
        let moved = Moved::from_row(&row)?;
        let by = *by.get(&moved.stream).ok_or_else(|| Error::internal("a head moved that nobody asked for"))?;
        grown.insert(moved.stream.clone(), moved.growth(by));
    }
    for it in stated {
        let id: EventId = ids.new_id();
        for stream in &it.draft.audience {
            let growth = grown.get_mut(stream).ok_or_else(|| Error::internal("a stream without a head"))?;
            growth.add(it, id, now);
        }
    }
    let events = grown.values().flat_map(|growth| &growth.events);
    q(STORE).rows(events.map(|event| row(event)).collect()).execute(tx).await?;
    Ok(grown.into_values().collect())
}

fn row(event: &Event) -> Vec<Value> {
    let (actor_id, actor_role) = event.actor.parts();
    vec![
        event.stream.as_str().into(),
        event.seq.into(),
        event.id.into(),
        event.noun.as_str().into(),
        event.kind.as_str().into(),
        event.object.into(),
        event.subject.into(),
        event.version.into(),
        event.facts.as_str().into(),
        actor_id.into(),
        actor_role.into(),
        event.request_id.as_str().into(),
        event.occurred_at.into(),
    ]
}
