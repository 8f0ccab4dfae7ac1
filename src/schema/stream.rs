//! Everything at once: one interface over all durable events.
//!
//! To add an event: a member here and a line in `resolvers/stream.rs`.

use super::announcements::AnnouncementAdded;
use super::auth::Access;
use super::bookings::{BookingCancelled, BookingCreated, BookingStatusChanged};
use super::chat::{MessageCreated, MessagesDelivered, MessagesRead};
use super::earnings::EarningCreated;
use super::jobs::{JobPosted, JobStatusChanged};
use super::live::event_interface;
use super::offers::{OfferSent, OfferStatusChanged};
use super::reviews::{ReviewHidden, ReviewPosted, ReviewPublished, ReviewReplied, ReviewUnhidden};
use super::wallet::{PaymentCompleted, PaymentFailed, WalletCredited, WalletDebited};

event_interface! {
    /// Anything that happens to the viewer, and what is told to everyone.
    StreamEvent, Access::SignedIn, {
        /// Something was announced.
        AnnouncementAdded(AnnouncementAdded),
        /// A booking was made.
        BookingCreated(BookingCreated),
        /// A booking took a step.
        BookingStatusChanged(BookingStatusChanged),
        /// A booking was given up.
        BookingCancelled(BookingCancelled),
        /// Somebody wrote a message.
        MessageCreated(MessageCreated),
        /// Messages have arrived.
        MessagesDelivered(MessagesDelivered),
        /// Messages were read.
        MessagesRead(MessagesRead),
        /// Something was earned.
        EarningCreated(EarningCreated),
        /// A job was posted.
        JobPosted(JobPosted),
        /// A job took a step.
        JobStatusChanged(JobStatusChanged),
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
