//! The SQL of uploads.

use super::model::{Purpose, Refusal, Status, Upload};
use crate::kernel::id::{FileId, TypedId, UploadId, UserId};
use crate::kernel::{Error, Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Row, Tx, q};
use crate::platform::files::{Key, Media};

impl FromRow for Upload {
    fn from_row(row: &Row) -> Result<Self> {
        let refusal: Option<String> = row.get("refusal")?;
        Ok(Upload {
            id: row.get("id")?,
            owner: row.get("owner_id")?,
            purpose: row.parsed("purpose", Purpose::parse)?,
            status: row.parsed("status", |name| Status::parse(name, refusal.as_deref()))?,
            file_name: row.get("file_name")?,
            key: row.parsed("object_key", Key::parse)?,
            media: row.parsed("content_type", Media::of_mime)?,
            size: u64::try_from(row.get::<i64>("size")?).map_err(Error::internal)?,
            width: row.get("width")?,
            height: row.get("height")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// The key of an object.
pub(super) struct ObjectKey(pub(super) Key);

impl FromRow for ObjectKey {
    fn from_row(row: &Row) -> Result<Self> {
        row.parsed("object_key", Key::parse).map(ObjectKey)
    }
}

fn bytes(size: u64) -> Result<i64> {
    i64::try_from(size).map_err(Error::internal)
}

pub(super) async fn insert(tx: &mut Tx, upload: &Upload, remove_at: Timestamp) -> Result<()> {
    q("insert into uploads (id, owner_id, purpose, status, file_name, object_key, content_type, size, remove_at,
        created_at, updated_at, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 1)")
    .bind(upload.id)
    .bind(upload.owner)
    .bind(upload.purpose.name())
    .bind(upload.status.name())
    .bind(upload.file_name.as_deref())
    .bind(upload.key.as_str())
    .bind(upload.media.mime())
    .bind(bytes(upload.size)?)
    .bind(remove_at)
    .bind(upload.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[UploadId]) -> Result<Vec<Upload>> {
    q("select * from uploads where id in ({list})").list(ids.iter().copied()).all(on).await
}

/// Makes a pending upload a file; false when it is not pending any more.
pub(super) async fn become_ready(tx: &mut Tx, file: &Upload, now: Timestamp, remove_at: Timestamp) -> Result<bool> {
    let changed = q("update uploads set status = 'READY', object_key = $2, content_type = $3, size = $4, width = $5,
        height = $6, remove_at = $7, updated_at = $8, version = version + 1 where id = $1 and status = 'PENDING'")
    .bind(file.id)
    .bind(file.key.as_str())
    .bind(file.media.mime())
    .bind(bytes(file.size)?)
    .bind(file.width)
    .bind(file.height)
    .bind(remove_at)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Refuses a pending upload; nothing happens when it is not pending any more.
pub(super) async fn refuse(tx: &mut Tx, id: UploadId, refusal: Refusal, now: Timestamp) -> Result<()> {
    q("update uploads set status = 'REFUSED', refusal = $2, updated_at = $3, version = version + 1
        where id = $1 and status = 'PENDING'")
    .bind(id)
    .bind(refusal.code().name())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps the owner's file for as long as something needs it, if there is one.
pub(super) async fn keep(tx: &mut Tx, file: FileId, owner: UserId, now: Timestamp) -> Result<Option<Upload>> {
    q("update uploads set remove_at = null, updated_at = $3, version = version + 1
        where id = $1 and owner_id = $2 and status = 'READY' returning *")
    .bind(file.uuid())
    .bind(owner)
    .bind(now)
    .optional(tx)
    .await
}

/// Lets a file go at an instant.
pub(super) async fn let_go(tx: &mut Tx, file: FileId, now: Timestamp, remove_at: Timestamp) -> Result<()> {
    q("update uploads set remove_at = $2, updated_at = $3, version = version + 1 where id = $1")
        .bind(file.uuid())
        .bind(remove_at)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<UploadId>> {
    let rows = q("select id from uploads where remove_at <= $1 order by remove_at, id limit $2").bind(now).bind(limit);
    Ok(rows.all::<uuid::Uuid>(db).await?.into_iter().map(UploadId::of).collect())
}

/// Removes the row, if nothing began to need it meanwhile, and tells its object's key.
pub(super) async fn remove(tx: &mut Tx, id: UploadId, now: Timestamp) -> Result<Option<Key>> {
    let removed = q("delete from uploads where id = $1 and remove_at <= $2 returning object_key").bind(id).bind(now);
    Ok(removed.optional::<ObjectKey>(tx).await?.map(|removed| removed.0))
}

/// Notes an object before it is written, or when it is to be removed.
pub(super) async fn note_object(tx: &mut Tx, key: &Key, remove_at: Option<Timestamp>) -> Result<()> {
    q("insert into objects (object_key, remove_at) values ($1, $2)
        on conflict (object_key) do update set remove_at = excluded.remove_at")
    .bind(key.as_str())
    .bind(remove_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Objects that are to be removed, behind `last` in the order of their keys.
pub(super) async fn objects_due(db: &Db, now: Timestamp, last: &str, limit: i64) -> Result<Vec<ObjectKey>> {
    q("select object_key from objects where remove_at <= $1 and object_key > $2 order by object_key limit $3")
        .bind(now)
        .bind(last)
        .bind(limit)
        .all(db)
        .await
}

pub(super) async fn forget_object(tx: &mut Tx, key: &Key, now: Timestamp) -> Result<()> {
    q("delete from objects where object_key = $1 and remove_at <= $2").bind(key.as_str()).bind(now).execute(tx).await?;
    Ok(())
}
