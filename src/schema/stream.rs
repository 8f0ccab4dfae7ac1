//! Everything at once: one interface over all durable events.
//!
//! To add an event: a member here and a line in `resolvers/stream.rs`.

use async_graphql::{ComplexObject, SimpleObject};

use super::alerts::{AdminAlertDismissed, AdminAlertRaised};
use super::announcements::AnnouncementAdded;
use super::auth::{Access, auth};
use super::bookings::{BookingCancelled, BookingCreated, BookingReleased, BookingStatusChanged};
use super::changes::{BookingChangeProposed, BookingChangeStatusChanged};
use super::chat::{ConversationStaffJoined, MessageCreated, MessagesDelivered, MessagesRead};
use super::connection::PageInfo;
use super::disputes::{
    DisputeEvidenceAdded, DisputeOpened, DisputeProposalAccepted, DisputeProposed, DisputeStatusChanged,
};
use super::earnings::EarningCreated;
use super::jobs::{JobPosted, JobStatusChanged};
use super::live::event_interface;
use super::notifications::{NotificationDismissed, NotificationRead, NotificationReceived, NotificationsRead};
use super::offers::{OfferSent, OfferStatusChanged};
use super::profiles::ProfileChanged;
use super::reviews::{ReviewHidden, ReviewPosted, ReviewPublished, ReviewReplied, ReviewUnhidden};
use super::wallet::{PaymentCompleted, PaymentFailed, WalletCredited, WalletDebited};

event_interface! {
    /// Anything that happens to the viewer, and what is told to everyone; to staff also what staff must hear of.
    StreamEvent, Access::SignedIn, {
        /// Staff must hear of something.
        AdminAlertRaised(AdminAlertRaised),
        /// An alert is off the list.
        AdminAlertDismissed(AdminAlertDismissed),
        /// Something was announced.
        AnnouncementAdded(AnnouncementAdded),
        /// A booking was made.
        BookingCreated(BookingCreated),
        /// A booking took a step.
        BookingStatusChanged(BookingStatusChanged),
        /// A booking was given up.
        BookingCancelled(BookingCancelled),
        /// The price of a completed booking was released, which had been put off.
        BookingReleased(BookingReleased),
        /// A change of a booking was proposed.
        BookingChangeProposed(BookingChangeProposed),
        /// A proposed change of a booking ended.
        BookingChangeStatusChanged(BookingChangeStatusChanged),
        /// Somebody wrote a message.
        MessageCreated(MessageCreated),
        /// Messages have arrived.
        MessagesDelivered(MessagesDelivered),
        /// Messages were read.
        MessagesRead(MessagesRead),
        /// Staff read along because of a dispute.
        ConversationStaffJoined(ConversationStaffJoined),
        /// A dispute was opened.
        DisputeOpened(DisputeOpened),
        /// Somebody made a proposal.
        DisputeProposed(DisputeProposed),
        /// One party agrees to what staff propose.
        DisputeProposalAccepted(DisputeProposalAccepted),
        /// A party of a dispute added files.
        DisputeEvidenceAdded(DisputeEvidenceAdded),
        /// A dispute went to staff, or it ended.
        DisputeStatusChanged(DisputeStatusChanged),
        /// Something was earned.
        EarningCreated(EarningCreated),
        /// A job was posted.
        JobPosted(JobPosted),
        /// A job took a step.
        JobStatusChanged(JobStatusChanged),
        /// A notification came.
        NotificationReceived(NotificationReceived),
        /// A notification was read.
        NotificationRead(NotificationRead),
        /// All notifications were read.
        NotificationsRead(NotificationsRead),
        /// A notification was dismissed.
        NotificationDismissed(NotificationDismissed),
        /// An offer was made.
        OfferSent(OfferSent),
        /// An offer took a step.
        OfferStatusChanged(OfferStatusChanged),
        /// A review was posted.
        ReviewPosted(ReviewPosted),
        /// A review became visible.
        ReviewPublished(ReviewPublished),
        /// A reviewed user replied.
        ReviewReplied(ReviewReplied),
        /// Staff took a review out of sight.
        ReviewHidden(ReviewHidden),
        /// Staff put a review back.
        ReviewUnhidden(ReviewUnhidden),
        /// The viewer's own profile changed.
        ProfileChanged(ProfileChanged),
        /// More may be spent.
        WalletCredited(WalletCredited),
        /// Less may be spent.
        WalletDebited(WalletDebited),
        /// A deposit has arrived.
        PaymentCompleted(PaymentCompleted),
        /// A deposit will not arrive.
        PaymentFailed(PaymentFailed),
    }
}

/// A page of the viewer's events, for clients that come and ask: the same items as `eventAppended`, in the same order.
#[derive(SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SignedIn))]
pub struct StreamEventConnection {
    /// The items of this page. Where a cursor was given, the first one says whether it is good: `StreamResumed`, or
    /// `StreamGap` without anything behind it. It counts beside `first`.
    pub edges: Vec<StreamEventEdge>,
    /// Whether there is more, and from where to read on: its `endCursor` is never null.
    pub page_info: PageInfo,
    /// How many events lie behind the cursor that was given, those of this page too.
    pub total_count: i32,
}

/// An item, and where to read on behind it.
#[derive(SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct StreamEventEdge {
    /// Where to read on from, for `after`.
    pub cursor: String,
    /// The item.
    pub node: StreamEvent,
}

#[ComplexObject]
impl StreamEventConnection {
    /// The items of this page alone.
    async fn nodes(&self) -> Vec<&StreamEvent> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
}
