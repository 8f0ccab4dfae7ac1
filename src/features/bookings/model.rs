//! What a booking is, and the life that it leads.

use crate::features::wallet::Quote;
use crate::features::wallet::escrow::Deal;
use crate::kernel::id::{BookingId, ConversationId, JobId, OfferId, UserId};
use crate::kernel::{Error, Result, Role, Timestamp, Viewer};

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
    /// All states.
    pub const ALL: [Status; 7] = [
        Status::Requested,
        Status::Confirmed,
        Status::InProgress,
        Status::Delivered,
        Status::Completed,
        Status::Cancelled,
        Status::Disputed,
    ];

    /// The steps that a booking may take, and no others.
    pub const LIFE: [(Status, Status); 12] = [
        (Status::Requested, Status::Confirmed),
        (Status::Requested, Status::Cancelled),
        (Status::Confirmed, Status::InProgress),
        (Status::Confirmed, Status::Cancelled),
        (Status::Confirmed, Status::Disputed),
        (Status::InProgress, Status::Delivered),
        (Status::InProgress, Status::Cancelled),
        (Status::InProgress, Status::Disputed),
        (Status::Delivered, Status::Completed),
        (Status::Delivered, Status::Disputed),
        (Status::Disputed, Status::Completed),
        (Status::Disputed, Status::Cancelled),
    ];

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
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the price of a booking in this state lies in its escrow.
    pub const fn keeps_escrow(self) -> bool {
        matches!(self, Status::Confirmed | Status::InProgress | Status::Delivered | Status::Disputed)
    }

    /// Refuses a step that is not part of the life.
    pub fn step(self, to: Status) -> Result<Status> {
        if Self::LIFE.contains(&(self, to)) {
            return Ok(to);
        }
        Err(Error::conflict(format!("A booking that is {} cannot become {}.", self.name(), to.name())))
    }
}

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
        Deal { offer: self.offer, customer: self.customer, contractor: self.contractor, quote: self.quote }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_ends_lead_nowhere() {
        for status in Status::ALL {
            let reached = status == Status::Requested || Status::LIFE.iter().any(|(_, to)| *to == status);
            assert!(reached, "{} is never reached", status.name());
        }
        for end in [Status::Completed, Status::Cancelled] {
            assert!(Status::ALL.into_iter().all(|to| end.step(to).is_err()));
        }
        assert!(Status::Confirmed.step(Status::Delivered).is_err());
    }
}
