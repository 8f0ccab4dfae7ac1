//! What a job is, and the life that it leads.

use crate::kernel::id::{JobId, UserId};
use crate::kernel::{Currency, Error, Money, Result, Timestamp, text};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Only its customer sees it.
    Draft,
    /// Everyone sees it and contractors offer.
    Open,
    /// An offer was accepted; the booking drives it.
    Assigned,
    /// Its booking was completed.
    Completed,
    /// Given up.
    Cancelled,
    /// Nobody was found in time.
    Expired,
}

impl Status {
    /// All states.
    pub const ALL: [Status; 6] =
        [Status::Draft, Status::Open, Status::Assigned, Status::Completed, Status::Cancelled, Status::Expired];

    /// The steps that a job may take, and no others.
    pub const LIFE: [(Status, Status); 7] = [
        (Status::Draft, Status::Open),
        (Status::Draft, Status::Cancelled),
        (Status::Open, Status::Assigned),
        (Status::Open, Status::Cancelled),
        (Status::Open, Status::Expired),
        (Status::Assigned, Status::Completed),
        (Status::Assigned, Status::Cancelled),
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Draft => "DRAFT",
            Status::Open => "OPEN",
            Status::Assigned => "ASSIGNED",
            Status::Completed => "COMPLETED",
            Status::Cancelled => "CANCELLED",
            Status::Expired => "EXPIRED",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Refuses a step that is not part of the life.
    pub fn step(self, to: Status) -> Result<Status> {
        if Self::LIFE.contains(&(self, to)) {
            return Ok(to);
        }
        Err(Error::conflict(format!("A job that is {} cannot become {}.", self.name(), to.name())))
    }
}

/// A customer's demand for work.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub customer: UserId,
    /// One line.
    pub title: String,
    /// The whole text.
    pub description: String,
    /// What the customer would pay.
    pub budget: Money,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// What a new job needs, checked.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// One line.
    pub title: String,
    /// The whole text.
    pub description: String,
    /// What the customer would pay.
    pub budget: Money,
}

impl NewJob {
    /// Checks what a customer typed.
    pub fn new(title: &str, description: &str, budget: Money) -> Result<Self> {
        Ok(NewJob {
            title: text::line(title, text::TITLE_MAX).map_err(|error| error.at("title"))?,
            description: text::paragraphs(description, text::DESCRIPTION_MAX)
                .map_err(|error| error.at("description"))?,
            budget: budget.positive().map_err(|error| error.at("budget.amount"))?,
        })
    }
}

/// Which open jobs are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only with a budget in this currency.
    pub currency: Option<Currency>,
    /// Only with at least this budget, in its currency.
    pub budget_at_least: Option<Money>,
    /// Only with at most this budget, in its currency.
    pub budget_at_most: Option<Money>,
    /// Only of this customer.
    pub customer: Option<UserId>,
}

/// In which order jobs are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// Largest budget first.
    LargestBudget,
    /// Smallest budget first.
    SmallestBudget,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_ends_lead_nowhere() {
        for status in Status::ALL {
            let reached = status == Status::Draft || Status::LIFE.iter().any(|(_, to)| *to == status);
            assert!(reached, "{} is never reached", status.name());
        }
        for end in [Status::Completed, Status::Cancelled, Status::Expired] {
            assert!(Status::ALL.into_iter().all(|to| end.step(to).is_err()));
        }
        assert!(Status::Open.step(Status::Assigned).is_ok());
        assert!(Status::Open.step(Status::Completed).is_err());
    }
}
