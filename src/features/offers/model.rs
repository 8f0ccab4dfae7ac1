//! What an offer is, and the life that it leads.

use super::{Party, Period};
use crate::features::jobs;
use crate::features::wallet::escrow::Deal;
use crate::features::wallet::outcomes::{self, Decided, Effect};
use crate::features::wallet::{Quote, Rates};
use crate::kernel::id::{JobId, OfferId, TransactionId, UserId};
use crate::kernel::life::{Available, Life, State, row};
use crate::kernel::{By, Code, Error, Money, Result, Timestamp, Viewer, text};

/// The mutation that makes an offer.
pub const SEND: &str = "offerSend";
/// The mutation that accepts one.
pub const ACCEPT: &str = "offerAccept";
/// The mutation that declines one.
pub const DECLINE: &str = "offerDecline";
/// The mutation that takes one back.
pub const WITHDRAW: &str = "offerWithdraw";
/// The mutation that answers one with other terms.
pub const COUNTER: &str = "offerCounter";
/// The task that lets one expire.
pub const EXPIRE: &str = "offer.expire";

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
}

/// Why an offer was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The other side said no.
    Declined,
    /// Another offer for the job was accepted.
    JobAssigned,
    /// The customer gave the job up.
    JobCancelled,
    /// The other side answered with other terms.
    Countered,
}

impl Reason {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Declined => "DECLINED",
            Reason::JobAssigned => "JOB_ASSIGNED",
            Reason::JobCancelled => "JOB_CANCELLED",
            Reason::Countered => "COUNTERED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Reason::Declined, Reason::JobAssigned, Reason::JobCancelled, Reason::Countered];
        all.into_iter().find(|reason| reason.name() == name)
    }

    /// Why an offer is declined by this transition; nothing for those that do not decline.
    pub fn of(transition: &str, to: Status) -> Option<Self> {
        match transition {
            _ if to != Status::Declined => None,
            ACCEPT => Some(Reason::JobAssigned),
            COUNTER => Some(Reason::Countered),
            jobs::model::CANCEL => Some(Reason::JobCancelled),
            _ => Some(Reason::Declined),
        }
    }
}

impl State for Status {
    const ALL: &'static [Status] =
        &[Status::Pending, Status::Accepted, Status::Declined, Status::Withdrawn, Status::Expired];

    fn name(self) -> &'static str {
        self.name()
    }
}

const PENDING: &[Status] = &[Status::Pending];

/// The life of an offer.
pub const LIFE: Life<Status> = Life {
    noun: "offer",
    ends: &[Status::Accepted, Status::Declined, Status::Withdrawn, Status::Expired],
    rows: &[
        row(SEND, "Send the offer", &[], Status::Pending, &[By::Customer, By::Contractor]),
        row(ACCEPT, "Accept", PENDING, Status::Accepted, &[By::Receiver]),
        row(ACCEPT, "Accept another offer", PENDING, Status::Declined, &[By::Rival]),
        row(DECLINE, "Decline", PENDING, Status::Declined, &[By::Receiver]),
        row(COUNTER, "Make a counter-offer", &[], Status::Pending, &[By::Customer, By::Contractor]),
        row(COUNTER, "Make a counter-offer", PENDING, Status::Declined, &[By::Receiver]),
        row(jobs::model::CANCEL, "Cancel the job", PENDING, Status::Declined, &[By::Customer]),
        row(WITHDRAW, "Withdraw", PENDING, Status::Withdrawn, &[By::Maker]),
        row(EXPIRE, "Expire", PENDING, Status::Expired, &[By::Timer]),
        row(jobs::model::EXPIRE, "Expire with its job", PENDING, Status::Expired, &[By::Timer]),
    ],
};

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
    pub made_by: Party,
    /// All amounts, as frozen when it was made.
    pub quote: Quote,
    /// The rates that were frozen.
    pub rates: Rates,
    /// A note to the other side.
    pub message: String,
    /// When the work would take place, if it says so.
    pub period: Option<Period>,
    /// Where it stands.
    pub status: Status,
    /// Why it was declined.
    pub decline_reason: Option<Reason>,
    /// The offer that this one answers.
    pub counter_to: Option<OfferId>,
    /// How many counters led to it.
    pub round: i64,
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
        let (customer, contractor) = (self.customer, self.contractor);
        Deal { offer: self.id, customer, contractor, quote: self.quote, hold: self.hold }
    }

    /// Which party a user is; `NOT_FOUND` for strangers, since offers are sealed.
    pub fn party_of(&self, user: UserId) -> Result<Party> {
        Party::of(user, self.parties()).ok_or_else(|| Error::not_found("offer"))
    }

    /// Both parties.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// How a party stands to it.
    pub fn by(&self, party: Party) -> By {
        if party == self.made_by { By::Maker } else { By::Receiver }
    }

    /// What a viewer may do next with it. All of it has until the offer expires.
    pub fn available(&self, viewer: &Viewer, now: Timestamp) -> Vec<Available> {
        let own = self.party_of(viewer.user).ok().map(|party| self.by(party));
        let by: Vec<_> = own.into_iter().chain(viewer.staff()).collect();
        LIFE.available(self.status, &by, |name, by| self.step(name, by, now))
    }

    /// What a transition does to its money; nothing to tell when a person decides that first.
    pub fn effect(&self, transition: &str, by: By) -> Result<Option<Effect>> {
        let outcome = outcomes::of(transition, Some(self.status.name()), by)?;
        outcome.foreseen(&self.quote, self.hold.is_some(), Decided::Nothing)
    }

    /// Where a transition leads now, or why it is refused. Its time may be over before the task comes that ends it.
    pub fn step(&self, transition: &str, by: By, now: Timestamp) -> Result<Status> {
        let to = LIFE.step(transition, self.status, by)?;
        if (to == Status::Accepted || transition == COUNTER) && self.expires_at <= now {
            return Err(Error::new(Code::OfferExpired, "This offer's time is over; ask for a new one."));
        }
        Ok(to)
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
    /// When the work would take place.
    pub period: Option<Period>,
}

impl NewOffer {
    /// Checks what a person typed. It names no time.
    pub fn new(job: JobId, contractor: Option<UserId>, amount: Money, message: &str) -> Result<Self> {
        Ok(NewOffer {
            job,
            contractor,
            amount: amount.positive().map_err(|error| error.at("amount.amount"))?,
            message: text::optional_paragraphs(message, text::NOTE_MAX).map_err(|error| error.at("message"))?,
            period: None,
        })
    }
}

/// What a counter needs, checked: the terms that are not those of the offer that it answers.
#[derive(Clone, Debug)]
pub struct NewCounter {
    /// The offer that it answers.
    pub offer: OfferId,
    /// The price.
    pub amount: Money,
    /// A note to the other side.
    pub message: String,
    /// When the work would take place: as the answered offer says if absent, and an inner `None` leaves it open.
    pub period: Option<Option<Period>>,
}

impl NewCounter {
    /// Checks what a person typed. It keeps the time.
    pub fn new(offer: OfferId, amount: Money, message: &str) -> Result<Self> {
        Ok(NewCounter {
            offer,
            amount: amount.positive().map_err(|error| error.at("amount.amount"))?,
            message: text::optional_paragraphs(message, text::NOTE_MAX).map_err(|error| error.at("message"))?,
            period: None,
        })
    }
}
