//! Offers in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, MaybeUndefined, SimpleObject};

use super::auth::{Access, auth};
use super::bookings::Booking;
use super::chat::Conversation;
use super::connection::connection;
use super::error::{payload, user_error};
use super::jobs::OrderDirection;
use super::live::{event_interface, event_object};
use super::money::{Money, MoneyInput};
use super::period::{Period, PeriodInput};
use super::scalars::DateTime;
use crate::features::offers as feature;

/// A price for a job, by either side. Sealed: the job's customer, the offer's contractor and staff see it.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Offer {
    /// The id.
    pub id: ID,
    /// Who made it.
    pub made_by: OfferSide,
    /// The price.
    pub amount: Money,
    /// A note to the other side. May be empty.
    pub message: String,
    /// When the work would take place; null when that is left open.
    pub period: Option<Period>,
    /// Where it stands.
    pub status: OfferStatus,
    /// Why it was declined; null unless it is DECLINED.
    pub decline_reason: Option<OfferDeclineReason>,
    /// When it expires by itself: never later than its job, or than a day after the work would begin.
    pub expires_at: DateTime,
    /// When it was made.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole offer, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Offer>,
}

impl From<Arc<feature::Offer>> for Offer {
    fn from(row: Arc<feature::Offer>) -> Self {
        Offer {
            id: row.id.into(),
            made_by: row.made_by.into(),
            amount: row.quote.budget.into(),
            message: row.message.clone(),
            period: row.period.map(Into::into),
            status: row.status.into(),
            decline_reason: row.decline_reason.map(Into::into),
            expires_at: DateTime(row.expires_at),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of offers.
    OfferConnection, OfferEdge, Offer, Access::Party
}

/// Who made an offer.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Party")]
pub enum OfferSide {
    /// The job's customer.
    Customer,
    /// The contractor.
    Contractor,
}

/// Where an offer stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum OfferStatus {
    /// Waits for the other side.
    Pending,
    /// Became a booking.
    Accepted,
    /// The other side said no, or the job went to somebody else.
    Declined,
    /// Whoever made it took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
}

/// Why an offer was declined.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Reason")]
pub enum OfferDeclineReason {
    /// The other side said no.
    Declined,
    /// Another offer for the job was accepted.
    JobAssigned,
    /// The customer gave the job up.
    JobCancelled,
    /// The other side answered with other terms; see `counteredBy`.
    Countered,
}

/// Which offers of a job are wanted. Conditions that are absent let everything pass.
#[derive(Default, InputObject)]
pub struct OfferFilter {
    /// Only those that stand here.
    pub status: Option<OfferStatus>,
    /// Only those that this side made.
    pub made_by: Option<OfferSide>,
}

impl From<OfferFilter> for feature::Filter {
    fn from(filter: OfferFilter) -> Self {
        feature::Filter { status: filter.status.map(Into::into), made_by: filter.made_by.map(Into::into) }
    }
}

/// In which order offers are listed.
#[derive(InputObject)]
pub struct OfferOrder {
    /// By what.
    pub field: OfferOrderField,
    /// In which direction.
    pub direction: OrderDirection,
}

/// What offers can be ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OfferOrderField {
    /// Their price.
    Amount,
    /// When they were made.
    CreatedAt,
    /// When they expire.
    ExpiresAt,
}

impl From<OfferOrder> for feature::Sort {
    fn from(order: OfferOrder) -> Self {
        let key = match order.field {
            OfferOrderField::Amount => feature::SortKey::Price,
            OfferOrderField::CreatedAt => feature::SortKey::Made,
            OfferOrderField::ExpiresAt => feature::SortKey::End,
        };
        feature::Sort { key, ascending: order.direction == OrderDirection::Asc }
    }
}

/// What the pending offers of a job are about, to compare them at a glance.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferSummary {
    /// How many are PENDING.
    pub pending_count: i32,
    /// The lowest price; null without pending offers.
    pub lowest: Option<Money>,
    /// The highest price; null without pending offers.
    pub highest: Option<Money>,
    /// The price in the middle, between two their mean, half a minor unit rounded up; null without pending offers.
    pub median: Option<Money>,
}

impl From<Option<&feature::Summary>> for OfferSummary {
    fn from(summary: Option<&feature::Summary>) -> Self {
        let prices = summary.and_then(|summary| summary.prices);
        let pending = summary.map_or(0, |summary| summary.pending);
        OfferSummary {
            pending_count: i32::try_from(pending).unwrap_or(i32::MAX),
            lowest: prices.map(|prices| prices.lowest.into()),
            highest: prices.map(|prices| prices.highest.into()),
            median: prices.map(|prices| prices.median.into()),
        }
    }
}

