//! What an offer is, and the life that it leads.

use crate::features::wallet::escrow::Deal;
use crate::features::wallet::{Quote, Rates};
use crate::kernel::id::{JobId, OfferId, TransactionId, UserId};
use crate::kernel::{Error, Money, Result, Role, Timestamp, text};

/// Who made an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The job's customer.
    Customer,
    /// The contractor.
    Contractor,
}

impl Side {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Customer => "CUSTOMER",
            Side::Contractor => "CONTRACTOR",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Side::Customer, Side::Contractor].into_iter().find(|side| side.name() == name)
    }

    /// The role that this side acts in.
    pub const fn role(self) -> Role {
        match self {
            Side::Customer => Role::Customer,
            Side::Contractor => Role::Contractor,
        }
    }

    /// The other side.
    pub const fn other(self) -> Side {
        match self {
            Side::Customer => Side::Contractor,
            Side::Contractor => Side::Customer,
        }
    }
}

/// Where an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
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

impl Status {
    /// All states.
    pub const ALL: [Status; 5] =
        [Status::Pending, Status::Accepted, Status::Declined, Status::Withdrawn, Status::Expired];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Accepted => "ACCEPTED",
            Status::Declined => "DECLINED",
            Status::Withdrawn => "WITHDRAWN",
            Status::Expired => "EXPIRED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A price for a job.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The job.
    pub job: JobId,
    /// The job's customer.
    pub customer: UserId,
    /// Who would do the work.
    pub contractor: UserId,
    /// Who made it.
    pub made_by: Side,
    /// All amounts, as frozen when it was made.
    pub quote: Quote,
    /// The rates that were frozen.
    pub rates: Rates,
    /// A note to the other side.
    pub message: String,
    /// Where it stands.
    pub status: Status,
    /// What holds the customer's money for it.
    pub hold: Option<TransactionId>,
    /// When it expires by itself.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Offer {
    /// The deal that it would make.
    pub const fn deal(&self) -> Deal {
        Deal { offer: self.id, customer: self.customer, contractor: self.contractor, quote: self.quote }
    }

    /// Which side a user is on; `NOT_FOUND` for strangers, since offers are sealed.
    pub fn side_of(&self, user: UserId) -> Result<Side> {
        match user {
            user if user == self.customer => Ok(Side::Customer),
            user if user == self.contractor => Ok(Side::Contractor),
            _ => Err(Error::not_found("offer")),
        }
    }

    /// Both sides.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// Refuses an offer that is not pending any more.
    pub fn must_be_pending(&self) -> Result<()> {
        match self.status {
            Status::Pending => Ok(()),
            other => Err(Error::conflict(format!("This offer is {} already.", other.name()))),
        }
    }
}

/// What a new offer needs, checked.
#[derive(Clone, Debug)]
pub struct NewOffer {
    /// The job.
    pub job: JobId,
    /// The contractor, when the customer makes the offer.
    pub contractor: Option<UserId>,
    /// The price.
    pub amount: Money,
    /// A note to the other side.
    pub message: String,
}

impl NewOffer {
    /// Checks what a person typed.
    pub fn new(job: JobId, contractor: Option<UserId>, amount: Money, message: &str) -> Result<Self> {
        Ok(NewOffer {
            job,
            contractor,
            amount: amount.positive().map_err(|error| error.at("amount.amount"))?,
            message: text::optional_paragraphs(message, text::NOTE_MAX).map_err(|error| error.at("message"))?,
        })
    }
}
