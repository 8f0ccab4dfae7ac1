//! Everything at once: the viewer's own stream, what is told to everyone, and for staff what they must hear of; live or by
//! asking.

use std::sync::Arc;

use async_graphql::{Context, Object, Subscription};

use super::ask::Ask;
use super::error::answer;
use super::live::{Filter, Item, Live, LiveEvent, Notice, durable, live_events};
use crate::features::{
    alerts, announcements, bookings, changes, chat, disputes, earnings, jobs, notifications, offers, profiles, reviews,
    wallet,
};
use crate::kernel::Viewer;
use crate::kernel::page::Page;
use crate::platform::streams::{Polled, StreamName};
use crate::schema::alerts::{AdminAlertDismissed, AdminAlertRaised};
use crate::schema::announcements::AnnouncementAdded;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::{BookingCancelled, BookingCreated, BookingReleased, BookingStatusChanged};
use crate::schema::changes::{BookingChangeProposed, BookingChangeStatusChanged};
use crate::schema::chat::{ConversationStaffJoined, MessageCreated, MessagesDelivered, MessagesRead};
use crate::schema::connection::PageInfo;
use crate::schema::disputes::{
    DisputeEvidenceAdded, DisputeOpened, DisputeProposalAccepted, DisputeProposed, DisputeStatusChanged,
};
use crate::schema::earnings::EarningCreated;
use crate::schema::jobs::{JobPosted, JobStatusChanged};
use crate::schema::notifications::{NotificationDismissed, NotificationRead, NotificationReceived, NotificationsRead};
use crate::schema::offers::{OfferSent, OfferStatusChanged};
use crate::schema::profiles::ProfileChanged;
use crate::schema::reviews::{ReviewHidden, ReviewPosted, ReviewPublished, ReviewReplied, ReviewUnhidden};
use crate::schema::stream::{StreamEvent, StreamEventConnection, StreamEventEdge};
use crate::schema::wallet::{PaymentCompleted, PaymentFailed, WalletCredited, WalletDebited};

/// Subscriptions to everything.
#[derive(Default)]
pub struct StreamSubscription;

/// Hearing of everything.
#[Subscription]
impl StreamSubscription {
    /// Everything that happens to the viewer, and what is told to everyone, in one subscription. Staff hear of alerts too.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn event_appended(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<StreamEvent>> {
        durable(ctx, (after, throttle_ms), async || Ok(heard_by(&ctx.viewer()?))).await
    }
}

/// The streams that a viewer hears, and what of them.
fn heard_by(viewer: &Viewer) -> (Vec<StreamName>, Filter) {
    (StreamName::heard_by(viewer), Filter { hides: super::alerts::hidden_from(viewer), ..Filter::default() })
}

/// Queries of everything.
#[derive(Default)]
pub struct StreamQuery;

/// Asking for everything.
#[Object]
impl StreamQuery {
    /// What `eventAppended` would deliver behind a cursor, for clients without a socket: ask again with the last
    /// `endCursor`, at once while `hasNextPage`. Without `after` there is no event, only the `endCursor` to begin with.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor, of `events`, of `eventAppended` or `streamCursor`.")] after: Option<
            String,
        >,
        #[graphql(desc = "How many events: 0 to 100; 20 when absent.")] first: Option<i32>,
    ) -> async_graphql::Result<StreamEventConnection> {
        let (streams, filter) = heard_by(&answer(ctx.viewer())?);
        let limit = usize::try_from(answer(Page::from_args(first, None, None, None))?.size).unwrap_or(0);
        let polled = ctx.platform().hub.reader().poll(&streams, after.as_deref(), limit).await;
        Ok(shape(ctx, after.is_some(), filter, answer(polled)?))
    }
}

