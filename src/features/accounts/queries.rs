//! Reads of accounts. Profiles are public; what only the user and staff may see is guarded field by field.

use super::{LastSeen, Session, User, store};
use crate::kernel::id::UserId;
use crate::kernel::{Caller, Error, Result, Role};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Sessions that are listed at most: whoever signs in more often without signing out sees those that were used last.
const SESSIONS_MAX: i64 = 100;

/// Users by id, in no particular order.
pub async fn by_ids(platform: &Platform, ids: &[UserId]) -> Result<Vec<User>> {
    store::users(&platform.db, ids).await
}

/// When users were there last, in no particular order.
pub async fn last_seen(platform: &Platform, ids: &[UserId]) -> Result<Vec<LastSeen>> {
    store::sessions::last_seen(&platform.db, ids).await
}

/// The caller's own sessions, used last first.
pub async fn own_sessions(platform: &Platform, caller: &Caller) -> Result<Vec<Session>> {
    store::sessions::sessions(&platform.db, caller.viewer()?.user, platform.clock.now(), SESSIONS_MAX).await
}

/// Whether there is an administrator.
pub async fn has_admin(platform: &Platform) -> Result<bool> {
    store::has_role(&platform.db, Role::Admin).await
}

/// A user, read inside a unit of work that is about to change it: nobody else does until it ends.
pub async fn locked(unit: &mut Unit, id: UserId) -> Result<User> {
    store::lock_user(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("user"))
}

/// A user, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: UserId) -> Result<User> {
    store::user(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("user"))
}