/// What a new offer needs.
#[derive(InputObject)]
pub struct OfferSendInput {
    /// The job: OPEN.
    pub job_id: ID,
    /// The contractor, when the job's customer makes the offer. A contractor leaves it out.
    pub contractor_id: Option<ID>,
    /// The price, in the currency of the job.
    pub amount: MoneyInput,
    /// A note to the other side: up to 1000 characters.
    #[graphql(default)]
    pub message: String,
    /// When the work would take place; left open when it is absent.
    pub period: Option<PeriodInput>,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same offer again, not a second one.
    pub idempotency_key: String,
}

/// Which offer to accept.
#[derive(InputObject)]
pub struct OfferAcceptInput {
    /// The offer: PENDING, and made by the other side.
    pub offer_id: ID,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same booking again.
    pub idempotency_key: String,
}

/// What a counter needs.
#[derive(InputObject)]
pub struct OfferCounterInput {
    /// The offer that it answers: PENDING, and made by the other side.
    pub offer_id: ID,
    /// The new price, in the currency of the job.
    pub amount: MoneyInput,
    /// A note to the other side: up to 1000 characters.
    #[graphql(default)]
    pub message: String,
    /// When the work would take place. Absent: as the answered offer says. Null: left open.
    pub period: MaybeUndefined<PeriodInput>,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same offer again, not a second one.
    pub idempotency_key: String,
}

/// Which offer to decline.
#[derive(InputObject)]
pub struct OfferDeclineInput {
    /// The offer: PENDING, and made by the other side.
    pub offer_id: ID,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same effect again, rather than a
    /// conflict.
    pub idempotency_key: Option<String>,
}

/// Which offer to take back.
#[derive(InputObject)]
pub struct OfferWithdrawInput {
    /// The offer: PENDING, and made by the viewer.
    pub offer_id: ID,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same effect again, rather than a
    /// conflict.
    pub idempotency_key: Option<String>,
}

/// The new offer.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferSendPayload {
    /// The offer.
    pub offer: Option<Offer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<OfferError>,
}
payload!(OfferSendPayload, OfferError);

/// The offer that answers.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferCounterPayload {
    /// The new offer; with CONFLICT the one that was to be answered, as it is now.
    pub offer: Option<Offer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<OfferError>,
}
payload!(OfferCounterPayload, OfferError);

/// What accepting made.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferAcceptPayload {
    /// The offer, as it is now; with CONFLICT as well.
    pub offer: Option<Offer>,
    /// The new booking.
    pub booking: Option<Booking>,
    /// Where the two talk from now on.
    pub conversation: Option<Conversation>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<OfferError>,
}
payload!(OfferAcceptPayload, OfferError);

/// The declined offer.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferDeclinePayload {
    /// The offer, as it is now; with CONFLICT as well.
    pub offer: Option<Offer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<OfferError>,
}
payload!(OfferDeclinePayload, OfferError);

/// The offer that was taken back.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct OfferWithdrawPayload {
    /// The offer, as it is now; with CONFLICT as well.
    pub offer: Option<Offer>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<OfferError>,
}
payload!(OfferWithdrawPayload, OfferError);

user_error! {
    /// Why something about an offer was refused.
    OfferError, OfferErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// The amount is zero or negative.
        AmountNotPositive,
        /// The amount has more digits than its currency.
        ExcessDigits,
        /// The amount is beyond what one operation may move.
        AmountTooLarge,
        /// The currency is not the one of the job.
        CurrencyMismatch,
        /// The work would end before it has begun.
        PeriodReversed,
        /// The work would begin in the past.
        PeriodPast,
        /// The work would end later than anything may be agreed for.
        PeriodTooFar,
        /// The customer's available balance does not cover price and fee.
        InsufficientFunds,
        /// There is no such job, offer or contractor for you.
        NotFound,
        /// The offer or the job changed meanwhile, or its state does not allow this.
        Conflict,
        /// The offer is past its `expiresAt`.
        OfferExpired,
        /// An offer of this kind is pending already.
        OfferExists,
        /// The job has as many pending offers as it may have.
        TooManyOffers,
        /// The two have countered each other as often as they may.
        TooManyCounters,
        /// Nobody makes or takes an offer on an own job.
        OwnJob,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

event_object! {
    /// An offer was made.
    OfferSent, Access::Party
}
event_object! {
    /// An offer took a step in its life.
    OfferStatusChanged, Access::Party
}

event_interface! {
    /// What happens to offers that the viewer made or got.
    OfferEvent, Access::SignedIn, {
        /// An offer was made.
        Sent(OfferSent),
        /// An offer took a step.
        StatusChanged(OfferStatusChanged),
    }
}
