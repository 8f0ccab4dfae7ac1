//! Opening, marking and typing. Writing is in [`super::sending`].

pub use super::sending::send;

use super::events::{self, ReadFacts};
use super::model::pair;
use super::{Subject, store};
use crate::kernel::id::{ConversationId, MessageId, UserId};
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::limits::{Limiter, Rule, WhenDown};
use crate::platform::work::Unit;

/// The same signal of typing passes once in two seconds.
const TYPING: Rule = Rule { burst: 1, per_minute: 30 };

/// Opens the two people's conversation about a subject, inside the command that brings them together. If there is one, it
/// is that one, and it takes messages again.
pub async fn open(unit: &mut Unit, subject: Subject, users: (UserId, UserId)) -> Result<ConversationId> {
    let (a, b) = pair(users)?;
    let fresh: ConversationId = unit.ids.new_id();
    let id = store::open(&mut unit.tx, fresh, subject, (a, b), unit.now).await?;
    if id == fresh {
        store::insert_participants(unit, id, [a, b]);
    }
    Ok(id)
}

/// Closes a conversation, inside the command that ends what it was about: it can be read but takes no more messages.
pub async fn close(unit: &mut Unit, id: ConversationId) -> Result<()> {
    store::close(&mut unit.tx, id, unit.now).await
}

/// Staff begin to read along, inside the command of the dispute that lets them; false when they do already.
pub async fn join(unit: &mut Unit, id: ConversationId, staff: UserId) -> Result<bool> {
    if !store::along::join(&mut unit.tx, id, staff, unit.now).await? {
        return Ok(false);
    }
    let seen = store::along::conversations(&mut unit.tx, staff, &[id]).await?.pop();
    let seen = seen.ok_or_else(|| Error::internal("a conversation that nobody can join"))?;
    unit.state(events::staff_joined(&seen));
    Ok(true)
}

/// Staff read along no longer, inside the command that ends the dispute.
pub async fn dismiss(unit: &mut Unit, id: ConversationId) -> Result<()> {
    store::along::dismiss(&mut unit.tx, id, unit.now).await
}

pub(super) fn not_found() -> Error {
    Error::not_found("conversation").at("conversationId")
}

/// Marks everything up to a message as read, and says how many messages became read by it. A mark never goes back; where
/// nothing becomes read, nothing is stated.
pub async fn mark_read(
    platform: &Platform,
    caller: &Caller,
    conversation: ConversationId,
    up_to: MessageId,
) -> Result<i64> {
    let reader = caller.viewer()?.user;
    platform
        .work
        .run(caller, (reader, conversation, up_to), |unit, (reader, conversation, up_to)| {
            Box::pin(async move { read(unit, *reader, *conversation, *up_to).await })
        })
        .await
}

async fn read(unit: &mut Unit, reader: UserId, conversation: ConversationId, up_to: MessageId) -> Result<i64> {
    let found = store::mark(&mut unit.tx, reader, conversation, up_to).await?.ok_or_else(not_found)?;
    let to = found.to.ok_or_else(|| Error::not_found("message").at("upToMessageId"))?;
    let seen = found.seen;
    let became_read = to.count - seen.me.read_count;
    if became_read <= 0 {
        return Ok(0);
    }
    store::set_read(&mut unit.tx, &seen, &to, unit.now).await?;
    let facts = ReadFacts { reader, number: to.number, read_count: became_read };
    unit.state(events::read(conversation, seen.version + 1, seen.people(), facts)?);
    Ok(became_read)
}

/// Notes that everything up to a number has reached a device of the caller, and says whether that was news.
pub async fn mark_delivered(
    platform: &Platform,
    caller: &Caller,
    conversation: ConversationId,
    number: i64,
) -> Result<bool> {
    let receiver = caller.viewer()?.user;
    platform
        .work
        .run(caller, (receiver, conversation, number), |unit, (receiver, conversation, number)| {
            Box::pin(async move { deliver(unit, *receiver, *conversation, *number).await })
        })
        .await
}

async fn deliver(unit: &mut Unit, receiver: UserId, conversation: ConversationId, number: i64) -> Result<bool> {
    let seen = store::conversation(&mut unit.tx, receiver, conversation).await?.ok_or_else(not_found)?;
    // Nothing can have arrived that was not sent.
    let number = number.min(seen.last_number);
    let is_news = number > seen.me.delivered_number;
    if !is_news || !store::set_delivered(&mut unit.tx, &seen, number, unit.now).await? {
        return Ok(false);
    }
    unit.state(events::delivered(conversation, seen.version + 1, seen.other.user, number)?);
    Ok(true)
}

/// Tells the other person that the caller types or stopped. A repetition within two seconds is swallowed.
pub async fn typing_set(
    platform: &Platform,
    caller: &Caller,
    conversation: ConversationId,
    is_typing: bool,
) -> Result<()> {
    let user = caller.viewer()?.user;
    if store::conversation(&platform.db, user, conversation).await?.is_none() {
        return Err(not_found());
    }
    let key = format!("typing:{user}:{conversation}:{is_typing}");
    if platform.local_limits.check(&key, TYPING, 1, WhenDown::Local).await.is_ok() {
        platform.bus.publish(events::typing(conversation, user, is_typing)?);
    }
    Ok(())
}
