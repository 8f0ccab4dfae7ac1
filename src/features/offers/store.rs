//! The SQL of offers.

use super::{Offer, Side, Status};
use crate::features::wallet::{Quote, Rates};
use crate::kernel::id::{JobId, OfferId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Row, Tx, q};

impl FromRow for Offer {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Offer {
            id: row.get("id")?,
            job: row.get("job_id")?,
            customer: row.get("customer_id")?,
            contractor: row.get("contractor_id")?,
            made_by: row.parsed("made_by", Side::parse)?,
            quote: Quote {
                budget: row.money("amount")?,
                platform_fee: row.money("platform_fee")?,
                service_fee: row.money("service_fee")?,
            },
            rates: Rates { platform_bps: row.get("platform_bps")?, service_bps: row.get("service_bps")? },
            message: row.get("message")?,
            status: row.parsed("status", Status::parse)?,
            hold: row.get("hold_id")?,
            expires_at: row.get("expires_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// Says whether no offer of this kind was pending.
pub(super) async fn insert(tx: &mut Tx, offer: &Offer) -> Result<bool> {
    let inserted = q("insert into offers (id, job_id, customer_id, contractor_id, made_by, amount, currency, message,
            platform_bps, service_bps, platform_fee, service_fee, status, hold_id, expires_at, created_at, updated_at,
            version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, 1) on conflict do nothing")
    .bind(offer.id)
    .bind(offer.job)
    .bind(offer.customer)
    .bind(offer.contractor)
    .bind(offer.made_by.name())
    .bind(offer.quote.budget.minor)
    .bind(offer.quote.budget.currency.code())
    .bind(offer.message.as_str())
    .bind(offer.rates.platform_bps)
    .bind(offer.rates.service_bps)
    .bind(offer.quote.platform_fee.minor)
    .bind(offer.quote.service_fee.minor)
    .bind(offer.status.name())
    .bind(offer.hold)
    .bind(offer.expires_at)
    .bind(offer.created_at)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

pub(super) async fn pending_count(tx: &mut Tx, job: JobId) -> Result<i64> {
    q("select count(*) as n from offers where job_id = $1 and status = 'PENDING'").bind(job).one(tx).await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[OfferId]) -> Result<Vec<Offer>> {
    q("select * from offers where id in ({list})").list(ids.iter().copied()).all(on).await
}

/// Takes a step, if the offer still stands where the step begins.
pub(super) async fn step(tx: &mut Tx, id: OfferId, from: Status, to: Status, now: Timestamp) -> Result<Option<Offer>> {
    q("update offers set status = $3, updated_at = $4, version = version + 1
        where id = $1 and status = $2 returning *")
    .bind(id)
    .bind(from.name())
    .bind(to.name())
    .bind(now)
    .optional(tx)
    .await
}

/// One offer of a job wins, the others lose.
pub(super) struct Decision {
    pub(super) winner: OfferId,
    pub(super) from: Status,
    pub(super) won: Status,
    pub(super) lost: Status,
}

/// Decides all offers of a job that stand where the decision begins, in one statement.
pub(super) async fn decide(tx: &mut Tx, job: JobId, decision: Decision, now: Timestamp) -> Result<Vec<Offer>> {
    q("update offers set status = case when id = $2 then $4 else $5 end,
            decline_reason = case when id = $2 then null else 'JOB_ASSIGNED' end,
            updated_at = $6, version = version + 1
        where job_id = $1 and status = $3 returning *")
    .bind(job)
    .bind(decision.winner)
    .bind(decision.from.name())
    .bind(decision.won.name())
    .bind(decision.lost.name())
    .bind(now)
    .all(tx)
    .await
}

/// Whom a viewer sees offers of: everybody's, or only its own.
pub(super) async fn page_of_job(db: &Db, job: JobId, only: Option<UserId>, page: &Page) -> Result<Slice<Offer>> {
    q("select * from offers where job_id = $1 and contractor_id = coalesce($2, contractor_id)")
        .bind(job)
        .bind(only)
        .page(db, page, Order::descending("created_at", "id"))
        .await
}

pub(super) async fn count_of_job(db: &Db, job: JobId, only: Option<UserId>) -> Result<i64> {
    q("select count(*) as n from offers where job_id = $1 and contractor_id = coalesce($2, contractor_id)")
        .bind(job)
        .bind(only)
        .one(db)
        .await
}

/// The first offers of each of several jobs, and one more to know whether there are more.
pub(super) async fn first_of_jobs(db: &Db, jobs: &[JobId], only: Option<UserId>, size: i64) -> Result<Vec<Offer>> {
    q("select * from (
            select o.*, row_number() over (partition by job_id order by created_at desc, id desc) as place
            from offers o where contractor_id = coalesce($1, contractor_id) and job_id in ({list})
        ) as numbered where place <= $2 order by job_id, place")
    .bind(only)
    .bind(size + 1)
    .list(jobs.iter().copied())
    .all(db)
    .await
}

pub(super) async fn page_of_user(db: &Db, user: UserId, page: &Page) -> Result<Slice<Offer>> {
    q("select * from offers where (contractor_id = $1 or customer_id = $1)")
        .bind(user)
        .page(db, page, Order::descending("created_at", "id"))
        .await
}

pub(super) async fn count_of_user(db: &Db, user: UserId) -> Result<i64> {
    q("select count(*) as n from offers where contractor_id = $1 or customer_id = $1").bind(user).one(db).await
}

/// Of these jobs, those that a contractor has an offer on.
pub(super) async fn jobs_with_offer_of(
    on: impl Into<On<'_>>,
    contractor: UserId,
    jobs: &[JobId],
) -> Result<Vec<JobId>> {
    let rows = q("select distinct job_id from offers where contractor_id = $1 and job_id in ({list})")
        .bind(contractor)
        .list(jobs.iter().copied())
        .fetch(on)
        .await?;
    rows.iter().map(|row| row.get("job_id")).collect()
}

pub(super) async fn overdue(db: &Db, then: Timestamp) -> Result<Vec<OfferId>> {
    let rows = q("select id from offers where status = 'PENDING' and expires_at < $1 order by expires_at limit 100")
        .bind(then)
        .fetch(db)
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}
