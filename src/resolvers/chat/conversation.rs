//! Fields of a conversation that need a look.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context};
use futures_util::future::try_join;

use super::{message, user};
use crate::features::chat::queries;
use crate::kernel::Result;
use crate::kernel::page::Page;
use crate::resolvers::accounts::read_ahead;
use crate::resolvers::ask::Ask;
use crate::resolvers::connection::entries_want;
use crate::resolvers::error::{Nullable, answer, nullable};
use crate::resolvers::jobs;
use crate::schema::accounts::User;
use crate::schema::chat::*;
use crate::schema::connection::Total;
use crate::schema::jobs::Job;

/// Who, about what, and what was said.
#[ComplexObject]
impl Conversation {
    /// The two people.
    async fn participants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<User>> {
        let [one, two] = self.row.people();
        answer(try_join(user(ctx, one), user(ctx, two)).await.map(|(one, two)| vec![one, two]))
    }

    /// The job that they talk about; null when it is about something else.
    async fn job(&self, ctx: &Context<'_>) -> Nullable<Job> {
        let id = self.row.subject.job_id()?;
        nullable(Box::pin(async { jobs::visible(ctx, &ctx.viewer()?, id).await }).await)
    }

    /// The newest message; null while there is none.
    async fn last_message(&self, ctx: &Context<'_>) -> Nullable<Message> {
        match self.row.last_message {
            Some(id) => nullable(message(ctx, id).await),
            None => None,
        }
    }

    /// The messages, oldest first. The newest page is `last: 20`; the one in front of it follows with `before`.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 when neither is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<MessageConnection> {
        let page = Page::from_args(first, after.as_deref(), last, before.as_deref());
        // In a box: the engine gives each field of an object the room of its largest one.
        answer(Box::pin(async { self.history(ctx, &page?).await }).await)
    }
}

impl Conversation {
    async fn history(&self, ctx: &Context<'_>, page: &Page) -> Result<MessageConnection> {
        let slice = queries::history(ctx.platform(), &self.row, page).await?;
        if entries_want(ctx, "sender") {
            read_ahead(ctx, slice.items.iter().map(|message| message.sender)).await;
        }
        // Messages are numbered without gaps: the last number is how many there are.
        let total = Total::Known(self.row.last_number);
        Ok(MessageConnection::of(slice, total, |row| row.place(), |row| Arc::new(row).into()))
    }
}
