//! Jobs in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::money::{Money, MoneyInput};
use super::scalars::{CurrencyCode, DateTime};
use crate::features::jobs as feature;

/// A customer's demand for work. OPEN ones are for any signed-in user; others for those concerned.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SignedIn))]
pub struct Job {
    /// The id. Whoever holds the object may read it, so that `node` can ask for it of any kind.
    #[graphql(directive = auth::apply(Access::Public))]
    pub id: ID,
    /// One line.
    pub title: String,
    /// The whole text.
    pub description: String,
    /// What the customer would pay.
    pub budget: Money,
    /// Where it stands.
    pub status: JobStatus,
    /// Why its customer gave it up; null when nothing was said.
    pub cancel_reason: Option<String>,
    /// When it expires by itself, if it is OPEN until then.
    pub expires_at: DateTime,
    /// When it was made.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole job, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Job>,
}

impl From<Arc<feature::Job>> for Job {
    fn from(row: Arc<feature::Job>) -> Self {
        Job {
            id: row.id.into(),
            title: row.title.clone(),
            description: row.description.clone(),
            budget: row.budget.into(),
            status: row.status.into(),
            cancel_reason: row.cancel_reason.clone(),
            expires_at: DateTime(row.expires_at),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of jobs.
    JobConnection, JobEdge, Job, Access::SignedIn
}

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum JobStatus {
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

/// Which open jobs are wanted. Conditions that are absent let everything pass.
#[derive(Default, InputObject)]
pub struct JobFilter {
    /// Only with a budget in this currency.
    pub currency: Option<CurrencyCode>,
    /// Only with at least this budget, in its currency.
    pub budget_at_least: Option<MoneyInput>,
    /// Only with at most this budget, in its currency.
    pub budget_at_most: Option<MoneyInput>,
    /// Only of this customer.
    pub customer_id: Option<ID>,
}

/// In which order jobs are listed.
#[derive(InputObject)]
pub struct JobOrder {
    /// By what.
    pub field: JobOrderField,
    /// In which direction.
    pub direction: OrderDirection,
}

/// What jobs can be ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JobOrderField {
    /// When they were made.
    CreatedAt,
    /// Their budget in minor units.
    Budget,
}

/// In which direction a list goes.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

impl From<&JobOrder> for feature::Sort {
    fn from(order: &JobOrder) -> Self {
        match (order.field, order.direction) {
            (JobOrderField::CreatedAt, OrderDirection::Desc) => feature::Sort::Newest,
            (JobOrderField::CreatedAt, OrderDirection::Asc) => feature::Sort::Oldest,
            (JobOrderField::Budget, OrderDirection::Desc) => feature::Sort::LargestBudget,
            (JobOrderField::Budget, OrderDirection::Asc) => feature::Sort::SmallestBudget,
        }
    }
}

/// What a new job needs.
#[derive(InputObject)]
pub struct JobPostInput {
    /// One line: 1 to 120 characters.
    pub title: String,
    /// The whole text: 1 to 5000 characters.
    pub description: String,
    /// What the customer would pay: above zero.
    pub budget: MoneyInput,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same job again, not a second one.
    /// Without a key each request posts a job.
    pub idempotency_key: Option<String>,
}

/// Which job to give up.
#[derive(InputObject)]
pub struct JobCancelInput {
    /// The job: OPEN, and the viewer's own.
    pub job_id: ID,
    /// Why: up to 1000 characters. Whoever sees the job reads it.
    pub reason: Option<String>,
    /// A key of the client's own, 1 to 255 characters. The same key and input give the same effect again.
    pub idempotency_key: String,
}

/// The cancelled job.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct JobCancelPayload {
    /// The job, as it is now; with CONFLICT as well.
    pub job: Option<Job>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<JobError>,
}
payload!(JobCancelPayload, JobError);

/// The new job.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Customer))]
pub struct JobPostPayload {
    /// The job, open for offers.
    pub job: Option<Job>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<JobError>,
}
payload!(JobPostPayload, JobError);

user_error! {
    /// Why something about a job was refused.
    JobError, JobErrorCode {
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
        /// There is no such job for you.
        NotFound,
        /// The job changed meanwhile, or its state does not allow this.
        Conflict,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

event_object! {
    /// A job was posted.
    JobPosted, Access::SignedIn
}
event_object! {
    /// A job took a step in its life.
    JobStatusChanged, Access::SignedIn
}

event_interface! {
    /// What happens to jobs that concern the viewer.
    JobEvent, Access::SignedIn, {
        /// A job was posted.
        Posted(JobPosted),
        /// A job took a step.
        StatusChanged(JobStatusChanged),
    }
}
