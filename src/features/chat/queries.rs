//! Reads of chat. Each takes the viewer, and gives what the viewer takes part in and nothing else. Staff take part
//! in what they read along in because of a dispute, until it has ended.
//!
//! Batches are asked with the viewer beside each id, so that an answer can never be taken for another viewer's.

use std::collections::HashSet;
use std::hash::Hash;

use super::{Conversation, Message, Subject, store};
use crate::kernel::id::{ConversationId, MessageId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::db::by_group;

/// A conversation, or `NOT_FOUND` for everybody who does not take part.
pub async fn conversation(platform: &Platform, caller: &Caller, id: ConversationId) -> Result<Conversation> {
    let found = by_ids(platform, &[(id, caller.viewer()?.user)]).await?.pop();
    found.ok_or_else(|| Error::not_found("conversation"))
}

/// Conversations by id and viewer, in no particular order. Those that nobody takes part in are looked for among those that
/// staff read along in.
pub async fn by_ids(platform: &Platform, keys: &[(ConversationId, UserId)]) -> Result<Vec<Conversation>> {
    let mut found = store::conversations(&platform.db, keys).await?;
    let others = missing(keys, found.iter().map(|it| (it.id, it.viewer)));
    let along = |staff, ids: Vec<_>| async move { store::along::conversations(&platform.db, staff, &ids).await };
    found.extend(by_group(others.into_iter().map(|(id, staff)| (staff, id)), along).await?);
    Ok(found)
}

/// Messages by id and viewer, in no particular order.
pub async fn messages_by_ids(platform: &Platform, keys: &[(MessageId, UserId)]) -> Result<Vec<Message>> {
    let mut found = store::messages(&platform.db, keys).await?;
    let others = missing(keys, found.iter().map(|it| (it.id, it.viewer)));
    let along = |staff, ids: Vec<_>| async move { store::along::messages(&platform.db, staff, &ids).await };
    found.extend(by_group(others.into_iter().map(|(id, staff)| (staff, id)), along).await?);
    Ok(found)
}

/// The keys that nothing was found for.
fn missing<T: Copy + Eq + Hash>(keys: &[(T, UserId)], found: impl Iterator<Item = (T, UserId)>) -> Vec<(T, UserId)> {
    let found: HashSet<_> = found.collect();
    keys.iter().copied().filter(|key| !found.contains(key)).collect()
}

/// The viewer's conversations about subjects. Where a viewer has several about one, the most active comes last.
pub async fn by_subjects(platform: &Platform, keys: &[(Subject, UserId)]) -> Result<Vec<Conversation>> {
    let groups = keys.iter().map(|(subject, viewer)| ((*viewer, subject.kind), subject.id));
    let about = |(viewer, kind), ids: Vec<_>| async move { store::about(&platform.db, viewer, kind, &ids).await };
    by_group(groups, about).await
}

/// A page of the viewer's conversations, newest activity first.
///
/// A conversation that gets a message while somebody turns the pages moves to the top, in front of the pages read so far;
/// those behind are neither repeated nor skipped. Who watches the events as well misses nothing.
pub async fn page(platform: &Platform, caller: &Caller, page: &Page) -> Result<Slice<Conversation>> {
    store::page(&platform.db, caller.viewer()?.user, page).await
}

/// Those of these users that the viewer has a conversation with, whatever became of it.
pub async fn sharing(platform: &Platform, viewer: UserId, users: &[UserId]) -> Result<Vec<UserId>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    store::sharing(&platform.db, viewer, users).await
}

/// How many conversations a user has.
pub async fn count(platform: &Platform, user: UserId) -> Result<i64> {
    store::count(&platform.db, user).await
}

/// How many messages to the viewer are unread, over all conversations.
pub async fn unread_total(platform: &Platform, caller: &Caller) -> Result<i64> {
    Ok(store::unread(&platform.db, caller.viewer()?.user).await?.iter().sum())
}

/// A page of a conversation's messages, oldest first.
pub async fn history(platform: &Platform, seen: &Conversation, page: &Page) -> Result<Slice<Message>> {
    if seen.is_read_along() {
        return store::along::history(&platform.db, seen.viewer, seen.id, page).await;
    }
    store::history(&platform.db, seen.viewer, seen.id, page).await
}
