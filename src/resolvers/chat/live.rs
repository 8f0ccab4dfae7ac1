//! What happens in conversations, while it happens and afterwards; and who is typing.

use async_graphql::{ComplexObject, Context, ID, Subscription};

use super::{conversation, message, user};
use crate::features::chat::events::{self, ReadFacts, UpTo};
use crate::features::chat::queries;
use crate::kernel::id::{ConversationId, TypedId, UserId, parse};
use crate::kernel::{Error, Result};
use crate::platform::streams::Signal;
use crate::resolvers::ask::Ask;
use crate::resolvers::error::{Nullable, answer, nullable};
use crate::resolvers::live::{Live, LiveSignal, Notice, Source, durable, live_events, only, own, signals};
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::chat::*;
use crate::schema::int;

/// Subscriptions of chat.
#[derive(Default)]
pub struct ChatSubscription;

/// Hearing of messages and of typing.
#[Subscription]
impl ChatSubscription {
    /// Messages and their marks, in all of the viewer's conversations or in one.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn conversation_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this conversation.")] conversation_id: Option<ID>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<ConversationEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            own(ctx, events::NOUN, only(conversation_id, async |id| conversation(ctx, id).await).await?)
        })
        .await
    }

    /// Whether the other person of a conversation is typing. It ends by itself after 6 seconds.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn typing_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] conversation_id: ID,
    ) -> async_graphql::Result<Live<TypingSignal>> {
        let topic = async || {
            let conversation = taking_part(ctx, &conversation_id).await?;
            Ok(Source::Signals(events::typing_topic(conversation)))
        };
        signals(ctx, topic).await
    }
}

impl LiveSignal for TypingSignal {
    async fn of(ctx: &Context<'_>, signal: &Signal, notice: &Notice) -> Result<Option<Self>> {
        let user_id = UserId::of(signal.sender);
        // The viewer knows of its own typing.
        let is_own = ctx.caller().viewer.is_none_or(|viewer| viewer.user == user_id);
        let (id, cursor, occurred_at) = notice.parts();
        Ok((!is_own).then_some(TypingSignal { id, cursor, occurred_at, is_typing: signal.state, user_id }))
    }
}

/// The conversation's id, if the viewer takes part.
async fn taking_part(ctx: &Context<'_>, id: &str) -> Result<ConversationId> {
    Ok(queries::conversation(ctx.platform(), ctx.caller(), parse(id)?).await?.id)
}

live_events!(ConversationEvent {
    events::CREATED => Created(MessageCreated),
    events::DELIVERED => Delivered(MessagesDelivered),
    events::READ => Read(MessagesRead),
    events::STAFF_JOINED => StaffJoined(ConversationStaffJoined),
});

/// What was written.
#[ComplexObject]
impl MessageCreated {
    /// The message; null once it is gone.
    async fn message(&self, ctx: &Context<'_>) -> Nullable<Message> {
        nullable(message(ctx, self.event.object_id()).await)
    }

    /// The conversation as it is now, with the viewer's own unread count.
    async fn conversation(&self, ctx: &Context<'_>) -> Nullable<Conversation> {
        nullable(conversation(ctx, ConversationId::of(self.event.subject)).await)
    }
}

/// What has arrived.
#[ComplexObject]
impl MessagesDelivered {
    /// The conversation as it is now.
    async fn conversation(&self, ctx: &Context<'_>) -> Nullable<Conversation> {
        nullable(conversation(ctx, self.event.object_id()).await)
    }

    /// Everything up to the message with this number has arrived.
    async fn message_number(&self) -> async_graphql::Result<i32> {
        answer(self.event.read_facts::<UpTo>().map(|facts| int(facts.number)))
    }
}

/// What was read.
#[ComplexObject]
impl MessagesRead {
    /// The conversation as it is now, with the viewer's own unread count.
    async fn conversation(&self, ctx: &Context<'_>) -> Nullable<Conversation> {
        nullable(conversation(ctx, self.event.object_id()).await)
    }

    /// Who has read.
    async fn reader(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        answer(async { user(ctx, self.event.read_facts::<ReadFacts>()?.reader).await }.await)
    }

    /// Everything up to the message with this number is read.
    async fn message_number(&self) -> async_graphql::Result<i32> {
        answer(self.event.read_facts::<ReadFacts>().map(|facts| int(facts.number)))
    }

    /// How many messages became read.
    async fn read_count(&self) -> async_graphql::Result<i32> {
        answer(self.event.read_facts::<ReadFacts>().map(|facts| int(facts.read_count)))
    }
}

/// Who reads along.
#[ComplexObject]
impl ConversationStaffJoined {
    /// The conversation as it is now.
    async fn conversation(&self, ctx: &Context<'_>) -> Nullable<Conversation> {
        nullable(conversation(ctx, self.event.object_id()).await)
    }
}

/// Who types.
#[ComplexObject]
impl TypingSignal {
    /// Who.
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        let found = ctx.loaders().user(self.user_id).await;
        answer(found.and_then(|row| row.map(Into::into).ok_or_else(|| Error::not_found("user"))))
    }
}
