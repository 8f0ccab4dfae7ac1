//! The SQL of announcements.

use super::{Announcement, Level};
use crate::kernel::Result;
use crate::kernel::id::AnnouncementId;
use crate::platform::db::{Db, FromRow, Row, Tx, q};

impl FromRow for Announcement {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Announcement {
            id: row.get("id")?,
            title: row.get("title")?,
            body: row.get("body")?,
            level: row.parsed("level", Level::parse)?,
            published_by: row.get("published_by")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, announcement: &Announcement) -> Result<()> {
    q("insert into announcements (id, title, body, level, published_by, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $6, $7)")
    .bind(announcement.id)
    .bind(announcement.title.as_str())
    .bind(announcement.body.as_str())
    .bind(announcement.level.name())
    .bind(announcement.published_by)
    .bind(announcement.created_at)
    .bind(announcement.version)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_ids(db: &Db, ids: &[AnnouncementId]) -> Result<Vec<Announcement>> {
    q("select * from announcements where id in ({list})").list(ids.iter().copied()).all(db).await
}
