//! The SQL of accounts.

pub(super) mod rights;
pub(super) mod sessions;

use super::{Block, User};
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::{Result, Role, Roles, Timestamp};
use crate::platform::db::{Db, FromRow, On, Row, Tx, q, q2};

impl FromRow for User {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(User {
            id: row.get("id")?,
            email: row.get("email")?,
            email_verified_at: row.get("email_verified_at")?,
            display_name: row.get("display_name")?,
            bio: row.get("bio")?,
            profile_image: row.get("profile_image_id")?,
            cover_image: row.get("cover_image_id")?,
            roles: Roles(row.get("roles")?),
            block: block(row)?,
            hides_presence: row.get("hides_presence")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// Whether this user has one of these roles and is kept out by nobody at this instant: a condition for the statement of
/// another feature that would need a round trip more otherwise.
macro_rules! may_deal {
    (user: $user:literal, roles: $roles:literal, now: $now:literal) => {
        concat!(
            "exists (select 1 from users where users.id = ",
            $user,
            " and (users.roles & ",
            $roles,
            ") <> 0
                and (users.blocked_at is null or users.blocked_until <= ",
            $now,
            "))"
        )
    };
}
pub(crate) use may_deal;

/// A block, in the columns of `users`.
fn block(row: &Row) -> Result<Option<Block>> {
    let Some(at) = row.get("blocked_at")? else { return Ok(None) };
    let reason: Option<String> = row.get("block_reason")?;
    Ok(Some(Block { at, until: row.get("blocked_until")?, reason: reason.unwrap_or_default() }))
}

/// A user with its password's hash.
pub(super) struct Credentials {
    pub(super) user: User,
    pub(super) password_hash: String,
}

impl FromRow for Credentials {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Credentials { user: User::from_row(row)?, password_hash: row.get("password_hash")? })
    }
}

/// A refresh token, by its hash.
pub(super) struct RefreshRow {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) expires_at: Timestamp,
    pub(super) used_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
}

impl FromRow for RefreshRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(RefreshRow {
            session: row.get("session_id")?,
            user: row.get("user_id")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

pub(super) async fn users(db: &Db, ids: &[UserId]) -> Result<Vec<User>> {
    q("select id, email, email_verified_at, display_name, bio, profile_image_id, cover_image_id, roles, blocked_at,
        blocked_until, block_reason, hides_presence, created_at, updated_at, version from users where id in ({list})")
    .list(ids.iter().copied())
    .all(db)
    .await
}

pub(super) async fn user(on: impl Into<On<'_>>, id: UserId) -> Result<Option<User>> {
    q("select id, email, email_verified_at, display_name, bio, profile_image_id, cover_image_id, roles, blocked_at,
        blocked_until, block_reason, hides_presence, created_at, updated_at, version from users where id = $1")
    .bind(id)
    .optional(on)
    .await
}

/// Keeps others from changing a user; rows that only name it may still be written, such as a notification.
pub(super) async fn lock_user(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    q2("select * from users where id = $1 for no key update", "select * from users where id = $1")
        .bind(id)
        .optional(tx)
        .await
}

/// Tells the new version.
pub(super) async fn set_profile(tx: &mut Tx, user: &User, now: Timestamp) -> Result<i64> {
    q("update users set display_name = $2, bio = $3, profile_image_id = $4, cover_image_id = $5,
        hides_presence = $6, updated_at = $7, version = version + 1 where id = $1 returning version as n")
    .bind(user.id)
    .bind(user.display_name.as_str())
    .bind(user.bio.as_deref())
    .bind(user.profile_image)
    .bind(user.cover_image)
    .bind(user.hides_presence)
    .bind(now)
    .one(tx)
    .await
}

pub(super) async fn credentials(db: &Db, email: &str) -> Result<Option<Credentials>> {
    q("select * from users where email = $1").bind(email).optional(db).await
}

pub(super) async fn has_role(db: &Db, role: Role) -> Result<bool> {
    let found = q("select id from users where (roles & $1) <> 0 limit 1").bind(Roles::of(&[role]).0).fetch(db).await?;
    Ok(!found.is_empty())
}

/// Says whether the address was free.
pub(super) async fn insert_user(tx: &mut Tx, user: &User, password_hash: &str) -> Result<bool> {
    let inserted =
        q("insert into users (id, email, password_hash, display_name, roles, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, 1) on conflict (email) do nothing")
        .bind(user.id)
        .bind(user.email.as_str())
        .bind(password_hash)
        .bind(user.display_name.as_str())
        .bind(user.roles.0)
        .bind(user.created_at)
        .bind(user.updated_at)
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

pub(super) async fn set_password_hash(tx: &mut Tx, user: UserId, password_hash: &str, now: Timestamp) -> Result<()> {
    q("update users set password_hash = $1, updated_at = $2, version = version + 1 where id = $3")
        .bind(password_hash)
        .bind(now)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn verify_email(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    q("update users set email_verified_at = $1, updated_at = $1, version = version + 1 where id = $2")
        .bind(now)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_refresh(tx: &mut Tx, hash: &str, session: SessionId, expires_at: Timestamp) -> Result<()> {
    q("insert into refresh_tokens (hash, session_id, expires_at) values ($1, $2, $3)")
        .bind(hash)
        .bind(session)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses a token up. The guard makes one of two that come at once the winner.
pub(super) async fn use_refresh(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<bool> {
    let used = q("update refresh_tokens set used_at = $1 where hash = $2 and used_at is null")
        .bind(now)
        .bind(hash)
        .execute(tx)
        .await?;
    Ok(used == 1)
}

pub(super) async fn refresh(tx: &mut Tx, hash: &str) -> Result<Option<RefreshRow>> {
    q("select r.session_id, s.user_id, r.expires_at, r.used_at, s.ended_at
        from refresh_tokens r join sessions s on s.id = r.session_id where r.hash = $1")
    .bind(hash)
    .optional(tx)
    .await
}
