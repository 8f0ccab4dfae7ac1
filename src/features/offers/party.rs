//! The two parties of a booking.

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

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Party::Customer, Party::Contractor].into_iter().find(|party| party.name() == name)
    }
}
