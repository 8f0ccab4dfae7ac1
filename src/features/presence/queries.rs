//! Reads of presence. Who hides it is known to the row of the account, which every caller has at hand: it is asked with
//! [`User::shows_presence_to`](crate::features::accounts::User::shows_presence_to).

use std::collections::HashSet;

use super::model::{Connections, Seen, WATCHED_MAX};
use crate::features::chat;
use crate::kernel::id::UserId;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Caller, Code, Error, Result};
use crate::platform::Platform;
use crate::platform::db::by_group;

/// How it stands with users, each asked with its viewer: an answer for those that the viewer shares a conversation with,
/// and for itself.
pub async fn of(platform: &Platform, keys: &[(UserId, UserId)]) -> Result<Vec<Seen>> {
    let visible_to = |viewer: UserId, users: Vec<UserId>| async move {
        let known = acquainted(platform, viewer, &users).await?;
        Ok(users.into_iter().filter(|user| known.contains(user)).map(|user| (user, viewer)).collect())
    };
    let visible: Vec<_> = by_group(keys.iter().map(|(user, viewer)| (*viewer, *user)), visible_to).await?;
    let users: Vec<_> = visible.iter().map(|(user, _)| *user).collect();
    let online = platform.presence.online(&users).await;
    let seen = |(user, viewer)| Seen { user, viewer, is_online: online.contains(&user) };
    Ok(visible.into_iter().map(seen).collect())
}

/// Those of these users that the caller may watch. About the others nothing is said, not even that they are left out.
pub async fn watchable(platform: &Platform, caller: &Caller, users: Vec<UserId>) -> Result<Vec<UserId>> {
    let viewer = caller.viewer()?;
    if users.len() > WATCHED_MAX {
        let message = format!("One view watches at most {WATCHED_MAX} users; open another one.");
        return Err(Error::new(Code::BadUserInput, message).at("userIds"));
    }
    let mut asked = HashSet::new();
    let users: Vec<_> = users.into_iter().filter(|user| asked.insert(*user)).collect();
    if viewer.roles.is_staff() {
        return Ok(users);
    }
    let known = acquainted(platform, viewer.user, &users).await?;
    Ok(users.into_iter().filter(|user| known.contains(user)).collect())
}

/// A page of the users who are online, in the order of their ids: for staff.
pub async fn online(platform: &Platform, caller: &Caller, page: &Page) -> Result<Slice<UserId>> {
    caller.viewer()?.must_be_staff()?;
    Ok(platform.presence.page(page).await)
}

/// How many users are online.
pub async fn count(platform: &Platform) -> i64 {
    i64::try_from(platform.presence.count().await).unwrap_or(i64::MAX)
}

/// How many connections users have.
pub async fn connections(platform: &Platform, users: &[UserId]) -> Result<Vec<Connections>> {
    let counts = platform.presence.connections(users).await;
    Ok(counts.into_iter().map(|(user, count)| Connections { user, count }).collect())
}

async fn acquainted(platform: &Platform, viewer: UserId, users: &[UserId]) -> Result<HashSet<UserId>> {
    let others: Vec<_> = users.iter().copied().filter(|user| *user != viewer).collect();
    let mut known: HashSet<_> = chat::queries::sharing(platform, viewer, &others).await?.into_iter().collect();
    known.insert(viewer);
    Ok(known)
}
