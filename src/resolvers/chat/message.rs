//! Fields of a message that need a look.

use async_graphql::{ComplexObject, Context};

use super::{conversation, user};
use crate::features::chat::Status;
use crate::kernel::{Error, Result};
use crate::resolvers::error::answer;
use crate::schema::accounts::User;
use crate::schema::chat::*;

/// Where, by whom, and how far it has come.
#[ComplexObject]
impl Message {
    /// Where it was said.
    async fn conversation(&self, ctx: &Context<'_>) -> async_graphql::Result<Conversation> {
        answer(self.place(ctx).await)
    }

    /// Who said it.
    async fn sender(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        answer(user(ctx, self.row.sender).await)
    }

    /// How far it has come on its way to the one who did not write it.
    async fn status(&self, ctx: &Context<'_>) -> async_graphql::Result<MessageStatus> {
        answer(self.progress(ctx).await.map(Into::into))
    }

    /// Grows with each change of the message or of its status.
    async fn version(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let status = answer(self.progress(ctx).await)?;
        Ok(crate::schema::version(self.row.seen_version(status)))
    }
}

impl Message {
    async fn place(&self, ctx: &Context<'_>) -> Result<Conversation> {
        conversation(ctx, self.row.conversation).await?.ok_or_else(|| Error::not_found("conversation"))
    }

    async fn progress(&self, ctx: &Context<'_>) -> Result<Status> {
        Ok(self.place(ctx).await?.row.status(&self.row))
    }
}
