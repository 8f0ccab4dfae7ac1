//! The SQL of bookings.

use super::model::{Patience, Settled};
use super::{Booking, Status};
use crate::features::offers::Period;
use crate::features::wallet::Quote;
use crate::kernel::clock::DAY;
use crate::kernel::id::{BookingId, JobId, UserId};
use crate::kernel::life::State;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Currency, Money, Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Row, Tx, q, q2};
use crate::platform::work::Unit;

impl FromRow for Booking {
    fn from_row(row: &Row) -> Result<Self> {
        let currency: Currency = row.get("currency")?;
        let part = |column: &str| -> Result<Option<Money>> {
            Ok(row.get::<Option<i64>>(column)?.map(|minor| Money::new(minor, currency)))
        };
        let settled = part("settled_contractor")?.zip(part("settled_platform")?);
        Ok(Booking {
            id: row.get("id")?,
            job: row.get("job_id")?,
            offer: row.get("offer_id")?,
            customer: row.get("customer_id")?,
            contractor: row.get("contractor_id")?,
            conversation: row.get("conversation_id")?,
            quote: Quote {
                budget: row.money("amount")?,
                platform_fee: row.money("platform_fee")?,
                service_fee: row.money("service_fee")?,
            },
            period: Period::stored(row.get("starts_at")?, row.get("ends_at")?),
            status: row.parsed("status", Status::parse)?,
            cancel_reason: row.get("cancel_reason")?,
            settled: settled.map(|(contractor, platform)| Settled { contractor, platform }),
            releases_at: row.get("releases_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// Leaves a new booking for the end of the unit.
pub(super) fn insert(unit: &mut Unit, booking: &Booking) {
    let statement =
        q("insert into bookings (id, job_id, offer_id, customer_id, contractor_id, conversation_id, amount, currency,
            platform_fee, service_fee, status, created_at, updated_at, version, starts_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1, $13, $14)")
        .bind(booking.id)
        .bind(booking.job)
        .bind(booking.offer)
        .bind(booking.customer)
        .bind(booking.contractor)
        .bind(booking.conversation)
        .bind(booking.quote.budget.minor)
        .bind(booking.quote.budget.currency.code())
        .bind(booking.quote.platform_fee.minor)
        .bind(booking.quote.service_fee.minor)
        .bind(booking.status.name())
        .bind(booking.created_at)
        .bind(booking.period.map(|period| period.starts_at))
        .bind(booking.period.map(|period| period.ends_at));
    unit.later(statement);
}

/// Reads a booking and keeps others from changing it until this transaction ends.
pub(super) async fn lock(tx: &mut Tx, id: BookingId) -> Result<Option<Booking>> {
    q2("select * from bookings where id = $1 for update", "select * from bookings where id = $1")
        .bind(id)
        .optional(tx)
        .await
}

/// A step, with whatever the step leaves behind.
pub(super) struct Step<'a> {
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) cancelled_by: Option<&'a str>,
    pub(super) cancel_reason: Option<&'a str>,
    pub(super) settled: Option<Settled>,
    pub(super) releases_at: Option<Timestamp>,
}

impl Step<'_> {
    /// A step that leaves nothing behind.
    pub(super) const fn plain(from: Status, to: Status) -> Self {
        Step { from, to, cancelled_by: None, cancel_reason: None, settled: None, releases_at: None }
    }
}

/// Takes a step, if the booking still stands where the step begins. The instant is kept under the name of the step.
pub(super) async fn step(tx: &mut Tx, id: BookingId, step: Step<'_>, now: Timestamp) -> Result<Option<Booking>> {
    q("update bookings set status = $3, updated_at = $4, version = version + 1,
            started_at = case when $3 = 'IN_PROGRESS' then $4 else started_at end,
            delivered_at = case when $3 = 'DELIVERED' then $4 else delivered_at end,
            ended_at = case when $3 in ('COMPLETED', 'CANCELLED') then $4 else ended_at end,
            cancelled_by = coalesce($5, cancelled_by), cancel_reason = coalesce($6, cancel_reason),
            settled_contractor = $7, settled_platform = $8, releases_at = $9
        where id = $1 and status = $2 returning *")
    .bind(id)
    .bind(step.from.name())
    .bind(step.to.name())
    .bind(now)
    .bind(step.cancelled_by)
    .bind(step.cancel_reason)
    .bind(step.settled.map(|settled| settled.contractor.minor))
    .bind(step.settled.map(|settled| settled.platform.minor))
    .bind(step.releases_at)
    .optional(tx)
    .await
}

/// Notes that the price of a completed booking is released, if that was still to come.
pub(super) async fn release(tx: &mut Tx, id: BookingId, now: Timestamp) -> Result<Option<Booking>> {
    q("update bookings set releases_at = null, updated_at = $2, version = version + 1
        where id = $1 and status = 'COMPLETED' and releases_at is not null returning *")
    .bind(id)
    .bind(now)
    .optional(tx)
    .await
}

/// Gives a booking other terms, where it stands; nothing when it changed since it was read.
pub(super) async fn change(
    tx: &mut Tx,
    found: &Booking,
    (quote, period): (Quote, Option<Period>),
    now: Timestamp,
) -> Result<Option<Booking>> {
    q("update bookings set amount = $3, platform_fee = $4, service_fee = $5, starts_at = $6, ends_at = $7,
            updated_at = $8, version = version + 1
        where id = $1 and version = $2 returning *")
    .bind(found.id)
    .bind(found.version)
    .bind(quote.budget.minor)
    .bind(quote.platform_fee.minor)
    .bind(quote.service_fee.minor)
    .bind(period.map(|period| period.starts_at))
    .bind(period.map(|period| period.ends_at))
    .bind(now)
    .optional(tx)
    .await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[BookingId]) -> Result<Vec<Booking>> {
    q("select * from bookings where id in ({list})").list(ids.iter().copied()).all(on).await
}

/// The booking that each of these jobs has or had last.
pub(super) async fn by_jobs(on: impl Into<On<'_>>, jobs: &[JobId]) -> Result<Vec<Booking>> {
    q("select * from bookings where job_id in ({list}) order by created_at, id")
        .list(jobs.iter().copied())
        .all(on)
        .await
}

pub(super) async fn page_of_user(db: &Db, user: UserId, page: &Page) -> Result<Slice<Booking>> {
    q("select * from bookings where (customer_id = $1 or contractor_id = $1)")
        .bind(user)
        .page(db, page, Order::descending("created_at", "id"))
        .await
}

pub(super) async fn count_of_user(db: &Db, user: UserId) -> Result<i64> {
    q("select count(*) as n from bookings where customer_id = $1 or contractor_id = $1").bind(user).one(db).await
}

/// Bookings whose timer should have acted before `then`, the oldest first, each with its version.
pub(super) async fn overdue(db: &Db, then: Timestamp, patience: Patience) -> Result<Vec<(BookingId, i64)>> {
    let rows = q("select id, version from bookings where status in ('CONFIRMED', 'IN_PROGRESS', 'DELIVERED')
            and (status = 'DELIVERED' and updated_at < $1 or status <> 'DELIVERED' and updated_at < $2
                and coalesce(ends_at, updated_at) < $2)
        order by updated_at limit 100")
    .bind(then.plus(-patience.complete_days * DAY))
    .bind(then.plus(-patience.lapse_days * DAY))
    .fetch(db)
    .await?;
    rows.iter().map(versioned).collect()
}

/// Completed bookings whose price should have been released before `then`, the oldest first, each with its version.
pub(super) async fn unreleased(db: &Db, then: Timestamp) -> Result<Vec<(BookingId, i64)>> {
    let rows = q("select id, version from bookings where releases_at < $1 order by releases_at limit 100")
        .bind(then)
        .fetch(db)
        .await?;
    rows.iter().map(versioned).collect()
}

fn versioned(row: &Row) -> Result<(BookingId, i64)> {
    Ok((row.get("id")?, row.get("version")?))
}

pub(super) async fn active_count(db: &Db) -> Result<i64> {
    q("select count(*) as n from bookings where status in ('CONFIRMED', 'IN_PROGRESS', 'DELIVERED')").one(db).await
}
