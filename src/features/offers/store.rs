//! The SQL of offers.

use super::{Filter, Offer, Party, Period, Prices, Reason, Sort, SortKey, Status, Summary};
use crate::features::accounts::may_deal;
use crate::features::wallet::{Quote, Rates};
use crate::kernel::id::{JobId, OfferId, UserId};
use crate::kernel::life::State;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Role, Roles, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Query, Row, Tx, q};

impl FromRow for Offer {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Offer {
            id: row.get("id")?,
            job: row.get("job_id")?,
            customer: row.get("customer_id")?,
            contractor: row.get("contractor_id")?,
            made_by: row.parsed("made_by", Party::parse)?,
            quote: Quote {
                budget: row.money("amount")?,
                platform_fee: row.money("platform_fee")?,
                service_fee: row.money("service_fee")?,
            },
            rates: Rates { platform_bps: row.get("platform_bps")?, service_bps: row.get("service_bps")? },
            message: row.get("message")?,
            period: Period::stored(row.get("starts_at")?, row.get("ends_at")?),
            status: row.parsed("status", Status::parse)?,
            decline_reason: match row.get::<Option<String>>("decline_reason")? {
                Some(_) => Some(row.parsed("decline_reason", Reason::parse)?),
                None => None,
            },
            counter_to: row.get("counter_to")?,
            round: row.get("round")?,
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
            version, counter_to, round, starts_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, 1, $17, $18, $19, $20)
        on conflict do nothing")
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
    .bind(offer.counter_to)
    .bind(offer.round)
    .bind(offer.period.map(|period| period.starts_at))
    .bind(offer.period.map(|period| period.ends_at))
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

/// An offer, and whether whoever deals with the viewer in it still has its role there and is not kept out.
pub(super) async fn to_answer(
    tx: &mut Tx,
    id: OfferId,
    viewer: UserId,
    now: Timestamp,
) -> Result<Option<(Offer, bool)>> {
    let role = |role| Roles::of(&[role]).0;
    let rows = q(concat!(
        "select offers.*, ",
        may_deal!(
            user: "case when customer_id = $2 then contractor_id else customer_id end",
            roles: "case when customer_id = $2 then $3 else $4 end",
            now: "$5"
        ),
        " as deals from offers where id = $1"
    ))
    .bind(id)
    .bind(viewer)
    .bind(role(Role::Contractor))
    .bind(role(Role::Customer))
    .bind(now)
    .fetch(tx)
    .await?;
    rows.first().map(|row| Ok((Offer::from_row(row)?, row.get("deals")?))).transpose()
}

/// A step, and why an offer is declined by it.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) reason: Option<Reason>,
}

