//! Objects by id, whatever their kind: the same reads, and the same rules, as the fields of their own.
//!
//! To add a kind: a line in `load`.

use async_graphql::{Context, ID, Object};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::ask::Ask;
use super::error::{Nullable, answer, nullable};
use super::{
    alerts, bookings, changes, chat, disputes, earnings, jobs, notifications, offers, reviews, uploads, wallet,
};
use crate::kernel::id::{
    AlertId, AnnouncementId, BookingId, ChangeId, ConversationId, DisputeId, EarningId, FileId, JobId, MessageId,
    NotificationId, OfferId, PaymentId, ReviewId, TypedId, UserId, decode,
};
use crate::kernel::{Code, Error, Result};
use crate::schema::auth::{Access, auth};
use crate::schema::node::Node;

/// Ids in one call of `nodes` at most.
const IDS_MAX: usize = 100;

/// Queries by id.
#[derive(Default)]
pub struct NodeQuery;

/// Objects by id.
#[Object]
impl NodeQuery {
    /// Any object by its id; null when there is none, or none that the viewer may see.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The object's id.")] id: ID) -> Nullable<Node> {
        nullable(load(ctx, &id).await)
    }

    /// Objects by their ids, at most 100: as many as ids and in their order, null where there is none for the viewer.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' ids.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        if ids.len() > IDS_MAX {
            return answer(Err(bad(format!("At most {IDS_MAX} ids fit in one call."))));
        }
        answer(try_join_all(ids.iter().map(|id| load(ctx, id))).await)
    }
}

/// An object by its id, if the viewer may see it.
pub(super) async fn load(ctx: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let (prefix, uuid) = decode(id).ok_or_else(|| bad("This is no id.".to_owned()))?;
    find(ctx, prefix, uuid).await
}

/// An object of a kind, if there is one that the viewer may see.
pub async fn find(ctx: &Context<'_>, prefix: &str, uuid: Uuid) -> Result<Option<Node>> {
    // Profiles, their pictures, announcements and published reviews are public; everything else is for somebody who is
    // signed in.
    match prefix {
        UserId::PREFIX => return Ok(ctx.loaders().user(UserId::of(uuid)).await?.map(|row| Node::User(row.into()))),
        AnnouncementId::PREFIX => {
            let found = ctx.loaders().announcement(AnnouncementId::of(uuid)).await?;
            return Ok(found.map(|row| Node::Announcement(row.into())));
        }
        ReviewId::PREFIX => return Ok(reviews::visible(ctx, ReviewId::of(uuid)).await?.map(Node::Review)),
        FileId::PREFIX => return Ok(uploads::visible(ctx, FileId::of(uuid)).await?.map(Node::File)),
        _ => {}
    }
    let Some(viewer) = ctx.caller().viewer else { return known(prefix).map(|()| None) };
    Ok(match prefix {
        JobId::PREFIX => jobs::visible(ctx, &viewer, JobId::of(uuid)).await?.map(Node::Job),
        OfferId::PREFIX => offers::visible(ctx, OfferId::of(uuid)).await?.map(Node::Offer),
        BookingId::PREFIX => bookings::visible(ctx, BookingId::of(uuid)).await?.map(Node::Booking),
        ChangeId::PREFIX => changes::visible(ctx, ChangeId::of(uuid)).await?.map(Node::BookingChange),
        DisputeId::PREFIX => disputes::visible(ctx, DisputeId::of(uuid)).await?.map(Node::Dispute),
        PaymentId::PREFIX => wallet::visible_payment(ctx, PaymentId::of(uuid)).await?.map(Node::Payment),
        EarningId::PREFIX => earnings::visible(ctx, EarningId::of(uuid)).await?.map(Node::Earning),
        ConversationId::PREFIX => chat::conversation(ctx, ConversationId::of(uuid)).await?.map(Node::Conversation),
        NotificationId::PREFIX => notifications::visible(ctx, NotificationId::of(uuid)).await?.map(Node::Notification),
        MessageId::PREFIX => chat::message(ctx, MessageId::of(uuid)).await?.map(Node::Message),
        AlertId::PREFIX => alerts::visible(ctx, AlertId::of(uuid)).await?.map(Node::AdminAlert),
        other => return known(other).map(|()| None),
    })
}

/// Refuses kinds that there are not, so that a typing error is not taken for a missing object.
fn known(prefix: &str) -> Result<()> {
    const KINDS: [&str; 11] = [
        AlertId::PREFIX,
        JobId::PREFIX,
        OfferId::PREFIX,
        BookingId::PREFIX,
        ChangeId::PREFIX,
        DisputeId::PREFIX,
        PaymentId::PREFIX,
        EarningId::PREFIX,
        ConversationId::PREFIX,
        MessageId::PREFIX,
        NotificationId::PREFIX,
    ];
    if KINDS.contains(&prefix) { Ok(()) } else { Err(bad(format!("There are no objects of the kind `{prefix}`."))) }
}

fn bad(message: String) -> Error {
    Error::new(Code::BadUserInput, message)
}
