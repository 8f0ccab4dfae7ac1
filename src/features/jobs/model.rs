//! What a job is, and the life that it leads.

use crate::kernel::id::{JobId, UserId};
use crate::kernel::life::{Available, Life, State, row};
use crate::kernel::{By, Currency, Money, Result, Timestamp, Viewer, text};

/// The mutation that makes a job.
pub const POST: &str = "jobPost";
/// The mutation that gives one up.
pub const CANCEL: &str = "jobCancel";
/// The task that lets one expire.
pub const EXPIRE: &str = "job.expire";

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
}

impl State for Status {
    const ALL: &'static [Status] =
        &[Status::Draft, Status::Open, Status::Assigned, Status::Completed, Status::Cancelled, Status::Expired];

    fn name(self) -> &'static str {
        self.name()
    }
}

/// The life of a job. From the acceptance on, its booking drives it.
pub const LIFE: Life<Status> = Life {
    noun: "job",
    ends: &[Status::Completed, Status::Cancelled, Status::Expired],
    rows: &[
        row(POST, "Post the job", &[], Status::Open, &[By::Customer]),
        row("offerAccept", "Accept an offer", &[Status::Open], Status::Assigned, &[By::Deal]),
        row(CANCEL, "Cancel the job", &[Status::Open], Status::Cancelled, &[By::Customer])
            .barred(&[Status::Assigned], "This job has a booking; cancel that one with bookingCancel."),
        row(EXPIRE, "Expire", &[Status::Open], Status::Expired, &[By::Timer]),
        row("bookingComplete", "Complete its booking", &[Status::Assigned], Status::Completed, &[By::Deal]),
        row("bookingCancel", "Cancel its booking", &[Status::Assigned], Status::Cancelled, &[By::Deal]),
    ],
};

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
    /// Why its customer gave it up, in the customer's words.
    pub cancel_reason: Option<String>,
    /// When it expires by itself, if it is open until then.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Job {
    /// What a viewer may do next with it.
    pub fn available(&self, viewer: &Viewer) -> Vec<Available> {
        let own = (self.customer == viewer.user).then_some(By::Customer);
        let by: Vec<_> = own.into_iter().chain(viewer.staff()).collect();
        LIFE.available(self.status, &by, |name, by| LIFE.step(name, self.status, by))
    }
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

impl Filter {
    /// The currencies that it names.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        let bounds = [self.budget_at_least, self.budget_at_most].map(|bound| bound.map(|money| money.currency));
        [self.currency].into_iter().chain(bounds).flatten()
    }
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