/// Takes a step, if the offer still stands where the step begins.
pub(super) async fn step(tx: &mut Tx, id: OfferId, step: Step, now: Timestamp) -> Result<Option<Offer>> {
    q("update offers set status = $3, updated_at = $4, version = version + 1, decline_reason = $5
        where id = $1 and status = $2 returning *")
    .bind(id)
    .bind(step.from.name())
    .bind(step.to.name())
    .bind(now)
    .bind(step.reason.map(Reason::name))
    .optional(tx)
    .await
}

/// Takes a step with all offers of a job that stand where it begins.
pub(super) async fn step_all(tx: &mut Tx, job: JobId, step: Step, now: Timestamp) -> Result<Vec<Offer>> {
    q("update offers set status = $3, updated_at = $4, version = version + 1, decline_reason = $5
        where job_id = $1 and status = $2 returning *")
    .bind(job)
    .bind(step.from.name())
    .bind(step.to.name())
    .bind(now)
    .bind(step.reason.map(Reason::name))
    .all(tx)
    .await
}

/// One offer of a job wins, the others lose.
pub(super) struct Decision {
    pub(super) winner: OfferId,
    pub(super) from: Status,
    pub(super) won: Status,
    pub(super) lost: Status,
    pub(super) reason: Option<Reason>,
}

/// Decides all offers of a job that stand where the decision begins, in one statement.
pub(super) async fn decide(tx: &mut Tx, job: JobId, decision: Decision, now: Timestamp) -> Result<Vec<Offer>> {
    q("update offers set status = case when id = $2 then $4 else $5 end,
            decline_reason = case when id = $2 then null else $7 end,
            updated_at = $6, version = version + 1
        where job_id = $1 and status = $3 returning *")
    .bind(job)
    .bind(decision.winner)
    .bind(decision.from.name())
    .bind(decision.won.name())
    .bind(decision.lost.name())
    .bind(now)
    .bind(decision.reason.map(Reason::name))
    .all(tx)
    .await
}

/// Which offers of a job: a scope (everybody's, or only one contractor's) and a filter.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) only: Option<UserId>,
    pub(super) filter: Filter,
}

impl Wanted {
    /// Adds the conditions.
    fn among(self, query: Query) -> Query {
        query.conditions([
            ("contractor_id =", self.only.map(Into::into)),
            ("status =", self.filter.status.map(|status| status.name().into())),
            ("made_by =", self.filter.made_by.map(|side| side.name().into())),
        ])
    }
}

fn order(sort: Sort) -> Order {
    let key = match sort.key {
        SortKey::Made => "created_at",
        SortKey::Price => "amount",
        SortKey::End => "expires_at",
    };
    if sort.ascending { Order::ascending(key, "id") } else { Order::descending(key, "id") }
}

pub(super) async fn page_of_job(db: &Db, job: JobId, wanted: Wanted, sort: Sort, page: &Page) -> Result<Slice<Offer>> {
    let all = q("select * from offers where job_id = $1{conditions}").bind(job);
    wanted.among(all).page(db, page, order(sort)).await
}

pub(super) async fn count_of_jobs(db: &Db, jobs: &[JobId], wanted: Wanted) -> Result<Vec<(JobId, i64)>> {
    let count = q("select job_id, count(*) as n from offers where job_id in ({list}){conditions} group by job_id");
    wanted.among(count.list(jobs.iter().copied())).counts(db, "job_id").await
}

/// The first offers of each of several jobs, in one read with a place for each order.
macro_rules! first {
    ($order:literal) => {
        concat!(
            "select * from (
                select o.*, row_number() over (partition by job_id order by ",
            $order,
            ") as place
                from offers o where job_id in ({list}){conditions}
            ) as numbered where place <= $1 order by job_id, place"
        )
    };
}

/// The first offers of each of several jobs, and one more to know whether there are more.
pub(super) async fn first_of_jobs(
    db: &Db,
    jobs: &[JobId],
    wanted: Wanted,
    sort: Sort,
    size: i64,
) -> Result<Vec<Offer>> {
    let sql = match (sort.key, sort.ascending) {
        (SortKey::Made, false) => first!("created_at desc, id desc"),
        (SortKey::Made, true) => first!("created_at, id"),
        (SortKey::Price, false) => first!("amount desc, id desc"),
        (SortKey::Price, true) => first!("amount, id"),
        (SortKey::End, false) => first!("expires_at desc, id desc"),
        (SortKey::End, true) => first!("expires_at, id"),
    };
    wanted.among(q(sql).bind(size + 1).list(jobs.iter().copied())).all(db).await
}

impl FromRow for Summary {
    fn from_row(row: &Row) -> Result<Self> {
        let prices = Prices::of(row.money("lowest")?, row.money("highest")?, row.get("lower")?, row.get("upper")?);
        Ok(Summary { job: row.get("job_id")?, pending: row.get("pending")?, prices: Some(prices) })
    }
}

/// What the pending offers of jobs are about. Jobs without any are missing.
pub(super) async fn summaries(db: &Db, jobs: &[JobId]) -> Result<Vec<Summary>> {
    q("select job_id, currency, max(pending) as pending, min(amount) as lowest, max(amount) as highest,
            max(case when place = (pending + 1) / 2 then amount end) as lower,
            max(case when place = (pending + 2) / 2 then amount end) as upper
        from (
            select job_id, currency, amount, row_number() over (partition by job_id order by amount, id) as place,
                count(*) over (partition by job_id) as pending
            from offers where status = 'PENDING' and job_id in ({list})
        ) as numbered group by job_id, currency")
    .list(jobs.iter().copied())
    .all(db)
    .await
}

/// The offers that answer these.
pub(super) async fn counters(db: &Db, offers: &[OfferId]) -> Result<Vec<Offer>> {
    q("select * from offers where counter_to in ({list})").list(offers.iter().copied()).all(db).await
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

pub(super) async fn all_pending_count(db: &Db) -> Result<i64> {
    q("select count(*) as n from offers where status = 'PENDING'").one(db).await
}
