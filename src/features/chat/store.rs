//! The SQL of chat.

pub(super) mod along;
pub(super) mod sending;

use uuid::Uuid;

use super::{Conversation, Message, Participant, Subject, SubjectKind};
use crate::kernel::id::{ConversationId, MessageId, TypedId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Row, Tx, q, q2};
use crate::platform::work::Unit;

/// Conversations as somebody sees them: as `me`, with the marks of both. Without `from`, `$1` sees them, and a condition
/// follows; further columns and the table that they come from may stand in front of it.
macro_rules! seen {
    ($condition:literal) => {
        seen!("", "", $condition)
    };
    ($columns:literal, $join:literal, $condition:expr) => {
        seen!(from "participants me", $columns, $join, concat!(" where me.user_id = $1 ", $condition))
    };
    (from $from:literal, $columns:literal, $join:literal, $condition:expr) => {
        concat!(
            "select c.*, me.user_id as me_id, me.read_number as me_read_number, me.read_count as me_read_count,
                me.delivered_number as me_delivered_number, other.read_number as other_read_number,
                other.read_count as other_read_count, other.delivered_number as other_delivered_number,
                c.version + me.version + other.version as seen_version,
                (select count(*) from conversation_staff s where s.conversation_id = c.id and s.left_at is null) as staff",
            $columns,
            " from ",
            $from,
            " join conversations c on c.id = me.conversation_id
            join participants other on other.conversation_id = me.conversation_id
                and other.user_id = case when c.user_a = me.user_id then c.user_b else c.user_a end ",
            $join,
            $condition
        )
    };
}

impl FromRow for Conversation {
    fn from_row(row: &Row) -> Result<Self> {
        let (a, b): (UserId, UserId) = (row.get("user_a")?, row.get("user_b")?);
        let (of_a, of_b) = (row.get("a_count")?, row.get("b_count")?);
        let viewer: UserId = row.get("me_id")?;
        // Staff stand behind the first of the two.
        let (me, written, other, others) = if viewer == b { (b, of_b, a, of_a) } else { (a, of_a, b, of_b) };
        Ok(Conversation {
            id: row.get("id")?,
            viewer,
            staff: row.get("staff")?,
            subject: Subject { kind: row.parsed("subject_kind", SubjectKind::parse)?, id: row.get("subject_id")? },
            me: Participant {
                user: me,
                written,
                read_number: row.get("me_read_number")?,
                read_count: row.get("me_read_count")?,
                delivered_number: row.get("me_delivered_number")?,
            },
            other: Participant {
                user: other,
                written: others,
                read_number: row.get("other_read_number")?,
                read_count: row.get("other_read_count")?,
                delivered_number: row.get("other_delivered_number")?,
            },
            is_active: row.get("is_active")?,
            last_number: row.get("last_number")?,
            last_message: row.get("last_message_id")?,
            active_at: row.get("active_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("seen_version")?,
        })
    }
}

impl FromRow for Message {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Message {
            id: row.get("id")?,
            conversation: row.get("conversation_id")?,
            number: row.get("number")?,
            sender: row.get("sender_id")?,
            content: row.get("content")?,
            client_message_id: row.get("client_message_id")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
            viewer: row.get("me_id")?,
        })
    }
}

/// A conversation, and the place that a read mark is to be put at.
pub(super) struct Mark {
    pub(super) seen: Conversation,
    pub(super) to: Option<MarkTo>,
}

/// A message, as a place to read up to.
pub(super) struct MarkTo {
    pub(super) number: i64,
    /// The other's count at it.
    pub(super) count: i64,
}

impl FromRow for Mark {
    fn from_row(row: &Row) -> Result<Self> {
        let seen = Conversation::from_row(row)?;
        let count: Option<i64> =
            row.get(if seen.people()[0] == seen.me.user { "mark_b_count" } else { "mark_a_count" })?;
        let number: Option<i64> = row.get("mark_number")?;
        Ok(Mark { seen, to: number.zip(count).map(|(number, count)| MarkTo { number, count }) })
    }
}

/// Gives the id of the pair's conversation about the subject, which takes messages from now on: the new one or an old one.
pub(super) async fn open(
    tx: &mut Tx,
    id: ConversationId,
    subject: Subject,
    (a, b): (UserId, UserId),
    now: Timestamp,
) -> Result<ConversationId> {
    q("insert into conversations (id, subject_kind, subject_id, user_a, user_b, is_active, last_number, a_count, b_count,
            active_at, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, $7, $7, 1)
        on conflict (subject_kind, subject_id, user_a, user_b) do update set is_active = excluded.is_active,
            version = conversations.version + case when conversations.is_active then 0 else 1 end
        returning id")
    .bind(id)
    .bind(subject.kind.name())
    .bind(subject.id)
    .bind(a)
    .bind(b)
    .bind(true)
    .bind(now)
    .one::<Uuid>(tx)
    .await
    .map(ConversationId::of)
}

