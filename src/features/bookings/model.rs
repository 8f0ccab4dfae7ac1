//! What a booking is, and the life that it leads.

use crate::features::offers;
use crate::features::wallet::Quote;
use crate::features::wallet::escrow::Deal;
use crate::features::wallet::outcomes::{self, Effect};
use crate::kernel::id::{BookingId, ConversationId, JobId, OfferId, UserId};
use crate::kernel::life::{Available, Barred, Life, State, Transition};
use crate::kernel::{By, Error, Result, Role, Timestamp, Viewer};

/// The mutation that makes a booking of an offer.
pub const ACCEPT: &str = offers::model::ACCEPT;
/// The mutation by which the contractor begins.
pub const START: &str = "bookingStart";
/// The mutation by which the contractor is done.
pub const DELIVER: &str = "bookingDeliver";
/// The mutation by which the customer is content.
pub const COMPLETE: &str = "bookingComplete";
/// The mutation that gives a booking up.
pub const CANCEL: &str = "bookingCancel";

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Asked for from a listing, not confirmed yet.
    Requested,
    /// Agreed and paid into escrow.
    Confirmed,
    /// The contractor is at work.
    InProgress,
    /// The contractor is done and the customer looks.
    Delivered,
    /// The customer is content and the money released.
    Completed,
    /// Given up.
    Cancelled,
    /// The two disagree and staff decide.
    Disputed,
}

impl Status {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Requested => "REQUESTED",
            Status::Confirmed => "CONFIRMED",
            Status::InProgress => "IN_PROGRESS",
            Status::Delivered => "DELIVERED",
            Status::Completed => "COMPLETED",
            Status::Cancelled => "CANCELLED",
            Status::Disputed => "DISPUTED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.name() == name)
    }
}

impl State for Status {
    const ALL: &'static [Status] = &[
        Status::Requested,
        Status::Confirmed,
        Status::InProgress,
        Status::Delivered,
        Status::Completed,
        Status::Cancelled,
        Status::Disputed,
    ];

    fn name(self) -> &'static str {
        self.name()
    }
}

/// The life of a booking.
pub const LIFE: Life<Status> = Life {
    noun: "booking",
    ends: &[Status::Completed, Status::Cancelled],
    rows: &[
        Transition {
            name: ACCEPT,
            label: "Accept an offer",
            from: &[],
            to: Status::Confirmed,
            by: &[By::Deal],
            barred: Barred::NONE,
        },
        Transition {
            name: START,
            label: "Start the work",
            from: &[Status::Confirmed],
            to: Status::InProgress,
            by: &[By::Contractor],
            barred: Barred::NONE,
        },
        Transition {
            name: DELIVER,
            label: "Deliver the work",
            from: &[Status::InProgress],
            to: Status::Delivered,
            by: &[By::Contractor],
            barred: Barred::NONE,
        },
        Transition {
            name: COMPLETE,
            label: "Complete and pay",
            from: &[Status::Delivered],
            to: Status::Completed,
            by: &[By::Customer],
            barred: Barred {
                from: &[Status::Confirmed, Status::InProgress],
                because: "The work is not delivered yet; wait for the contractor.",
            },
        },
        Transition {
            name: CANCEL,
            label: "Cancel the booking",
            from: &[Status::Confirmed],
            to: Status::Cancelled,
            by: &[By::Customer, By::Contractor],
            barred: Barred {
                from: &[Status::InProgress, Status::Delivered],
                because: "Work has begun: this booking can only be cancelled by agreement, by staff or in a dispute.",
            },
        },
    ],
};

/// Which of the two somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// Pays.
    Customer,
    /// Works.
    Contractor,
}

impl Party {
    /// The role that this party acts in.
    pub const fn role(self) -> Role {
        match self {
            Party::Customer => Role::Customer,
            Party::Contractor => Role::Contractor,
        }
    }

    /// How it stands to the booking.
    pub const fn by(self) -> By {
        match self {
            Party::Customer => By::Customer,
            Party::Contractor => By::Contractor,
        }
    }

    /// The stored name.
    pub const fn name(self) -> &'static str {
        self.role().name()
    }
}

/// The contract.
#[derive(Clone, Debug)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// The job that it does.
    pub job: Option<JobId>,
    /// The offer that made it.
    pub offer: OfferId,
    /// Who pays.
    pub customer: UserId,
    /// Who works.
    pub contractor: UserId,
    /// Where the two talk.
    pub conversation: ConversationId,
    /// All amounts, as frozen on the offer.
    pub quote: Quote,
    /// Where it stands.
    pub status: Status,
    /// Why it was given up.
    pub cancel_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Booking {
    /// The deal behind it.
    pub const fn deal(&self) -> Deal {
        let (customer, contractor) = (self.customer, self.contractor);
        Deal { offer: self.offer, customer, contractor, quote: self.quote, hold: None }
    }

    /// What a viewer may do next with it.
    pub fn available(&self, viewer: &Viewer) -> Vec<Available> {
        let own = self.party_of(viewer.user).ok().map(Party::by);
        let by: Vec<_> = own.into_iter().chain(viewer.staff()).collect();
        LIFE.available(self.status, &by, |name, by| self.step(name, by))
    }

    /// What a transition does to its money; nothing to tell when a person decides that first.
    pub fn effect(&self, transition: &str, by: By) -> Result<Option<Effect>> {
        outcomes::of(transition, Some(self.status.name()), by)?.foreseen(&self.quote, false)
    }

    /// Where a transition leads, or why it is refused.
    pub fn step(&self, transition: &str, by: By) -> Result<Status> {
        LIFE.step(transition, self.status, by)
    }

    /// Both parties.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// Which party a user is; `NOT_FOUND` for strangers.
    pub fn party_of(&self, user: UserId) -> Result<Party> {
        match user {
            user if user == self.customer => Ok(Party::Customer),
            user if user == self.contractor => Ok(Party::Contractor),
            _ => Err(Error::not_found("booking")),
        }
    }

    /// The party across the table.
    pub const fn other(&self, party: Party) -> UserId {
        match party {
            Party::Customer => self.contractor,
            Party::Contractor => self.customer,
        }
    }

    /// Whether a viewer may see it.
    pub fn is_for(&self, viewer: &Viewer) -> bool {
        self.parties().contains(&viewer.user) || viewer.roles.is_staff()
    }

    /// Whether its money still lies in escrow.
    pub const fn is_funded(&self) -> bool {
        !matches!(self.status, Status::Requested | Status::Completed | Status::Cancelled)
    }
}
