//! The SQL of changes.

use super::{Change, Status, Terms};
use crate::features::offers::{Party, Period};
use crate::features::wallet::Quote;
use crate::kernel::id::{BookingId, ChangeId};
use crate::kernel::life::State;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Row, Tx, q};

impl FromRow for Change {
    fn from_row(row: &Row) -> Result<Self> {
        let before = Quote {
            budget: row.money("was_amount")?,
            platform_fee: row.money("was_platform_fee")?,
            service_fee: row.money("was_service_fee")?,
        };
        let quote = Quote {
            budget: row.money("amount")?,
            platform_fee: row.money("platform_fee")?,
            service_fee: row.money("service_fee")?,
        };
        Ok(Change {
            id: row.get("id")?,
            booking: row.get("booking_id")?,
            customer: row.get("customer_id")?,
            contractor: row.get("contractor_id")?,
            maker: row.parsed("maker", Party::parse)?,
            before: Terms { quote: before, period: Period::stored(row.get("was_starts_at")?, row.get("was_ends_at")?) },
            terms: Terms { quote, period: Period::stored(row.get("starts_at")?, row.get("ends_at")?) },
            note: row.get("note")?,
            status: row.parsed("status", Status::parse)?,
            expires_at: row.get("expires_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// Says whether no other change of the booking was pending.
pub(super) async fn insert(tx: &mut Tx, change: &Change) -> Result<bool> {
    let (before, after) = (change.before, change.terms);
    let inserted = q("insert into booking_changes (id, booking_id, customer_id, contractor_id, maker, currency,
            was_amount, was_platform_fee, was_service_fee, was_starts_at, was_ends_at,
            amount, platform_fee, service_fee, starts_at, ends_at,
            note, status, expires_at, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, 1)
        on conflict do nothing")
    .bind(change.id)
    .bind(change.booking)
    .bind(change.customer)
    .bind(change.contractor)
    .bind(change.maker.name())
    .bind(after.quote.budget.currency.code())
    .bind(before.quote.budget.minor)
    .bind(before.quote.platform_fee.minor)
    .bind(before.quote.service_fee.minor)
    .bind(before.period.map(|period| period.starts_at))
    .bind(before.period.map(|period| period.ends_at))
    .bind(after.quote.budget.minor)
    .bind(after.quote.platform_fee.minor)
    .bind(after.quote.service_fee.minor)
    .bind(after.period.map(|period| period.starts_at))
    .bind(after.period.map(|period| period.ends_at))
    .bind(change.note.as_str())
    .bind(change.status.name())
    .bind(change.expires_at)
    .bind(change.created_at)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

/// Ends a pending change; `None` when it has ended already.
pub(super) async fn step(tx: &mut Tx, id: ChangeId, to: Status, now: Timestamp) -> Result<Option<Change>> {
    q("update booking_changes set status = $2, updated_at = $3, version = version + 1
        where id = $1 and status = 'PENDING' returning *")
    .bind(id)
    .bind(to.name())
    .bind(now)
    .optional(tx)
    .await
}

/// Ends the pending change of a booking, if there is one.
pub(super) async fn end(tx: &mut Tx, booking: BookingId, to: Status, now: Timestamp) -> Result<Option<Change>> {
    q("update booking_changes set status = $2, updated_at = $3, version = version + 1
        where booking_id = $1 and status = 'PENDING' returning *")
    .bind(booking)
    .bind(to.name())
    .bind(now)
    .optional(tx)
    .await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[ChangeId]) -> Result<Vec<Change>> {
    q("select * from booking_changes where id in ({list})").list(ids.iter().copied()).all(on).await
}

pub(super) async fn pending(db: &Db, bookings: &[BookingId]) -> Result<Vec<Change>> {
    q("select * from booking_changes where status = 'PENDING' and booking_id in ({list})")
        .list(bookings.iter().copied())
        .all(db)
        .await
}

pub(super) async fn page_of_booking(db: &Db, booking: BookingId, page: &Page) -> Result<Slice<Change>> {
    q("select * from booking_changes where booking_id = $1")
        .bind(booking)
        .page(db, page, Order::descending("created_at", "id"))
        .await
}

/// The first changes of each of several bookings, and one more to know whether there are more.
pub(super) async fn first_of_bookings(db: &Db, bookings: &[BookingId], size: i64) -> Result<Vec<Change>> {
    q("select * from (
            select c.*, row_number() over (partition by booking_id order by created_at desc, id desc) as place
            from booking_changes c where booking_id in ({list})
        ) as numbered where place <= $1 order by booking_id, place")
    .bind(size + 1)
    .list(bookings.iter().copied())
    .all(db)
    .await
}

pub(super) async fn count_of_bookings(db: &Db, bookings: &[BookingId]) -> Result<Vec<(BookingId, i64)>> {
    q("select booking_id, count(*) as n from booking_changes where booking_id in ({list}) group by booking_id")
        .list(bookings.iter().copied())
        .counts(db, "booking_id")
        .await
}

pub(super) async fn overdue(db: &Db, then: Timestamp) -> Result<Vec<ChangeId>> {
    let rows = q("select id from booking_changes where status = 'PENDING' and expires_at < $1
        order by expires_at limit 100")
    .bind(then)
    .fetch(db)
    .await?;
    rows.iter().map(|row| row.get("id")).collect()
}