/// Those of these users that share a conversation with the viewer.
pub(super) async fn sharing(db: &Db, viewer: UserId, users: &[UserId]) -> Result<Vec<UserId>> {
    let found: Vec<Uuid> = q("select distinct other.user_id as id from participants me
        join participants other on other.conversation_id = me.conversation_id
        where me.user_id = $1 and other.user_id in ({list})")
    .bind(viewer)
    .list(users.iter().copied())
    .all(db)
    .await?;
    Ok(found.into_iter().map(UserId::of).collect())
}

pub(super) fn insert_participants(unit: &mut Unit, id: ConversationId, people: [UserId; 2]) {
    let row = |user: UserId| vec![id.into(), user.into(), 0.into(), 0.into(), 0.into(), 0.into()];
    let statement = q("insert into participants (conversation_id, user_id, read_number, read_count, delivered_number,
        version) values {rows}");
    unit.later(statement.rows(people.map(row).into()));
}

pub(super) async fn close(tx: &mut Tx, id: ConversationId, now: Timestamp) -> Result<()> {
    q("update conversations set is_active = $2, updated_at = $3, version = version + 1 where id = $1 and is_active")
        .bind(id)
        .bind(false)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn conversation(
    on: impl Into<On<'_>>,
    viewer: UserId,
    id: ConversationId,
) -> Result<Option<Conversation>> {
    q(seen!("and me.conversation_id = $2")).bind(viewer).bind(id).optional(on).await
}

/// Conversations, each as the viewer beside it sees it.
pub(super) async fn conversations(db: &Db, keys: &[(ConversationId, UserId)]) -> Result<Vec<Conversation>> {
    q(concat!(
        "with wanted (id, viewer) as (values {rows}) ",
        seen!(
            from "wanted join participants me on me.conversation_id = wanted.id and me.user_id = wanted.viewer", "", "", ""
        )
    ))
    .rows(keys.iter().map(|(id, viewer)| vec![(*id).into(), (*viewer).into()]).collect())
    .all(db)
    .await
}

/// The least active first.
pub(super) async fn about(db: &Db, viewer: UserId, kind: SubjectKind, ids: &[Uuid]) -> Result<Vec<Conversation>> {
    let mut found: Vec<Conversation> = q(seen!("and c.subject_kind = $2 and c.subject_id in ({list})"))
        .bind(viewer)
        .bind(kind.name())
        .list(ids.iter().copied())
        .all(db)
        .await?;
    found.sort_by_key(|conversation| conversation.active_at);
    Ok(found)
}

pub(super) async fn page(db: &Db, viewer: UserId, page: &Page) -> Result<Slice<Conversation>> {
    q(seen!("")).bind(viewer).page(db, page, Order::descending("c.active_at", "c.id")).await
}

pub(super) async fn count(db: &Db, viewer: UserId) -> Result<i64> {
    q("select count(*) as n from participants where user_id = $1").bind(viewer).one(db).await
}

/// The unread counts that are not zero.
pub(super) async fn unread(db: &Db, viewer: UserId) -> Result<Vec<i64>> {
    q("select case when c.user_a = $1 then c.b_count else c.a_count end - me.read_count as n
        from participants me join conversations c on c.id = me.conversation_id
        where me.user_id = $1 and case when c.user_a = $1 then c.b_count else c.a_count end > me.read_count")
    .bind(viewer)
    .all(db)
    .await
}

/// Messages, each as the viewer beside it sees it.
pub(super) async fn messages(db: &Db, keys: &[(MessageId, UserId)]) -> Result<Vec<Message>> {
    q("with wanted (id, viewer) as (values {rows}) select m.*, me.user_id as me_id from wanted
        join messages m on m.id = wanted.id
        join participants me on me.conversation_id = m.conversation_id and me.user_id = wanted.viewer")
    .rows(keys.iter().map(|(id, viewer)| vec![(*id).into(), (*viewer).into()]).collect())
    .all(db)
    .await
}

pub(super) async fn history(db: &Db, viewer: UserId, id: ConversationId, page: &Page) -> Result<Slice<Message>> {
    q("select m.*, me.user_id as me_id from messages m
        join participants me on me.conversation_id = m.conversation_id and me.user_id = $1
        where m.conversation_id = $2")
    .bind(viewer)
    .bind(id)
    .page(db, page, Order::ascending("m.number", "m.id"))
    .await
}

/// A conversation with the viewer's marks held until the transaction ends, so that two devices count one after the other,
/// and the message to read up to.
pub(super) async fn mark(tx: &mut Tx, viewer: UserId, id: ConversationId, message: MessageId) -> Result<Option<Mark>> {
    macro_rules! mark {
        ($lock:literal) => {
            seen!(
                ", m.number as mark_number, m.a_count as mark_a_count, m.b_count as mark_b_count",
                "left join messages m on m.id = $3 and m.conversation_id = me.conversation_id",
                concat!("and me.conversation_id = $2 ", $lock)
            )
        };
    }
    // SQLite needs no lock of a row: only one transaction writes.
    q2(mark!("for update of me"), mark!("")).bind(viewer).bind(id).bind(message).optional(tx).await
}

/// Moves a read mark on. The caller holds it and has seen that this is further.
pub(super) async fn set_read(tx: &mut Tx, seen: &Conversation, to: &MarkTo, now: Timestamp) -> Result<()> {
    q("update participants set read_number = $3, read_count = $4, read_at = $5,
            delivered_number = case when delivered_number < $3 then $3 else delivered_number end,
            delivered_at = case when delivered_number < $3 then $5 else delivered_at end, version = version + 1
        where conversation_id = $1 and user_id = $2")
    .bind(seen.id)
    .bind(seen.me.user)
    .bind(to.number)
    .bind(to.count)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves a delivered mark on, never back, and says whether it moved.
pub(super) async fn set_delivered(tx: &mut Tx, seen: &Conversation, number: i64, now: Timestamp) -> Result<bool> {
    let moved = q("update participants set delivered_number = $3, delivered_at = $4, version = version + 1
        where conversation_id = $1 and user_id = $2 and delivered_number < $3")
    .bind(seen.id)
    .bind(seen.me.user)
    .bind(number)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(moved == 1)
}
