//! Every object that has an id of its own, behind one interface: caches refetch by it.
//!
//! To add one: a member here, and a line in `resolvers/node.rs`.

use async_graphql::{ID, Interface};

use super::accounts::User;
use super::alerts::AdminAlert;
use super::announcements::Announcement;
use super::auth::{Access, auth};
use super::bookings::Booking;
use super::changes::BookingChange;
use super::chat::{Conversation, Message};
use super::disputes::Dispute;
use super::earnings::Earning;
use super::jobs::Job;
use super::notifications::Notification;
use super::offers::Offer;
use super::reviews::Review;
use super::uploads::File;
use super::wallet::Payment;

/// An object with an id that is unique over all kinds of objects.
#[derive(Interface)]
#[graphql(
    crate = "crate::schema::object",
    directive = auth::apply(Access::Public),
    field(name = "id", ty = "&ID", desc = "The id. It names its kind: `user_..`, `conversation_..`.")
)]
pub enum Node {
    /// A person.
    User(User),
    /// Two people talking.
    Conversation(Conversation),
    /// Something that one of them wrote.
    Message(Message),
    /// A customer's demand for work.
    Job(Job),
    /// A price for a job.
    Offer(Offer),
    /// A contract.
    Booking(Booking),
    /// New terms for a booking, proposed by one of its parties.
    BookingChange(BookingChange),
    /// A disagreement about a booking.
    Dispute(Dispute),
    /// Money on its way in.
    Payment(Payment),
    /// What a contractor made with one booking.
    Earning(Earning),
    /// What one party of a booking says of the other.
    Review(Review),
    /// Something that the viewer is told.
    Notification(Notification),
    /// Something told to everyone.
    Announcement(Announcement),
    /// An upload that was checked.
    File(File),
    /// Something that staff must hear of.
    AdminAlert(AdminAlert),
}
