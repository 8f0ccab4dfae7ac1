//! Chat: reading conversations, writing, marking and typing.
//!
//! The roots of queries and mutations are here. Each object has its fields in a file of its own: `conversation`,
//! `message`. What happens live is in `live`; a new event of chat gets its line there.

mod conversation;
mod live;
mod message;

use async_graphql::{Context, ID, Object};

pub use live::ChatSubscription;

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, nullable, settle};
use crate::features::chat::{Send, Subject, commands, queries};
use crate::kernel::id::{ConversationId, JobId, MessageId, UserId, parse};
use crate::kernel::page::Page;
use crate::kernel::{Error, Result};
use crate::schema::auth::{Access, auth};
use crate::schema::chat::*;
use crate::schema::{accounts::User, int};

/// Queries of chat.
#[derive(Default)]
pub struct ChatQuery;

/// Reading conversations.
#[Object]
impl ChatQuery {
    /// A conversation that the viewer takes part in; null for any other.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation's id.")] id: ID,
    ) -> Nullable<Conversation> {
        nullable(async { conversation(ctx, parse(&id)?).await }.await)
    }
}

/// Mutations of chat.
#[derive(Default)]
pub struct ChatMutation;

/// Writing, reading and typing.
#[Object]
impl ChatMutation {
    /// Sends a message to the other person of a conversation. It is stored first, then both hear of it.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn message_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be said.")] input: MessageSendInput,
    ) -> Nullable<MessageSendPayload> {
        settle(send(ctx, input).await)
    }

    /// Marks everything up to a message as read. The mark never goes back.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn conversation_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was read.")] input: ConversationMarkReadInput,
    ) -> Nullable<ConversationMarkReadPayload> {
        settle(mark_read(ctx, input).await)
    }

    /// Shows the other person that the viewer types, or has stopped. It is never stored; the same signal passes once in
    /// two seconds.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn typing_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether the viewer types.")] input: TypingSetInput,
    ) -> Nullable<TypingSetPayload> {
        settle(set_typing(ctx, input).await)
    }
}

/// A conversation, if the viewer takes part.
pub(super) async fn conversation(ctx: &Context<'_>, id: ConversationId) -> Result<Option<Conversation>> {
    let Some(viewer) = ctx.caller().viewer else { return Ok(None) };
    Ok(ctx.loaders().conversation((id, viewer.user)).await?.map(Into::into))
}

/// The viewer's conversation about a job.
pub(super) async fn of_job(ctx: &Context<'_>, job: JobId) -> Result<Option<Conversation>> {
    let Some(viewer) = ctx.caller().viewer else { return Ok(None) };
    Ok(ctx.loaders().conversation_about((Subject::job(job), viewer.user)).await?.map(Into::into))
}

/// A message, if the viewer takes part in its conversation.
pub(super) async fn message(ctx: &Context<'_>, id: MessageId) -> Result<Option<Message>> {
    let Some(viewer) = ctx.caller().viewer else { return Ok(None) };
    Ok(ctx.loaders().message((id, viewer.user)).await?.map(Into::into))
}

async fn user(ctx: &Context<'_>, id: UserId) -> Result<User> {
    Ok(ctx.loaders().user(id).await?.ok_or_else(|| Error::internal("a person of a conversation is gone"))?.into())
}

async fn send(ctx: &Context<'_>, input: MessageSendInput) -> Result<MessageSendPayload> {
    let input = Send::new(parse(&input.conversation_id)?, &input.content, input.client_message_id.as_deref())?;
    let sent = ctx.done(commands::send(ctx.platform(), ctx.caller(), input).await?);
    // What was stored is known: the message itself is not read again.
    Ok(MessageSendPayload { message: Some(std::sync::Arc::new(sent).into()), ..Default::default() })
}

async fn mark_read(ctx: &Context<'_>, input: ConversationMarkReadInput) -> Result<ConversationMarkReadPayload> {
    let (id, up_to) = (parse(&input.conversation_id)?, parse(&input.up_to_message_id)?);
    let read_count = commands::mark_read(ctx.platform(), ctx.caller(), id, up_to).await?;
    ctx.loaders().renew();
    let conversation = conversation(ctx, id).await?;
    Ok(ConversationMarkReadPayload { conversation, read_count: Some(int(read_count)), ..Default::default() })
}

async fn set_typing(ctx: &Context<'_>, input: TypingSetInput) -> Result<TypingSetPayload> {
    commands::typing_set(ctx.platform(), ctx.caller(), parse(&input.conversation_id)?, input.is_typing).await?;
    Ok(TypingSetPayload { is_typing: Some(input.is_typing), ..Default::default() })
}

/// The viewer's conversations.
pub(super) async fn of_viewer(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
) -> Result<ConversationConnection> {
    let viewer = ctx.viewer()?.user;
    let page = Page::from_args(first, after.as_deref(), None, None)?;
    let slice = queries::page(ctx.platform(), ctx.caller(), &page).await?;
    let total = total(ctx, move |platform| async move { queries::count(&platform, viewer).await });
    Ok(ConversationConnection::of(slice, total, |row| row.place(), |row| std::sync::Arc::new(row).into()))
}

/// The viewer's unread messages, over all conversations.
pub(super) async fn unread_total(ctx: &Context<'_>) -> Result<i32> {
    queries::unread_total(ctx.platform(), ctx.caller()).await.map(int)
}
