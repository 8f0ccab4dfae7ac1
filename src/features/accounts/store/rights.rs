//! The SQL of rights: roles, blocks, and the marks of their changes.

use super::super::{Block, User};
use crate::kernel::id::UserId;
use crate::kernel::{Result, Role, Roles, Timestamp};
use crate::platform::db::{Db, FromRow, Query, Row, Tx, q, q2};

/// Whose rights changed, and when.
struct Changed(UserId, Timestamp);

impl FromRow for Changed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Changed(row.get("user_id")?, row.get("changed_at")?))
    }
}

/// Marks that a user's rights change now.
pub(in crate::features::accounts) fn rights_changed(user: UserId, now: Timestamp) -> Query {
    q("insert into rights_changes (user_id, changed_at) values ($1, $2)
        on conflict (user_id) do update set changed_at = excluded.changed_at")
    .bind(user)
    .bind(now)
}

/// Whose rights changed since then.
pub(in crate::features::accounts) async fn rights_changed_since(
    db: &Db,
    since: Timestamp,
) -> Result<Vec<(UserId, Timestamp)>> {
    let found: Vec<Changed> =
        q("select user_id, changed_at from rights_changes where changed_at >= $1").bind(since).all(db).await?;
    Ok(found.into_iter().map(|Changed(user, at)| (user, at)).collect())
}

/// Locks users in the order of their ids.
pub(in crate::features::accounts) async fn lock_users(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<User>> {
    q2(
        "select * from users where id in ({list}) order by id for no key update",
        "select * from users where id in ({list}) order by id",
    )
    .list(ids.iter().copied())
    .all(tx)
    .await
}

/// Locks all administrators in the order of their ids.
pub(in crate::features::accounts) async fn lock_admins(tx: &mut Tx) -> Result<Vec<User>> {
    q2(
        "select * from users where (roles & $1) <> 0 order by id for no key update",
        "select * from users where (roles & $1) <> 0 order by id",
    )
    .bind(Roles::of(&[Role::Admin]).0)
    .all(tx)
    .await
}

pub(in crate::features::accounts) async fn set_roles(
    tx: &mut Tx,
    user: UserId,
    roles: Roles,
    now: Timestamp,
) -> Result<()> {
    q("update users set roles = $2, updated_at = $3, version = version + 1 where id = $1")
        .bind(user)
        .bind(roles.0)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Blocks a user, or lifts its block.
pub(in crate::features::accounts) async fn set_block(
    tx: &mut Tx,
    user: UserId,
    block: Option<&Block>,
    now: Timestamp,
) -> Result<()> {
    q("update users set blocked_at = $2, blocked_until = $3, block_reason = $4, updated_at = $5, version = version + 1
        where id = $1")
    .bind(user)
    .bind(block.map(|block| block.at))
    .bind(block.and_then(|block| block.until))
    .bind(block.map(|block| block.reason.as_str()))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub(in crate::features::accounts) async fn count_disconnection(tx: &mut Tx, user: UserId) -> Result<()> {
    q("update users set disconnections = disconnections + 1 where id = $1").bind(user).execute(tx).await?;
    Ok(())
}
