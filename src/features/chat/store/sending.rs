//! The SQL of writing messages, many at once.

use crate::features::chat::Message;
use crate::kernel::id::{ConversationId, MessageId, UserId};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{FromRow, Row, Tx, q, q2};
use crate::platform::work::Unit;

/// A conversation that nobody else writes into until the unit of work ends, and how it has grown since it was locked.
pub(in crate::features::chat) struct Talk {
    pub(in crate::features::chat) id: ConversationId,
    pub(in crate::features::chat) people: [UserId; 2],
    pub(in crate::features::chat) is_active: bool,
    pub(in crate::features::chat) last_number: i64,
    counts: [i64; 2],
    grown: i64,
    last: Option<(MessageId, Timestamp)>,
}

impl FromRow for Talk {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Talk {
            id: row.get("id")?,
            people: [row.get("user_a")?, row.get("user_b")?],
            is_active: row.get("is_active")?,
            last_number: row.get("last_number")?,
            counts: [row.get("a_count")?, row.get("b_count")?],
            grown: 0,
            last: None,
        })
    }
}

impl Talk {
    /// Takes the next message, and counts it for its sender.
    pub(in crate::features::chat) fn take(&mut self, message: &Message) -> Sent {
        self.last_number = message.number;
        self.counts[usize::from(message.sender == self.people[1])] += 1;
        self.grown += 1;
        self.last = Some((message.id, message.created_at));
        Sent { message: message.clone(), counts: self.counts }
    }

    /// Whether it took any.
    pub(in crate::features::chat) const fn has_grown(&self) -> bool {
        self.grown > 0
    }
}

/// A message, and how much each of the two had written with it.
pub(in crate::features::chat) struct Sent {
    message: Message,
    counts: [i64; 2],
}

/// Locks conversations, in one order for everybody.
pub(in crate::features::chat) async fn lock(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = ConversationId>,
) -> Result<Vec<Talk>> {
    macro_rules! talks {
        ($lock:literal) => {
            concat!(
                "select id, user_a, user_b, is_active, last_number, a_count, b_count from conversations
                where id in ({list}) order by id ",
                $lock
            )
        };
    }
    // SQLite needs no lock of a row: only one transaction writes.
    q2(talks!("for update"), talks!("")).list(ids).all(tx).await
}

/// What was sent under these keys before. The conversations are locked, so that no more can come meanwhile.
pub(in crate::features::chat) async fn by_keys(
    tx: &mut Tx,
    keys: Vec<(ConversationId, UserId, String)>,
) -> Result<Vec<Message>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = keys.into_iter().map(|(id, sender, key)| vec![id.into(), sender.into(), key.into()]).collect();
    q("with wanted (conversation, sender, client_key) as (values {rows})
        select m.*, m.sender_id as me_id from wanted join messages m
        on m.conversation_id = conversation and m.sender_id = sender and m.client_message_id = client_key")
    .rows(rows)
    .all(tx)
    .await
}

/// Leaves messages, and how conversations have grown by them, for the end of the unit.
pub(in crate::features::chat) fn write(unit: &mut Unit, talks: impl Iterator<Item = Talk>, messages: &[Sent]) {
    let grown = talks.filter_map(|talk| {
        let (last, at) = talk.last?;
        let [a, b] = talk.counts;
        let (id, number, more) = (talk.id, talk.last_number, talk.grown);
        Some(vec![id.into(), number.into(), a.into(), b.into(), last.into(), at.into(), more.into()])
    });
    let grown: Vec<_> = grown.collect();
    if grown.is_empty() {
        return;
    }
    let count = q("with sent (conversation, number, a, b, message, at, more) as (values {rows})
        update conversations set last_number = number, a_count = a, b_count = b, last_message_id = message,
            active_at = case when active_at < at then at else active_at end, updated_at = at, version = version + more
        from sent where id = conversation");
    unit.later(count.rows(grown));
    let row = |Sent { message, counts: [a, b] }: &Sent| {
        vec![
            message.id.into(),
            message.conversation.into(),
            message.number.into(),
            message.sender.into(),
            message.content.as_str().into(),
            message.client_message_id.as_deref().into(),
            (*a).into(),
            (*b).into(),
            message.created_at.into(),
            message.updated_at.into(),
            message.version.into(),
        ]
    };
    let insert = q("insert into messages (id, conversation_id, number, sender_id, content, client_message_id,
        a_count, b_count, created_at, updated_at, version) values {rows}");
    unit.later(insert.rows(messages.iter().map(row).collect()));
}
