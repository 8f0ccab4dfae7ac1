//! Everything at once: the viewer's own stream and what is told to everyone.

use async_graphql::{Context, Subscription};

use super::ask::Ask;
use super::live::{Filter, Live, durable, live_events};
use crate::features::{
    announcements, bookings, changes, chat, disputes, earnings, jobs, notifications, offers, profiles, reviews, wallet,
};
use crate::platform::streams::StreamName;
use crate::schema::announcements::AnnouncementAdded;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::{BookingCancelled, BookingCreated, BookingReleased, BookingStatusChanged};
use crate::schema::changes::{BookingChangeProposed, BookingChangeStatusChanged};
use crate::schema::chat::{ConversationStaffJoined, MessageCreated, MessagesDelivered, MessagesRead};
use crate::schema::disputes::{
    DisputeEvidenceAdded, DisputeOpened, DisputeProposalAccepted, DisputeProposed, DisputeStatusChanged,
};
use crate::schema::earnings::EarningCreated;
use crate::schema::jobs::{JobPosted, JobStatusChanged};
use crate::schema::notifications::{NotificationDismissed, NotificationRead, NotificationReceived, NotificationsRead};
use crate::schema::offers::{OfferSent, OfferStatusChanged};
use crate::schema::profiles::ProfileChanged;
use crate::schema::reviews::{ReviewHidden, ReviewPosted, ReviewPublished, ReviewReplied, ReviewUnhidden};
use crate::schema::stream::StreamEvent;
use crate::schema::wallet::{PaymentCompleted, PaymentFailed, WalletCredited, WalletDebited};

/// Subscriptions to everything.
#[derive(Default)]
pub struct StreamSubscription;

/// Hearing of everything.
#[Subscription]
impl StreamSubscription {
    /// Everything that happens to the viewer, and what is told to everyone, in one subscription.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn event_appended(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Live<StreamEvent>> {
        durable(ctx, after, async || {
            let viewer = ctx.viewer()?;
            Ok((vec![StreamName::user(viewer.user), StreamName::announcements()], Filter::default()))
        })
        .await
    }
}

live_events!(StreamEvent {
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
