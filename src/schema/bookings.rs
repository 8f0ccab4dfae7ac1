//! Bookings in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::changes::{BookingChangeProposed, BookingChangeStatusChanged};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::money::Money;
use super::period::Period;
use super::scalars::DateTime;
use crate::features::bookings as feature;

/// The contract between a customer and a contractor.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Booking {
    /// The id.
    pub id: ID,
    /// The price agreed, now.
    pub amount: Money,
    /// When the work takes place; null when the two left that open.
    pub period: Option<Period>,
    /// Where it stands.
    pub status: BookingStatus,
    /// What of it lies in escrow.
    pub escrow: Money,
    /// When the price goes to the contractor; null unless it is COMPLETED and the price waits in escrow until then.
    pub releases_at: Option<DateTime>,
    /// Why it was given up.
    pub cancel_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole booking, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Booking>,
}

impl From<Arc<feature::Booking>> for Booking {
    fn from(row: Arc<feature::Booking>) -> Self {
        let amount = row.quote.budget;
        let escrow = if row.is_funded() { amount } else { crate::kernel::Money::zero(amount.currency) };
        Booking {
            id: row.id.into(),
            amount: amount.into(),
            period: row.period.map(Into::into),
            status: row.status.into(),
            escrow: escrow.into(),
            releases_at: row.releases_at.map(DateTime),
            cancel_reason: row.cancel_reason.clone(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of bookings, newest first.
    BookingConnection, BookingEdge, Booking, Access::Party
}

/// Where a booking stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum BookingStatus {
    /// Asked for from a listing, not confirmed yet.
    Requested,
    /// Agreed and paid into escrow.
    Confirmed,
    /// The contractor is at work.
    InProgress,
    /// The contractor is done and the customer looks.
    Delivered,
    /// The customer is content, and the money released at once or, if the server puts that off, at `releasesAt`.
    Completed,
    /// Given up.
    Cancelled,
    /// The two disagree and staff decide.
    Disputed,
}

/// Which booking to begin.
#[derive(InputObject)]
pub struct BookingStartInput {
    /// The booking: CONFIRMED.
    pub booking_id: ID,
    /// Why, 1 to 1000 characters: staff say it, since they act for somebody; it is kept in the audit log. Of the parties
    /// nothing is kept.
    pub reason: Option<String>,
}

/// Which booking is done.
#[derive(InputObject)]
pub struct BookingDeliverInput {
    /// The booking: IN_PROGRESS.
    pub booking_id: ID,
    /// Why, 1 to 1000 characters: staff say it, since they act for somebody; it is kept in the audit log. Of the parties
    /// nothing is kept.
    pub reason: Option<String>,
}

/// Which booking to complete.
#[derive(InputObject)]
pub struct BookingCompleteInput {
    /// The booking: DELIVERED.
    pub booking_id: ID,
    /// Why, 1 to 1000 characters: staff say it, since they act for somebody; it is kept in the audit log. Of the parties
    /// nothing is kept.
    pub reason: Option<String>,
    /// A key of the client's own, 1 to 255 characters. The same key and input complete it once.
    pub idempotency_key: String,
}

/// Which booking to give up, and why.
#[derive(InputObject)]
pub struct BookingCancelInput {
    /// The booking: CONFIRMED; for administrators also IN_PROGRESS or DELIVERED.
    pub booking_id: ID,
    /// Why: 1 to 1000 characters, shown to both parties.
    pub reason: String,
    /// A key of the client's own, 1 to 255 characters. The same key and input cancel it once.
    pub idempotency_key: String,
}

macro_rules! booking_payload {
    ($(#[$doc:meta])* $payload:ident) => {
        $(#[$doc])*
        #[derive(Default, SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
        pub struct $payload {
            /// The booking, as it is now; with CONFLICT as well.
            pub booking: Option<Booking>,
            /// Why it was refused. Empty when it was done.
            pub user_errors: Vec<BookingError>,
        }
        payload!($payload, BookingError);
    };
}
booking_payload! {
    /// The booking that began.
    BookingStartPayload
}
booking_payload! {
    /// The booking that was delivered.
    BookingDeliverPayload
}
booking_payload! {
    /// The booking that was completed.
    BookingCompletePayload
}
booking_payload! {
    /// The booking that was given up.
    BookingCancelPayload
}

user_error! {
    /// Why something about a booking was refused.
    BookingError, BookingErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such booking for you.
        NotFound,
        /// The booking changed meanwhile, or its state does not allow this.
        Conflict,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

event_object! {
    /// A booking was made.
    BookingCreated, Access::Party
}
event_object! {
    /// A booking took a step in its life.
    BookingStatusChanged, Access::Party
}
event_object! {
    /// A booking was given up.
    BookingCancelled, Access::Party
}
event_object! {
    /// The price of a completed booking went to the contractor, after it had been put off.
    BookingReleased, Access::Party
}

event_interface! {
    /// What happens to the viewer's bookings.
    BookingEvent, Access::SignedIn, {
        /// A booking was made.
        Created(BookingCreated),
        /// A booking took a step.
        StatusChanged(BookingStatusChanged),
        /// A booking was given up.
        Cancelled(BookingCancelled),
        /// The price that had been put off was released.
        Released(BookingReleased),
        /// A party proposes other terms.
        ChangeProposed(BookingChangeProposed),
        /// Proposed terms were agreed to, or they ended otherwise.
        ChangeStatusChanged(BookingChangeStatusChanged),
    }
}
