//! The SQL of sessions.

use super::super::model::client_name;
use super::super::{Block, LastSeen, Session};
use super::block;
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::{Result, Roles, Timestamp, Viewer};
use crate::platform::db::{Db, FromRow, Row, Tx, q};

impl FromRow for LastSeen {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(LastSeen { user: row.get("user_id")?, at: row.get("seen_at")? })
    }
}

/// How it stands with a session and its user.
pub(in crate::features::accounts) struct Standing {
    user: UserId,
    roles: Roles,
    disconnections: i64,
    pub(in crate::features::accounts) block: Option<Block>,
    pub(in crate::features::accounts) ended_at: Option<Timestamp>,
}

impl Standing {
    pub(in crate::features::accounts) fn viewer(&self, session: SessionId) -> Viewer {
        Viewer { user: self.user, session, roles: self.roles, disconnections: self.disconnections }
    }
}

impl FromRow for Standing {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Standing {
            user: row.get("user_id")?,
            roles: Roles(row.get("roles")?),
            disconnections: row.get("disconnections")?,
            block: block(row)?,
            ended_at: row.get("ended_at")?,
        })
    }
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self> {
        let (client, agent): (Option<String>, Option<String>) = (row.get("client")?, row.get("agent")?);
        Ok(Session {
            id: row.get("id")?,
            client: client.or_else(|| agent.as_deref().map(client_name)),
            ip: row.get("ip")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
        })
    }
}

pub(in crate::features::accounts) async fn insert_session(
    tx: &mut Tx,
    session: SessionId,
    user: UserId,
    agent: Option<&str>,
    ip: Option<String>,
    now: Timestamp,
) -> Result<()> {
    q("insert into sessions (id, user_id, agent, ip, created_at, last_seen_at) values ($1, $2, $3, $4, $5, $5)")
        .bind(session)
        .bind(user)
        .bind(agent)
        .bind(ip)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::features::accounts) async fn standing(db: &Db, session: SessionId) -> Result<Option<Standing>> {
    q("select s.user_id, s.ended_at, u.roles, u.disconnections, u.blocked_at, u.blocked_until, u.block_reason
        from sessions s join users u on u.id = s.user_id where s.id = $1")
    .bind(session)
    .optional(db)
    .await
}

/// The sessions of a user that can still be refreshed, used last first.
pub(in crate::features::accounts) async fn sessions(
    db: &Db,
    user: UserId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Session>> {
    q("select s.id, s.client, s.agent, s.ip, s.created_at, s.last_seen_at from sessions s
        where s.user_id = $1 and s.ended_at is null
            and exists (select 1 from refresh_tokens r where r.session_id = s.id and r.expires_at > $2)
        order by s.last_seen_at desc, s.id desc limit $3")
    .bind(user)
    .bind(now)
    .bind(limit)
    .all(db)
    .await
}

/// Notes the use of sessions, unless it was noted after `before`.
pub(in crate::features::accounts) async fn touch_sessions(
    tx: &mut Tx,
    ids: &[SessionId],
    now: Timestamp,
    before: Timestamp,
) -> Result<()> {
    q("update sessions set last_seen_at = $1 where last_seen_at <= $2 and id in ({list})")
        .bind(now)
        .bind(before)
        .list(ids.iter().copied())
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::features::accounts) async fn name_client(tx: &mut Tx, session: SessionId, client: &str) -> Result<()> {
    q("update sessions set client = $1 where id = $2").bind(client).bind(session).execute(tx).await?;
    Ok(())
}

/// Ends a session if it is the user's own and lives.
pub(in crate::features::accounts) async fn end_own_session(
    tx: &mut Tx,
    session: SessionId,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    let ended = q("update sessions set ended_at = $3 where id = $1 and user_id = $2 and ended_at is null")
        .bind(session)
        .bind(user)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(ended == 1)
}

/// When each of these users was there last: its session that was used last.
pub(in crate::features::accounts) async fn last_seen(db: &Db, users: &[UserId]) -> Result<Vec<LastSeen>> {
    q("select user_id, max(last_seen_at) as seen_at from sessions where user_id in ({list}) group by user_id")
        .list(users.iter().copied())
        .all(db)
        .await
}

pub(in crate::features::accounts) async fn touch_session(
    tx: &mut Tx,
    session: SessionId,
    now: Timestamp,
) -> Result<()> {
    q("update sessions set last_seen_at = $1 where id = $2").bind(now).bind(session).execute(tx).await?;
    Ok(())
}

pub(in crate::features::accounts) async fn end_session(tx: &mut Tx, session: SessionId, now: Timestamp) -> Result<u64> {
    Ok(q("update sessions set ended_at = $1 where id = $2 and ended_at is null")
        .bind(now)
        .bind(session)
        .execute(tx)
        .await?)
}

pub(in crate::features::accounts) async fn end_all_sessions(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<u64> {
    Ok(q("update sessions set ended_at = $1 where user_id = $2 and ended_at is null")
        .bind(now)
        .bind(user)
        .execute(tx)
        .await?)
}
