//! The SQL of notifications.

use super::{Filter, Kind, Notification, Subject, Unread};
use crate::kernel::id::{ConversationId, NotificationId, TypedId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Query, Row, Tx, Value, q};
use crate::platform::work::Unit;

impl FromRow for Notification {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Notification {
            id: row.get("id")?,
            user: row.get("user_id")?,
            kind: row.parsed("kind", Kind::parse)?,
            subject: Subject { kind: row.get("subject_kind")?, id: row.get("subject_id")? },
            number: row.get("number")?,
            data: row.get("data")?,
            read_at: row.get("read_at")?,
            dismissed_at: row.get("dismissed_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

impl FromRow for Unread {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Unread { user: row.get("user_id")?, count: row.get("n")? })
    }
}

fn row(notification: &Notification) -> Vec<Value> {
    vec![
        notification.id.into(),
        notification.user.into(),
        notification.kind.name().into(),
        notification.subject.kind.as_str().into(),
        notification.subject.id.into(),
        notification.number.into(),
        notification.data.as_str().into(),
        notification.created_at.into(),
        notification.updated_at.into(),
        notification.version.into(),
    ]
}

pub(super) fn insert(unit: &mut Unit, notification: &Notification) {
    let statement = "insert into notifications (id, user_id, kind, subject_kind, subject_id, number, data, created_at,
        updated_at, version) values {rows}";
    unit.later_row(statement, [notification.id.uuid(), notification.subject.id], row(notification));
}

/// Of a conversation: a new row, or the unread one with what is new. Two messages at once do this one after the other; of
/// several in one unit the last one counts.
pub(super) fn insert_or_renew(unit: &mut Unit, notification: &Notification) {
    let statement = "insert into notifications (id, user_id, kind, subject_kind, subject_id, number, data, created_at,
            updated_at, version) values {rows}
        on conflict (user_id, subject_id) where kind = 'MESSAGE_RECEIVED' and read_at is null
        do update set number = excluded.number, data = excluded.data, updated_at = excluded.updated_at,
            version = notifications.version + 1";
    let key = [notification.user.uuid(), notification.subject.id];
    unit.later_row(statement, key, row(notification));
}

/// Reads the notification of a conversation, unless a message behind `number` has renewed it.
pub(super) fn read_conversation(unit: &mut Unit, user: UserId, conversation: ConversationId, number: i64) {
    let statement = q("update notifications set read_at = $1, updated_at = $1, version = version + 1
        where user_id = $2 and subject_id = $3 and kind = 'MESSAGE_RECEIVED' and read_at is null and number <= $4")
    .bind(unit.now)
    .bind(user)
    .bind(conversation)
    .bind(number);
    unit.later(statement);
}

pub(super) fn set_read(unit: &mut Unit, notification: &Notification) {
    let statement = q("update notifications set read_at = $1, updated_at = $1, version = version + 1
        where id = $2 and read_at is null")
    .bind(unit.now)
    .bind(notification.id);
    unit.later(statement);
}

pub(super) fn set_all_read(unit: &mut Unit, user: UserId) {
    let statement = q("update notifications set read_at = $1, updated_at = $1, version = version + 1
        where user_id = $2 and read_at is null")
    .bind(unit.now)
    .bind(user);
    unit.later(statement);
}

pub(super) fn set_dismissed(unit: &mut Unit, notification: &Notification) {
    let statement = q("update notifications set dismissed_at = $1, read_at = coalesce(read_at, $1), updated_at = $1,
            version = version + 1
        where id = $2 and dismissed_at is null")
    .bind(unit.now)
    .bind(notification.id);
    unit.later(statement);
}

pub(super) async fn has_unread(tx: &mut Tx, user: UserId) -> Result<bool> {
    let found = q("select id from notifications where user_id = $1 and read_at is null limit 1").bind(user).fetch(tx);
    Ok(!found.await?.is_empty())
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[NotificationId]) -> Result<Vec<Notification>> {
    q("select * from notifications where id in ({list})").list(ids.iter().copied()).all(on).await
}

pub(super) async fn of_conversations(db: &Db, user: UserId, ids: &[ConversationId]) -> Result<Vec<Notification>> {
    q("select * from (
            select n.*, row_number() over (partition by subject_id order by created_at desc, id desc) as place
            from notifications n where user_id = $1 and kind = 'MESSAGE_RECEIVED' and subject_id in ({list})
        ) newest where place = 1")
    .bind(user)
    .list(ids.iter().copied())
    .all(db)
    .await
}

/// What is not asked for lets everything pass, so that one statement serves all filters.
fn wanted(filter: &Filter, user: UserId, sql: &'static str) -> Query {
    let kinds = if filter.kinds.is_empty() { Kind::ALL } else { &filter.kinds };
    q(sql)
        .bind(user)
        .bind(filter.is_read.is_none_or(|is_read| is_read))
        .bind(filter.is_read.is_none_or(|is_read| !is_read))
        .list(kinds.iter().map(|kind| kind.name()))
}

pub(super) async fn page_of_user(db: &Db, user: UserId, filter: &Filter, page: &Page) -> Result<Slice<Notification>> {
    let sql = "select * from notifications where user_id = $1 and dismissed_at is null
        and case when read_at is null then $3 else $2 end and kind in ({list})";
    wanted(filter, user, sql).page(db, page, Order::descending("created_at", "id")).await
}

pub(super) async fn count_of_user(db: &Db, user: UserId, filter: &Filter) -> Result<i64> {
    let sql = "select count(*) as n from notifications where user_id = $1 and dismissed_at is null
        and case when read_at is null then $3 else $2 end and kind in ({list})";
    wanted(filter, user, sql).one(db).await
}

pub(super) async fn unread(db: &Db, users: &[UserId]) -> Result<Vec<Unread>> {
    q("select user_id, count(*) as n from notifications where user_id in ({list}) and read_at is null group by user_id")
        .list(users.iter().copied())
        .all(db)
        .await
}

pub(super) async fn forget(db: &Db, read: Timestamp, unread: Timestamp) -> Result<bool> {
    q("delete from notifications where id in (select id from notifications
        where created_at < $1 and (read_at is not null or created_at < $2) limit $3)")
    .bind(read)
    .bind(unread)
    .forget(db)
    .await
}
