//! Writing messages: the hottest write of all, so that many are written together.
//!
//! A unit of work begins with the lock of all conversations concerned. From then on nobody else numbers their messages, so
//! that numbers, counters and repetitions are settled here, and everything that follows is written at once.

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use super::commands::not_found;
use super::store::sending::{self, Sent, Talk};
use super::{Message, Send, events};
use crate::kernel::id::{ConversationId, UserId};
use crate::kernel::{Caller, Code, Error, Result};
use crate::platform::Platform;
use crate::platform::work::{Asked, Effect, Lane, Unit};

/// Writes a message. The same key of the same sender gives the first message again, also when two arrive at once.
pub async fn send(platform: &Platform, caller: &Caller, input: Send) -> Result<Effect<Message>> {
    caller.viewer()?;
    platform.work.together(caller, input).await
}

impl Lane for Send {
    type Output = Effect<Message>;

    fn write<'t>(unit: &'t mut Unit, asked: &'t [Asked<Self>]) -> BoxFuture<'t, Result<Vec<Result<Self::Output>>>> {
        Box::pin(async move {
            let mut page = Page::open(unit, asked).await?;
            let mut outcomes = Vec::with_capacity(asked.len());
            for Asked { caller, input } in asked {
                unit.speak_for(caller);
                outcomes.push(match page.write(unit, caller.viewer()?.user, input) {
                    Ok(outcome) => Ok(outcome),
                    Err(error) if error.code == Code::Internal => return Err(error),
                    Err(refusal) => Err(refusal),
                });
            }
            page.close(unit);
            Ok(outcomes)
        })
    }
}

/// What names a message for its sender.
type Key = (ConversationId, UserId, String);

fn key(sender: UserId, input: &Send) -> Option<Key> {
    Some((input.conversation, sender, input.client_message_id.clone()?))
}

/// The conversations that messages are written into, and what was written with the same keys.
struct Page {
    talks: HashMap<ConversationId, Talk>,
    known: HashMap<Key, Message>,
    messages: Vec<Sent>,
}

impl Page {
    async fn open(unit: &mut Unit, asked: &[Asked<Send>]) -> Result<Self> {
        let talks = sending::lock(&mut unit.tx, asked.iter().map(|asked| asked.input.conversation)).await?;
        let keys = asked.iter().filter_map(|Asked { caller, input }| key(caller.viewer?.user, input));
        let known = sending::by_keys(&mut unit.tx, keys.collect()).await?;
        let named = |message: Message| key_of(&message).map(|key| (key, message));
        let talks = talks.into_iter().map(|talk| (talk.id, talk)).collect();
        Ok(Page { talks, known: known.into_iter().filter_map(named).collect(), messages: Vec::new() })
    }

    fn write(&mut self, unit: &mut Unit, sender: UserId, input: &Send) -> Result<Effect<Message>> {
        let talk = self.talks.get_mut(&input.conversation).filter(|talk| talk.people.contains(&sender));
        let talk = talk.ok_or_else(not_found)?;
        let key = key(sender, input);
        if let Some(first) = key.as_ref().and_then(|key| self.known.get(key)) {
            return Ok(Effect { value: first.clone(), replayed: true });
        }
        if !talk.is_active {
            let message = "This conversation is closed; it takes no more messages.";
            return Err(Error::new(Code::ConversationClosed, message).at("conversationId"));
        }
        let message = Message {
            id: unit.ids.new_id(),
            conversation: input.conversation,
            number: talk.last_number + 1,
            sender,
            content: input.content.clone(),
            client_message_id: input.client_message_id.clone(),
            created_at: unit.now,
            updated_at: unit.now,
            version: 1,
            viewer: sender,
        };
        unit.state(events::created(&message, talk.people)?);
        self.messages.push(talk.take(&message));
        self.known.extend(key.map(|key| (key, message.clone())));
        Ok(Effect { value: message, replayed: false })
    }

    /// Leaves what was written for the end of the unit.
    fn close(self, unit: &mut Unit) {
        sending::write(unit, self.talks.into_values().filter(Talk::has_grown), &self.messages);
    }
}

fn key_of(message: &Message) -> Option<Key> {
    Some((message.conversation, message.sender, message.client_message_id.clone()?))
}
