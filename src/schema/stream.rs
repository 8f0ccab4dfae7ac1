//! Everything at once: one interface over all durable events.
//!
//! To add an event: a member here and a line in `resolvers/stream.rs`.

use async_graphql::{ID, Interface};

use super::announcements::AnnouncementAdded;
use super::auth::{Access, auth};
use super::bookings::{BookingCancelled, BookingCreated, BookingStatusChanged};
use super::chat::{MessageCreated, MessagesDelivered, MessagesRead};
use super::earnings::EarningCreated;
use super::jobs::{JobPosted, JobStatusChanged};
use super::live::{StreamCheckpoint, StreamGap, StreamResumed};
use super::offers::{OfferSent, OfferStatusChanged};
use super::scalars::DateTime;
use super::wallet::{PaymentCompleted, PaymentFailed, WalletCredited, WalletDebited};

/// Anything that happens to the viewer, and what is told to everyone.
#[derive(Interface)]
#[graphql(
    directive = auth::apply(Access::SignedIn),
    field(name = "id", ty = "&ID", desc = "The event's id: the same after a reconnect."),
    field(name = "cursor", ty = "&Option<String>", desc = "Where to go on from, for `after`."),
    field(name = "occurred_at", ty = "&DateTime", desc = "When it happened.")
)]
pub enum StreamEvent {
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
    /// More may be spent.
    WalletCredited(WalletCredited),
    /// Less may be spent.
    WalletDebited(WalletDebited),
    /// A deposit has arrived.
    PaymentCompleted(PaymentCompleted),
    /// A deposit will not arrive.
    PaymentFailed(PaymentFailed),
    /// The stream goes on.
    Resumed(StreamResumed),
    /// Events are missing.
    Gap(StreamGap),
    /// Nothing for this view lately.
    Checkpoint(StreamCheckpoint),
}
