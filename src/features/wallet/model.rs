//! What purses, transfers and payments are.

use uuid::Uuid;

use crate::kernel::id::{OfferId, PaymentId, PurseId, TransferId, TypedId, UserId};
use crate::kernel::{Currency, Money, Timestamp};

/// What kind of account a purse is. The database keeps AVAILABLE and ESCROW from ever being negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A user's money to spend.
    Available,
    /// The money of one deal.
    Escrow,
    /// What the platform earned.
    Fees,
    /// The outside world: goes below zero by what came in.
    Gateway,
}

impl Class {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Available => "AVAILABLE",
            Class::Escrow => "ESCROW",
            Class::Fees => "FEES",
            Class::Gateway => "GATEWAY",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Class::Available, Class::Escrow, Class::Fees, Class::Gateway].into_iter().find(|class| class.name() == name)
    }
}

/// Which purse is meant. The name is unique, so that a purse is made once whoever needs it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurseKey {
    /// The unique name.
    pub name: String,
    /// What kind it is.
    pub class: Class,
    /// Whose it is. An escrow belongs to the customer who filled it.
    pub owner: Option<UserId>,
    /// Its currency.
    pub currency: Currency,
}

impl PurseKey {
    /// A user's money to spend.
    pub fn available(user: UserId, currency: Currency) -> Self {
        let name = format!("available:{}:{currency}", user.uuid().simple());
        PurseKey { name, class: Class::Available, owner: Some(user), currency }
    }

    /// The money of the deal that an offer made.
    pub fn escrow(offer: OfferId, customer: UserId, currency: Currency) -> Self {
        let name = format!("escrow:{}", offer.uuid().simple());
        PurseKey { name, class: Class::Escrow, owner: Some(customer), currency }
    }

    /// What the platform earned.
    pub fn fees(currency: Currency) -> Self {
        PurseKey { name: format!("fees:{currency}"), class: Class::Fees, owner: None, currency }
    }

    /// The outside world.
    pub fn gateway(currency: Currency) -> Self {
        PurseKey { name: format!("gateway:{currency}"), class: Class::Gateway, owner: None, currency }
    }
}

/// A purse with its totals.
#[derive(Clone, Debug)]
pub struct Purse {
    /// Its id.
    pub id: PurseId,
    /// Its unique name.
    pub name: String,
    /// What kind it is.
    pub class: Class,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// Its currency.
    pub currency: Currency,
    /// All that ever left it.
    pub debits_posted: i64,
    /// All that ever reached it.
    pub credits_posted: i64,
    /// What is held to leave it.
    pub debits_pending: i64,
    /// In a user's own purse: what lies in the escrows that the user filled.
    pub escrowed: i64,
    /// Grows with each change.
    pub version: i64,
}

impl Purse {
    /// What is in it, held or not.
    pub const fn posted(&self) -> i64 {
        self.credits_posted - self.debits_posted
    }

    /// What may be spent.
    pub const fn available(&self) -> i64 {
        self.posted() - self.debits_pending
    }
}

/// A user's wallet in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub user: UserId,
    /// What may be spent.
    pub available: Money,
    /// What pending offers hold.
    pub held: Money,
    /// What lies in the escrow of the user's bookings.
    pub escrow: Money,
    /// What is on its way to a bank.
    pub pending_payout: Money,
}

impl Balance {
    /// A wallet that nothing ever reached.
    pub const fn empty(user: UserId, currency: Currency) -> Self {
        let nothing = Money::zero(currency);
        Balance { user, available: nothing, held: nothing, escrow: nothing, pending_payout: nothing }
    }

    /// What a user's own purse says of the whole wallet.
    pub const fn of(user: UserId, purse: &Purse) -> Self {
        let currency = purse.currency;
        Balance {
            user,
            available: Money::new(purse.available(), currency),
            held: Money::new(purse.debits_pending, currency),
            escrow: Money::new(purse.escrowed, currency),
            pending_payout: Money::zero(currency),
        }
    }
}

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Money came in.
    Deposit,
    /// The price of a deal, into its escrow.
    Escrow,
    /// The platform's fee on top.
    PlatformFee,
    /// The platform's fee inside.
    ServiceFee,
    /// The contractor's part.
    Release,
    /// The price of a deal, back to the customer.
    Refund,
    /// The platform's fee, back to the customer.
    FeeRefund,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 7] = [
        Kind::Deposit,
        Kind::Escrow,
        Kind::PlatformFee,
        Kind::ServiceFee,
        Kind::Release,
        Kind::Refund,
        Kind::FeeRefund,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Deposit => "DEPOSIT",
            Kind::Escrow => "ESCROW",
            Kind::PlatformFee => "PLATFORM_FEE",
            Kind::ServiceFee => "SERVICE_FEE",
            Kind::Release => "RELEASE",
            Kind::Refund => "REFUND",
            Kind::FeeRefund => "FEE_REFUND",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a transfer stands. Rows never change: a resolution is a row of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Moved at once.
    Single,
    /// Held.
    Pending,
    /// Moves what was held.
    Posted,
    /// Frees what was held.
    Voided,
    /// Frees what was held, since its time was over.
    Expired,
}

impl Phase {
    /// All phases.
    pub const ALL: [Phase; 5] = [Phase::Single, Phase::Pending, Phase::Posted, Phase::Voided, Phase::Expired];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Single => "SINGLE",
            Phase::Pending => "PENDING",
            Phase::Posted => "POSTED",
            Phase::Voided => "VOIDED",
            Phase::Expired => "EXPIRED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// What a transfer was made for: an offer, a booking, a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The kind of object, as its ids begin.
    pub kind: &'static str,
    /// The object.
    pub id: Uuid,
}

impl Cause {
    /// This object.
    pub fn of<T: TypedId>(id: T) -> Self {
        Cause { kind: T::PREFIX, id: id.uuid() }
    }
}

/// One line of a user's history: a transfer, seen from the user's purse.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The transfer's id.
    pub id: TransferId,
    /// What it is for.
    pub kind: Kind,
    /// Where it stands.
    pub phase: Phase,
    /// How much: below zero when it leaves.
    pub amount: Money,
    /// The kind of object that caused it.
    pub cause_kind: String,
    /// The object that caused it.
    pub cause_id: Uuid,
    /// When.
    pub created_at: Timestamp,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The provider has it.
    Pending,
    /// The money is in the wallet.
    Completed,
    /// It will not come.
    Failed,
}

impl PaymentStatus {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            PaymentStatus::Pending => "PENDING",
            PaymentStatus::Completed => "COMPLETED",
            PaymentStatus::Failed => "FAILED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [PaymentStatus::Pending, PaymentStatus::Completed, PaymentStatus::Failed]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// Money on its way in.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Its id, and the provider's idempotency key.
    pub id: PaymentId,
    /// Whose wallet it is for.
    pub user: UserId,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub status: PaymentStatus,
    /// Who collects it.
    pub provider: String,
    /// Where the user confirms, while the provider waits for that.
    pub next_url: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}
