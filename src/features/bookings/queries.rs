//! Reads of bookings. They are for their two parties and for staff.

use super::model::Patience;
use super::{Booking, store};
use crate::kernel::id::{BookingId, JobId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Bookings by id, in no particular order. The caller has a reason to see them.
pub async fn by_ids(platform: &Platform, ids: &[BookingId]) -> Result<Vec<Booking>> {
    store::by_ids(&platform.db, ids).await
}

/// The last booking of each of these jobs. The caller shows them to their parties only.
pub async fn by_jobs(platform: &Platform, jobs: &[JobId]) -> Result<Vec<Booking>> {
    store::by_jobs(&platform.db, jobs).await
}

/// A booking, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: BookingId) -> Result<Booking> {
    let found = store::by_ids(&mut unit.tx, &[id]).await?.into_iter().next();
    found.ok_or_else(|| Error::not_found("booking"))
}

/// The last booking of a job, read inside a unit of work.
pub async fn of_job_in_unit(unit: &mut Unit, job: JobId) -> Result<Option<Booking>> {
    Ok(store::by_jobs(&mut unit.tx, &[job]).await?.pop())
}

/// Bookings whose timer should have acted before `then`, a hundred of a kind at a time, each with its version.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<(BookingId, i64)>> {
    let mut found = store::overdue(&platform.db, then, Patience::of(platform)).await?;
    found.extend(store::unreleased(&platform.db, then).await?);
    Ok(found)
}

/// A user's bookings on either side, newest first.
pub async fn of_user(platform: &Platform, user: UserId, page: &Page) -> Result<Slice<Booking>> {
    store::page_of_user(&platform.db, user, page).await
}

/// How many those are.
pub async fn count_of_user(platform: &Platform, user: UserId) -> Result<i64> {
    store::count_of_user(&platform.db, user).await
}

/// How many bookings are on their way: confirmed, in progress or delivered.
pub async fn active_count(platform: &Platform) -> Result<i64> {
    store::active_count(&platform.db).await
}
