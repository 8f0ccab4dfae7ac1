//! Numbers drafts and stores them, inside the transaction that causes them.

use std::collections::BTreeMap;

use super::{Stated, StreamName};
use crate::kernel::id::EventId;
use crate::kernel::{Error, Ids, Result, Timestamp};
use crate::platform::db::{Query, Tx, Value, q};

/// One upsert moves every head. Its rows are sorted by name, so that two transactions lock heads in the same order.
const MOVE_HEADS: &str = "insert into streams (name, head) values {rows}
    on conflict (name) do update set head = streams.head + excluded.head
    returning name as stream, head";

const STORE: &str = "insert into events (stream, seq, id, noun, kind, object_id, subject_id, version, facts,
    actor_id, actor_role, request_id, occurred_at) values {rows}";

/// Stores the facts in the streams of their audiences and gives the new heads. Statements that came before and that nobody
/// waits for go along.
pub async fn append(
    tx: &mut Tx,
    ids: &Ids,
    now: Timestamp,
    stated: &[Stated],
    streams_max: usize,
    before: Vec<Query>,
) -> Result<Vec<(StreamName, i64)>> {
    let mut growth: BTreeMap<&StreamName, i64> = BTreeMap::new();
    for stream in stated.iter().flat_map(|it| &it.draft.audience) {
        *growth.entry(stream).or_default() += 1;
    }
    if growth.is_empty() {
        for statement in before {
            statement.execute(tx).await?;
        }
        return Ok(Vec::new());
    }
    if growth.len() > streams_max {
        return Err(Error::internal("a command states facts to more streams than it may: tell the rest by a task"));
    }
    let moves = growth.iter().map(|(stream, by)| vec![stream.as_str().into(), (*by).into()]).collect();
    let mut heads = Vec::with_capacity(growth.len());
    for row in q(MOVE_HEADS).rows(moves).fetch_behind(before, tx).await? {
        heads.push((StreamName::from_text(row.get::<String>("stream")?), row.get::<i64>("head")?));
    }
    let mut next: BTreeMap<&StreamName, i64> = BTreeMap::new();
    for (stream, head) in &heads {
        let by = growth.get(stream).copied().ok_or_else(|| Error::internal("a head moved that nobody asked for"))?;
        next.insert(stream, head - by + 1);
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for Stated { author, draft } in stated {
        let id: EventId = ids.new_id();
        let (actor_id, actor_role) = author.actor.parts();
        for stream in &draft.audience {
            let seq = next.get_mut(stream).ok_or_else(|| Error::internal("a stream without a head"))?;
            rows.push(vec![
                stream.as_str().into(),
                (*seq).into(),
                id.into(),
                draft.noun.into(),
                draft.kind.into(),
                draft.object.into(),
                draft.subject.into(),
                draft.version.into(),
                draft.facts.as_str().into(),
                actor_id.into(),
                actor_role.into(),
                (&*author.request_id).into(),
                now.into(),
            ]);
            *seq += 1;
        }
    }
    q(STORE).rows(rows).execute(tx).await?;
    Ok(heads)
}
