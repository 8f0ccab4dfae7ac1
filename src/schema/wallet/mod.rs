//! Wallets and payments in the API.

mod history;

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

pub use history::*;

use super::auth::{Access, auth};
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::money::{Money, MoneyInput};
use super::scalars::{CurrencyCode, DateTime, Url};
use crate::features::wallet::{self as feature, model};
use crate::kernel;
use crate::platform::payments::Failure;

/// A user's money in one currency.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct Wallet {
    /// The currency.
    pub currency: CurrencyCode,
    /// What may be spent.
    pub available: Money,
    /// What pending offers hold.
    pub held: Money,
    /// What lies in the escrow of the user's bookings.
    pub escrow: Money,
    /// What is on its way to a bank.
    pub pending_payout: Money,
    /// Whose it is.
    #[graphql(skip)]
    pub owner: kernel::id::UserId,
}

impl From<feature::Balance> for Wallet {
    fn from(balance: feature::Balance) -> Self {
        Wallet {
            currency: CurrencyCode(balance.available.currency),
            available: balance.available.into(),
            held: balance.held.into(),
            escrow: balance.escrow.into(),
            pending_payout: balance.pending_payout.into(),
            owner: balance.user,
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Kind")]
pub enum TransactionKind {
    /// Money came in.
    Deposit,
    /// The price of a deal, into its escrow.
    Escrow,
    /// The platform's fee on top of the price.
    PlatformFee,
    /// The platform's fee inside the price.
    ServiceFee,
    /// The contractor's part of a finished deal.
    Release,
    /// The price of a deal, back to the customer.
    Refund,
    /// The platform's fee, back to the customer.
    FeeRefund,
}

/// Whether a transaction moved, held or freed money.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Phase")]
pub enum TransactionPhase {
    /// Moved at once.
    Single,
    /// Held.
    Pending,
    /// Moved what was held.
    Posted,
    /// Freed what was held.
    Voided,
    /// Freed what was held, since its time was over.
    Expired,
}

/// Money on its way into a wallet.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct Payment {
    /// The id.
    pub id: ID,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub status: PaymentStatus,
    /// What the user does next, such as confirming at the provider. Null when nothing is left to do.
    pub next_step: Option<PaymentStep>,
    /// When it was started.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
}

impl From<Arc<feature::Payment>> for Payment {
    fn from(row: Arc<feature::Payment>) -> Self {
        Payment {
            id: row.id.into(),
            amount: row.amount.into(),
            status: row.status.into(),
            next_step: row.next_url.clone().map(|url| PaymentStep { redirect_url: Url(url) }),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
        }
    }
}

/// What the user does next for a payment.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct PaymentStep {
    /// The provider's page, to be opened in the browser.
    pub redirect_url: Url,
}

/// How far a payment is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::PaymentStatus")]
pub enum PaymentStatus {
    /// The provider has it.
    Pending,
    /// The money is in the wallet.
    Completed,
    /// It will not come.
    Failed,
}

/// What a deposit needs.
#[derive(InputObject)]
pub struct DepositCreateInput {
    /// How much: above zero.
    pub amount: MoneyInput,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same deposit again, not a second
    /// one.
    pub idempotency_key: String,
}

/// The deposit and the wallet it went to.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct DepositCreatePayload {
    /// The payment.
    pub payment: Option<Payment>,
    /// The wallet, as it is now.
    pub wallet: Option<Wallet>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<WalletError>,
}
payload!(DepositCreatePayload, WalletError);

user_error! {
    /// Why something about money was refused.
    WalletError, WalletErrorCode {
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
        /// The currency is not the one of this wallet.
        CurrencyMismatch,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

/// Why a payment failed.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Failure")]
pub enum PaymentFailureCode {
    /// The card or the bank said no.
    Declined,
    /// Nobody confirmed it in time.
    Expired,
    /// The user gave up on the provider's page.
    Cancelled,
    /// The provider broke.
    ProviderError,
}

event_object! {
    /// More may be spent than before.
    WalletCredited, Access::SelfOnly
}
event_object! {
    /// Less may be spent than before, or what was held or lay in escrow is gone.
    WalletDebited, Access::SelfOnly
}
event_object! {
    /// A deposit has arrived.
    PaymentCompleted, Access::SelfOnly
}
event_object! {
    /// A deposit will not arrive.
    PaymentFailed, Access::SelfOnly
}

event_interface! {
    /// What happens to the viewer's money. Each event carries the whole wallet as it was right then.
    WalletEvent, Access::SignedIn, {
        /// More may be spent.
        Credited(WalletCredited),
        /// Less may be spent.
        Debited(WalletDebited),
        /// A deposit has arrived.
        Completed(PaymentCompleted),
        /// A deposit will not arrive.
        Failed(PaymentFailed),
    }
}
