//! The SQL of jobs.

use super::{Filter, Job, Sort, Status};
use crate::kernel::id::{JobId, UserId};
use crate::kernel::life::State;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Query, Row, Tx, q, q2};

impl FromRow for Job {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Job {
            id: row.get("id")?,
            customer: row.get("customer_id")?,
            title: row.get("title")?,
            description: row.get("description")?,
            budget: row.money("budget")?,
            status: row.parsed("status", Status::parse)?,
            cancel_reason: row.get("cancel_reason")?,
            expires_at: row.get("expires_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, job: &Job) -> Result<()> {
    q("insert into jobs (id, customer_id, title, description, budget, currency, status, created_at, updated_at, version,
            expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, $9)")
    .bind(job.id)
    .bind(job.customer)
    .bind(job.title.as_str())
    .bind(job.description.as_str())
    .bind(job.budget.minor)
    .bind(job.budget.currency.code())
    .bind(job.status.name())
    .bind(job.created_at)
    .bind(job.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[JobId]) -> Result<Vec<Job>> {
    q("select * from jobs where id in ({list})").list(ids.iter().copied()).all(on).await
}

/// Reads a job and keeps others from changing it until this transaction ends.
pub(super) async fn lock(tx: &mut Tx, id: JobId) -> Result<Option<Job>> {
    q2("select * from jobs where id = $1 for update", "select * from jobs where id = $1").bind(id).optional(tx).await
}

/// A step, and why it was taken when a person says so.
pub(super) struct Step<'a> {
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) cancel_reason: Option<&'a str>,
}

/// Takes a step, if the job still stands where the step begins.
pub(super) async fn step(tx: &mut Tx, id: JobId, step: Step<'_>, now: Timestamp) -> Result<Option<Job>> {
    q("update jobs set status = $3, updated_at = $4, version = version + 1, cancel_reason = coalesce($5, cancel_reason)
        where id = $1 and status = $2 returning *")
    .bind(id)
    .bind(step.from.name())
    .bind(step.to.name())
    .bind(now)
    .bind(step.cancel_reason)
    .optional(tx)
    .await
}

/// Open jobs whose time was over at `then`.
pub(super) async fn overdue(db: &Db, then: Timestamp) -> Result<Vec<JobId>> {
    let rows = q("select id from jobs where status = 'OPEN' and expires_at < $1 order by expires_at limit 100")
        .bind(then)
        .fetch(db)
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// The conditions of a filter.
fn open(filter: &Filter, sql: &'static str) -> Query {
    let bound = |money: Option<crate::kernel::Money>| money.map(|money| money.minor.into());
    let currency = filter.currencies().next();
    q(sql).conditions([
        ("currency =", currency.map(|currency| currency.code().into())),
        ("budget >=", bound(filter.budget_at_least)),
        ("budget <=", bound(filter.budget_at_most)),
        ("customer_id =", filter.customer.map(Into::into)),
    ])
}

pub(super) async fn open_page(db: &Db, filter: &Filter, sort: Sort, page: &Page) -> Result<Slice<Job>> {
    let order = match sort {
        Sort::Newest => Order::descending("created_at", "id"),
        Sort::Oldest => Order::ascending("created_at", "id"),
        Sort::LargestBudget => Order::descending("budget", "id"),
        Sort::SmallestBudget => Order::ascending("budget", "id"),
    };
    open(filter, "select * from jobs where status = 'OPEN'{conditions}").page(db, page, order).await
}

pub(super) async fn open_count(db: &Db, filter: &Filter) -> Result<i64> {
    open(filter, "select count(*) as n from jobs where status = 'OPEN'{conditions}").one(db).await
}

pub(super) async fn page_of_customer(db: &Db, customer: UserId, page: &Page) -> Result<Slice<Job>> {
    q("select * from jobs where customer_id = $1")
        .bind(customer)
        .page(db, page, Order::descending("created_at", "id"))
        .await
}

pub(super) async fn count_of_customer(db: &Db, customer: UserId) -> Result<i64> {
    q("select count(*) as n from jobs where customer_id = $1").bind(customer).one(db).await
}