/// The page of a poll: first what its cursor is worth, then the events.
fn shape(ctx: &Context<'_>, has_cursor: bool, filter: Filter, polled: Polled) -> StreamEventConnection {
    let notice = |cursor: &str| {
        let (id, at) = (ctx.platform().ids.uuid(), ctx.platform().clock.now());
        Notice { id, cursor: Some(cursor.to_owned()), at }
    };
    let opening = has_cursor.then(|| {
        let notice = notice(&polled.start);
        (polled.start.clone(), polled.gap.map_or(Item::Resumed(notice.clone()), |gap| Item::Gap(notice, gap)))
    });
    let shown = polled.events.into_iter().filter(|(event, _)| filter.shows(event));
    let events = shown.map(|(event, cursor)| (cursor.clone(), Item::Event(Arc::new(event), cursor)));
    let edge = |(cursor, item)| Some(StreamEventEdge { cursor, node: StreamEvent::of(&item)? });
    let edges: Vec<_> = opening.into_iter().chain(events).filter_map(edge).collect();
    StreamEventConnection {
        page_info: PageInfo {
            has_next_page: polled.has_next,
            has_previous_page: has_cursor,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: Some(polled.end),
        },
        total_count: crate::schema::int(polled.behind),
        edges,
    }
}

live_events!(StreamEvent {
    alerts::events::RAISED => AdminAlertRaised(AdminAlertRaised),
    alerts::events::DISMISSED => AdminAlertDismissed(AdminAlertDismissed),
    announcements::events::ADDED => AnnouncementAdded(AnnouncementAdded),
    bookings::events::CREATED => BookingCreated(BookingCreated),
    bookings::events::STATUS_CHANGED => BookingStatusChanged(BookingStatusChanged),
    bookings::events::CANCELLED => BookingCancelled(BookingCancelled),
    bookings::events::RELEASED => BookingReleased(BookingReleased),
    changes::events::PROPOSED => BookingChangeProposed(BookingChangeProposed),
    changes::events::STATUS_CHANGED => BookingChangeStatusChanged(BookingChangeStatusChanged),
    chat::events::CREATED => MessageCreated(MessageCreated),
    chat::events::DELIVERED => MessagesDelivered(MessagesDelivered),
    chat::events::READ => MessagesRead(MessagesRead),
    chat::events::STAFF_JOINED => ConversationStaffJoined(ConversationStaffJoined),
    disputes::events::OPENED => DisputeOpened(DisputeOpened),
    disputes::events::PROPOSED => DisputeProposed(DisputeProposed),
    disputes::events::ACCEPTED => DisputeProposalAccepted(DisputeProposalAccepted),
    disputes::events::EVIDENCE_ADDED => DisputeEvidenceAdded(DisputeEvidenceAdded),
    disputes::events::STATUS_CHANGED => DisputeStatusChanged(DisputeStatusChanged),
    earnings::events::CREATED => EarningCreated(EarningCreated),
    jobs::events::POSTED => JobPosted(JobPosted),
    jobs::events::STATUS_CHANGED => JobStatusChanged(JobStatusChanged),
    notifications::events::RECEIVED => NotificationReceived(NotificationReceived),
    notifications::events::READ => NotificationRead(NotificationRead),
    notifications::events::ALL_READ => NotificationsRead(NotificationsRead),
    notifications::events::DISMISSED => NotificationDismissed(NotificationDismissed),
    offers::events::SENT => OfferSent(OfferSent),
    offers::events::STATUS_CHANGED => OfferStatusChanged(OfferStatusChanged),
    reviews::events::POSTED => ReviewPosted(ReviewPosted),
    reviews::events::PUBLISHED => ReviewPublished(ReviewPublished),
    reviews::events::REPLIED => ReviewReplied(ReviewReplied),
    reviews::events::HIDDEN => ReviewHidden(ReviewHidden),
    reviews::events::UNHIDDEN => ReviewUnhidden(ReviewUnhidden),
    profiles::events::CHANGED => ProfileChanged(ProfileChanged),
    wallet::events::CREDITED => WalletCredited(WalletCredited),
    wallet::events::DEBITED => WalletDebited(WalletDebited),
    wallet::events::PAYMENT_COMPLETED => PaymentCompleted(PaymentCompleted),
    wallet::events::PAYMENT_FAILED => PaymentFailed(PaymentFailed),
});
