//! Changes of bookings in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::bookings::Booking;
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::event_object;
use super::money::{Money, MoneyInput};
use super::period::{Period, PeriodInput};
use super::scalars::DateTime;
use crate::features::{changes as feature, offers};

/// Other terms for a booking, proposed by one of its parties. They hold once the other party agrees.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct BookingChange {
    /// The id.
    pub id: ID,
    /// Who proposes.
    pub made_by: BookingParty,
    /// The price that would be agreed; the same as `previousAmount` when only the time is to change.
    pub amount: Money,
    /// The price that was agreed when it was proposed.
    pub previous_amount: Money,
    /// When the work would take place; the same as `previousPeriod` when only the price is to change.
    pub period: Option<Period>,
    /// When the work was to take place when it was proposed; null when that was left open.
    pub previous_period: Option<Period>,
    /// What the maker says to it. May be empty.
    pub note: String,
    /// Where it stands.
    pub status: BookingChangeStatus,
    /// When it expires by itself.
    pub expires_at: DateTime,
    /// When it was proposed.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole change, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Change>,
}

impl From<Arc<feature::Change>> for BookingChange {
    fn from(row: Arc<feature::Change>) -> Self {
        BookingChange {
            id: row.id.into(),
            made_by: row.maker.into(),
            amount: row.terms.quote.budget.into(),
            previous_amount: row.before.quote.budget.into(),
            period: row.terms.period.map(Into::into),
            previous_period: row.before.period.map(Into::into),
            note: row.note.clone(),
            status: row.status.into(),
            expires_at: DateTime(row.expires_at),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of changes, newest first.
    BookingChangeConnection, BookingChangeEdge, BookingChange, Access::Party
}

/// Which party of a booking somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "offers::Party")]
pub enum BookingParty {
    /// Pays.
    Customer,
    /// Works.
    Contractor,
}

/// Where a change stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum BookingChangeStatus {
    /// Waits for the other party.
    Pending,
    /// The booking has these terms from then on.
    Accepted,
    /// The other party said no, or staff did.
    Declined,
    /// Whoever made it took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
    /// Another change was proposed in its place.
    Replaced,
    /// The booking was delivered, cancelled or disputed meanwhile.
    Closed,
}

/// A change to be proposed. What is absent stays as it is; one of price and period is needed.
#[derive(InputObject)]
pub struct BookingChangeProposeInput {
    /// The booking: CONFIRMED or IN_PROGRESS, and the viewer a party of it.
    pub booking_id: ID,
    /// The new price, in the currency of the booking.
    pub amount: Option<MoneyInput>,
    /// When the work shall take place. The start that is agreed may be kept though it is past, and work that is
    /// IN_PROGRESS may have begun at any time since it was booked.
    pub period: Option<PeriodInput>,
    /// A note to the other party: up to 1000 characters.
    #[graphql(default)]
    pub note: String,
    /// Only if the booking has this version: so that nobody proposes from an old page.
    pub expected_version: Option<i32>,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same change again, not a second one.
    pub idempotency_key: String,
}

/// Which change to agree to.
#[derive(InputObject)]
pub struct BookingChangeAcceptInput {
    /// The change: PENDING, and made by the other party.
    pub change_id: ID,
    /// A key of the client's own, 1 to 255 characters. The same key and input agree once.
    pub idempotency_key: String,
}

/// Which change to decline.
#[derive(InputObject)]
pub struct BookingChangeDeclineInput {
    /// The change: PENDING, and made by the other party.
    pub change_id: ID,
    /// Why, 1 to 1000 characters: staff say it, since they act for somebody; it is kept in the audit log. Of the parties
    /// nothing is kept.
    pub reason: Option<String>,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same effect again, rather than a
    /// conflict.
    pub idempotency_key: Option<String>,
}

/// Which change to take back.
#[derive(InputObject)]
pub struct BookingChangeWithdrawInput {
    /// The change: PENDING, and made by the viewer.
    pub change_id: ID,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same effect again, rather than a
    /// conflict.
    pub idempotency_key: Option<String>,
}

macro_rules! change_payload {
    ($(#[$doc:meta])* $payload:ident) => {
        $(#[$doc])*
        #[derive(Default, SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
        pub struct $payload {
            /// The change, as it is now; with CONFLICT as well, if there is one to show.
            pub change: Option<BookingChange>,
            /// Its booking, as it is now; with CONFLICT as well.
            pub booking: Option<Booking>,
            /// Why it was refused. Empty when it was done.
            pub user_errors: Vec<BookingChangeError>,
        }
        payload!($payload, BookingChangeError);
    };
}
change_payload! {
    /// The change that was proposed.
    BookingChangeProposePayload
}
change_payload! {
    /// The change that was agreed to.
    BookingChangeAcceptPayload
}
change_payload! {
    /// The change that was declined.
    BookingChangeDeclinePayload
}
change_payload! {
    /// The change that was taken back.
    BookingChangeWithdrawPayload
}

user_error! {
    /// Why something about a change was refused.
    BookingChangeError, BookingChangeErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such booking or change for you.
        NotFound,
        /// The change or its booking changed meanwhile, or their state does not allow this.
        Conflict,
        /// The amount is zero or negative.
        AmountNotPositive,
        /// The amount has more digits than its currency.
        ExcessDigits,
        /// The amount is beyond what one operation may move.
        AmountTooLarge,
        /// The currency is not the one of the booking.
        CurrencyMismatch,
        /// The work would end before it has begun.
        PeriodReversed,
        /// The work would begin or end in the past.
        PeriodPast,
        /// The work would end later than anything may be agreed for.
        PeriodTooFar,
        /// What is proposed is what is agreed already.
        NothingChanges,
        /// The customer's available balance does not cover the difference of price and fee.
        InsufficientFunds,
        /// The change is past its `expiresAt`.
        ProposalExpired,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

event_object! {
    /// A party proposes other terms for a booking.
    BookingChangeProposed, Access::Party
}
event_object! {
    /// A change ended: the booking has other terms now if it was ACCEPTED.
    BookingChangeStatusChanged, Access::Party
}
