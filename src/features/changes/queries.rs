//! Reads of changes. They are for the two parties of their booking and for staff.

use std::collections::HashMap;

use super::{Change, store};
use crate::kernel::id::{BookingId, ChangeId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Changes by id, in no particular order. The caller shows them to those whom [`Change::is_for`] names.
pub async fn by_ids(platform: &Platform, ids: &[ChangeId]) -> Result<Vec<Change>> {
    store::by_ids(&platform.db, ids).await
}

/// The changes of these bookings that are pending.
pub async fn pending(platform: &Platform, bookings: &[BookingId]) -> Result<Vec<Change>> {
    store::pending(&platform.db, bookings).await
}

/// A change, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: ChangeId) -> Result<Change> {
    let found = store::by_ids(&mut unit.tx, &[id]).await?.pop();
    found.ok_or_else(|| Error::not_found("change"))
}

/// All changes of a booking, newest first. The caller sees the booking.
pub async fn of_booking(platform: &Platform, booking: BookingId, page: &Page) -> Result<Slice<Change>> {
    store::page_of_booking(&platform.db, booking, page).await
}

/// The first changes of several bookings, in one read. The caller sees the bookings.
pub async fn first_of_bookings(
    platform: &Platform,
    bookings: &[BookingId],
    size: i64,
) -> Result<HashMap<BookingId, Slice<Change>>> {
    let read = store::first_of_bookings(&platform.db, bookings, size).await?;
    Ok(Slice::first_of_each(size, read, |change| change.booking))
}

/// How many changes of each of these bookings there are. Bookings without any are missing.
pub async fn count_of_bookings(platform: &Platform, bookings: &[BookingId]) -> Result<Vec<(BookingId, i64)>> {
    store::count_of_bookings(&platform.db, bookings).await
}

/// Pending changes whose time was over at `then`, a hundred at a time.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<ChangeId>> {
    store::overdue(&platform.db, then).await
}
