//! The two parties of a deal: of an offer, of the booking that it becomes, and of its changes and disputes.

use crate::kernel::id::UserId;
use crate::kernel::{By, Role};

/// Which of the two somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// Pays.
    Customer,
    /// Works.
    Contractor,
}

impl Party {
    /// Which one of these two, the customer and the contractor, a user is.
    pub fn of(user: UserId, [customer, contractor]: [UserId; 2]) -> Option<Self> {
        if user == customer { Some(Party::Customer) } else { (user == contractor).then_some(Party::Contractor) }
    }

    /// The role that this party acts in.
    pub const fn role(self) -> Role {
        match self {
            Party::Customer => Role::Customer,
            Party::Contractor => Role::Contractor,
        }
    }

    /// How it stands to the deal.
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

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Party::Customer, Party::Contractor].into_iter().find(|party| party.name() == name)
    }
}
