//! Notifications: the list, reading and dismissing, and hearing of them.
//!
//! What the texts need is looked up in `words`.

mod words;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle};
use super::live::{Live, durable, live_events, own};
use crate::features::chat;
use crate::features::notifications::{Filter, Notification as Row, commands, events, queries};
use crate::kernel::id::{ConversationId, NotificationId, TypedId, UserId, parse};
use crate::kernel::page::Page;
use crate::kernel::{Code, Error, Result};
use crate::platform::streams::Event;
use crate::schema::auth::{Access, auth};
use crate::schema::int;
use crate::schema::node::Node;
use crate::schema::notifications::*;

/// A notification that the viewer may see: its own, or any for staff.
pub async fn visible(ctx: &Context<'_>, id: NotificationId) -> Result<Option<Notification>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().notification(id).await?;
    Ok(found.filter(|row| row.user == viewer.user || viewer.roles.is_staff()).map(Into::into))
}

/// A user's notifications, newest first.
pub async fn of_user(ctx: &Context<'_>, user: UserId, filter: Filter, page: &Page) -> Result<NotificationConnection> {
    let slice = queries::of_user(ctx.platform(), user, &filter, page).await?;
    let total = total(ctx, move |platform| {
        let filter = filter.clone();
        async move { queries::count_of_user(&platform, user, &filter).await }
    });
    Ok(NotificationConnection::of(slice, total, Row::place, |row| Arc::new(row).into()))
}

/// How many notifications a user has not read.
pub async fn unread(ctx: &Context<'_>, user: UserId) -> Result<i32> {
    Ok(ctx.loaders().unread_notifications(user).await?.map_or(0, |unread| int(unread.count)))
}

/// Mutations of notifications.
#[derive(Default)]
pub struct NotificationMutation;

/// Reading and dismissing.
#[Object]
impl NotificationMutation {
    /// Marks one notification as read, or all of them.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn notification_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: NotificationMarkReadInput,
    ) -> Nullable<NotificationMarkReadPayload> {
        settle(mark_read(ctx, input).await)
    }

    /// Takes a notification off the list. It counts as read from then on.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn notification_dismiss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: NotificationDismissInput,
    ) -> Nullable<NotificationDismissPayload> {
        settle(dismiss(ctx, input).await)
    }
}

async fn mark_read(ctx: &Context<'_>, input: NotificationMarkReadInput) -> Result<NotificationMarkReadPayload> {
    let one = match input {
        NotificationMarkReadInput::NotificationId(id) => Some(parse(&id)?),
        NotificationMarkReadInput::All(true) => None,
        NotificationMarkReadInput::All(false) => {
            let message = "Name a notification, or say `all: true`.";
            return Err(Error::new(Code::Invalid, message).at("all"));
        }
    };
    match one {
        Some(id) => commands::mark_read(ctx.platform(), ctx.caller(), id).await?,
        None => commands::mark_all_read(ctx.platform(), ctx.caller()).await?,
    }
    let (notification, unread_count) = afterwards(ctx, one).await?;
    Ok(NotificationMarkReadPayload { notification, unread_count, ..Default::default() })
}

async fn dismiss(ctx: &Context<'_>, input: NotificationDismissInput) -> Result<NotificationDismissPayload> {
    let id = parse(&input.notification_id)?;
    commands::dismiss(ctx.platform(), ctx.caller(), id).await?;
    let (notification, unread_count) = afterwards(ctx, Some(id)).await?;
    Ok(NotificationDismissPayload { notification, unread_count, ..Default::default() })
}

/// What a mutation left behind: the notification, and how many are unread.
async fn afterwards(ctx: &Context<'_>, id: Option<NotificationId>) -> Result<(Option<Notification>, Option<i32>)> {
    ctx.loaders().renew();
    let notification = match id {
        Some(id) => visible(ctx, id).await?,
        None => None,
    };
    Ok((notification, Some(unread(ctx, ctx.viewer()?.user).await?)))
}

/// Subscriptions of notifications.
#[derive(Default)]
pub struct NotificationSubscription;

/// Hearing of notifications.
#[Subscription]
impl NotificationSubscription {
    /// What happens to the viewer's notifications, on all devices.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<NotificationEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            let (streams, mut filter) = own(ctx, events::NOUN, None)?;
            filter.also = Some(events::concerns);
            Ok((streams, filter))
        })
        .await
    }
}

live_events!(NotificationEvent {
    events::RECEIVED => Received(NotificationReceived),
    events::READ => Read(NotificationRead),
    events::ALL_READ => AllRead(NotificationsRead),
    events::DISMISSED => Dismissed(NotificationDismissed),
    // A conversation's notification has no events of its own.
    chat::events::CREATED => Received(NotificationReceived),
    chat::events::READ => Read(NotificationRead),
});

/// The viewer's notification that an event is about.
async fn of_event(ctx: &Context<'_>, event: &Event) -> Result<Option<Notification>> {
    let viewer = ctx.viewer()?.user;
    if event.noun == events::NOUN {
        let found = ctx.loaders().notification(event.object_id()).await?;
        return Ok(found.filter(|row| row.user == viewer).map(Into::into));
    }
    let key = (ConversationId::of(event.subject), viewer);
    Ok(ctx.loaders().notification_of_conversation(key).await?.map(Into::into))
}

async fn unread_of_viewer(ctx: &Context<'_>) -> async_graphql::Result<i32> {
    answer(async { unread(ctx, ctx.viewer()?.user).await }.await)
}

/// A notification came.
#[ComplexObject]
impl NotificationReceived {
    /// The notification as it is now; null once it is gone.
    async fn notification(&self, ctx: &Context<'_>) -> Nullable<Notification> {
        nullable(of_event(ctx, &self.event).await)
    }
    /// How many notifications are unread now.
    async fn unread_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        unread_of_viewer(ctx).await
    }
}

/// A notification was read.
#[ComplexObject]
impl NotificationRead {
    /// The notification as it is now; null once it is gone, or where a conversation had none.
    async fn notification(&self, ctx: &Context<'_>) -> Nullable<Notification> {
        nullable(of_event(ctx, &self.event).await)
    }
    /// How many notifications are unread now.
    async fn unread_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        unread_of_viewer(ctx).await
    }
}

/// All notifications were read.
#[ComplexObject]
impl NotificationsRead {
    /// How many notifications are unread now: those that came since.
    async fn unread_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        unread_of_viewer(ctx).await
    }
}

/// A notification was dismissed.
#[ComplexObject]
impl NotificationDismissed {
    /// The notification as it is now; null once it is gone.
    async fn notification(&self, ctx: &Context<'_>) -> Nullable<Notification> {
        nullable(of_event(ctx, &self.event).await)
    }
    /// How many notifications are unread now.
    async fn unread_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        unread_of_viewer(ctx).await
    }
}

/// Fields of a notification that need a look.
#[ComplexObject]
impl Notification {
    /// One sentence, for people, with names and amounts as they are now.
    async fn body(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        let words = answer(words::of(ctx, &self.row).await)?;
        Ok(self.row.kind.notice().fill(&words))
    }

    /// What it is about; null once it is gone, or where the viewer may not see it.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        nullable(super::node::load(ctx, &self.row.subject.public_id()).await)
    }
}
