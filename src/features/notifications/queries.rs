//! Reads of notifications. They are their user's.

use super::{Filter, Notification, Unread, store};
use crate::kernel::Result;
use crate::kernel::id::{ConversationId, NotificationId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::platform::Platform;
use crate::platform::db::by_group;

/// Notifications by id, in no particular order. The caller shows them to their user only.
pub async fn by_ids(platform: &Platform, ids: &[NotificationId]) -> Result<Vec<Notification>> {
    store::by_ids(&platform.db, ids).await
}

/// The newest notification of messages for each of these conversations and users.
pub async fn of_conversations(platform: &Platform, keys: &[(ConversationId, UserId)]) -> Result<Vec<Notification>> {
    let of = |user, ids: Vec<_>| async move { store::of_conversations(&platform.db, user, &ids).await };
    by_group(keys.iter().map(|(id, user)| (*user, *id)), of).await
}

/// A page of a user's notifications that are not dismissed, newest first.
pub async fn of_user(platform: &Platform, user: UserId, filter: &Filter, page: &Page) -> Result<Slice<Notification>> {
    store::page_of_user(&platform.db, user, filter, page).await
}

/// How many those are.
pub async fn count_of_user(platform: &Platform, user: UserId, filter: &Filter) -> Result<i64> {
    store::count_of_user(&platform.db, user, filter).await
}

/// How many each of these users has not read. Counted anew each time, so that it cannot drift.
pub async fn unread(platform: &Platform, users: &[UserId]) -> Result<Vec<Unread>> {
    store::unread(&platform.db, users).await
}
