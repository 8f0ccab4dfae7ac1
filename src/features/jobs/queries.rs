//! Reads of jobs. OPEN ones are for any signed-in user; others for their customer, staff, and whoever has an offer on
//! them, which `offers` knows and asks here with [`by_ids`].

use super::{Filter, Job, Sort, Status, store};
use crate::kernel::id::{JobId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp, Viewer};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Jobs by id, in no particular order. The caller has a reason to see them.
pub async fn by_ids(platform: &Platform, ids: &[JobId]) -> Result<Vec<Job>> {
    store::by_ids(&platform.db, ids).await
}

/// A job, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: JobId) -> Result<Option<Job>> {
    Ok(store::by_ids(&mut unit.tx, &[id]).await?.into_iter().next())
}

/// Open jobs whose time was over at `then`, a hundred at a time.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<JobId>> {
    store::overdue(&platform.db, then).await
}

/// Whether a job by itself, without regard to offers, is for this viewer.
pub fn is_for(job: &Job, viewer: &Viewer) -> bool {
    job.status == Status::Open || job.customer == viewer.user || viewer.roles.is_staff()
}

/// OPEN jobs.
pub async fn open(platform: &Platform, filter: &Filter, sort: Sort, page: &Page) -> Result<Slice<Job>> {
    store::open_page(&platform.db, filter, sort, page).await
}

/// How many OPEN jobs there are.
pub async fn open_count(platform: &Platform, filter: &Filter) -> Result<i64> {
    store::open_count(&platform.db, filter).await
}

/// A customer's own jobs, newest first.
pub async fn of_customer(platform: &Platform, customer: UserId, page: &Page) -> Result<Slice<Job>> {
    store::page_of_customer(&platform.db, customer, page).await
}

/// How many jobs a customer has.
pub async fn count_of_customer(platform: &Platform, customer: UserId) -> Result<i64> {
    store::count_of_customer(&platform.db, customer).await
}
