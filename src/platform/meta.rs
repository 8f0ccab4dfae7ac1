//! What the database knows about itself: its epoch, and secrets that a development profile made up.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::config::Secret;
use super::db::{Db, q};
use crate::kernel::text::hex;
use crate::kernel::{Error, Ids, Result};

/// The value kept under a name; the first to ask decides it, so that instances that start together agree.
async fn keep(db: &Db, name: &str, candidate: String) -> Result<String> {
    let read = || q("select value from meta where name = $1").bind(name).optional::<String>(db);
    if let Some(value) = read().await? {
        return Ok(value);
    }
    let mut tx = db.begin().await?;
    q("insert into meta (name, value) values ($1, $2) on conflict do nothing")
        .bind(name)
        .bind(candidate)
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    read().await?.ok_or_else(|| Error::internal("a meta value vanished"))
}

/// The id of this database: made once, and part of every cursor. A copy keeps it, so that a restored one is told from its
/// original by the events themselves.
pub async fn epoch(db: &Db, ids: &Ids) -> Result<Uuid> {
    let text = keep(db, "epoch", ids.uuid().to_string()).await?;
    text.parse().map_err(|_| Error::internal("the epoch in the database is no UUID"))
}

/// A secret that was set, or one made up once for this database.
pub async fn secret(db: &Db, ids: &Ids, name: &str, set: &Secret) -> Result<Secret> {
    if set.is_set() {
        return Ok(set.clone());
    }
    let random: [u8; 32] = ids.bytes();
    keep(db, name, hex(&Sha256::digest(random))).await.map(Secret::new)
}
