//! The SQL of staff who read along in a conversation because of a dispute. They see it as the first of its two people does.

use crate::features::chat::{Conversation, Message};
use crate::kernel::id::{ConversationId, MessageId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, On, Order, Tx, q};

/// Conversations that staff read along in.
pub(in crate::features::chat) async fn conversations(
    on: impl Into<On<'_>>,
    staff: UserId,
    ids: &[ConversationId],
) -> Result<Vec<Conversation>> {
    q("select c.*, s.user_id as me_id, me.read_number as me_read_number, me.read_count as me_read_count,
            me.delivered_number as me_delivered_number, other.read_number as other_read_number,
            other.read_count as other_read_count, other.delivered_number as other_delivered_number,
            c.version + me.version + other.version as seen_version,
            (select count(*) from conversation_staff s where s.conversation_id = c.id and s.left_at is null) as staff
        from conversation_staff s
        join conversations c on c.id = s.conversation_id
        join participants me on me.conversation_id = c.id and me.user_id = c.user_a
        join participants other on other.conversation_id = c.id and other.user_id = c.user_b
        where s.user_id = $1 and s.left_at is null and s.conversation_id in ({list})")
    .bind(staff)
    .list(ids.iter().copied())
    .all(on)
    .await
}

/// Says whether these staff did not read along yet.
pub(in crate::features::chat) async fn join(
    tx: &mut Tx,
    id: ConversationId,
    staff: UserId,
    now: Timestamp,
) -> Result<bool> {
    let joined = q("insert into conversation_staff (conversation_id, user_id, joined_at) values ($1, $2, $3)
        on conflict (conversation_id, user_id) do update set joined_at = excluded.joined_at, left_at = null
            where conversation_staff.left_at is not null")
    .bind(id)
    .bind(staff)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    if joined == 1 {
        touch(tx, id, now).await?;
    }
    Ok(joined == 1)
}

/// Nobody of the staff reads along any more.
pub(in crate::features::chat) async fn dismiss(tx: &mut Tx, id: ConversationId, now: Timestamp) -> Result<()> {
    let left = q("update conversation_staff set left_at = $2 where conversation_id = $1 and left_at is null")
        .bind(id)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    if left > 0 { touch(tx, id, now).await } else { Ok(()) }
}

async fn touch(tx: &mut Tx, id: ConversationId, now: Timestamp) -> Result<()> {
    q("update conversations set updated_at = $2, version = version + 1 where id = $1")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Messages of conversations that staff read along in.
pub(in crate::features::chat) async fn messages(db: &Db, staff: UserId, ids: &[MessageId]) -> Result<Vec<Message>> {
    q("select m.*, s.user_id as me_id from messages m
        join conversation_staff s on s.conversation_id = m.conversation_id and s.user_id = $1 and s.left_at is null
        where m.id in ({list})")
    .bind(staff)
    .list(ids.iter().copied())
    .all(db)
    .await
}

/// The history of a conversation, for staff who read along.
pub(in crate::features::chat) async fn history(
    db: &Db,
    staff: UserId,
    id: ConversationId,
    page: &Page,
) -> Result<Slice<Message>> {
    q("select m.*, s.user_id as me_id from messages m
        join conversation_staff s on s.conversation_id = m.conversation_id and s.user_id = $1 and s.left_at is null
        where m.conversation_id = $2")
    .bind(staff)
    .bind(id)
    .page(db, page, Order::ascending("m.number", "m.id"))
    .await
}
