//! Reads of offers. They are sealed: the job's customer sees all of a job, a contractor its own, staff everything.

use std::collections::HashMap;

use super::{Offer, Summary, View, store};
use crate::features::jobs::Job;
use crate::kernel::id::{JobId, OfferId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp, Viewer};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Offers by id, in no particular order. The caller has a reason to see them.
pub async fn by_ids(platform: &Platform, ids: &[OfferId]) -> Result<Vec<Offer>> {
    store::by_ids(&platform.db, ids).await
}

/// Pending offers whose time was over at `then`, a hundred at a time.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<OfferId>> {
    store::overdue(&platform.db, then).await
}

/// Whether a viewer may see an offer.
pub fn is_for(offer: &Offer, viewer: &Viewer) -> bool {
    offer.parties().contains(&viewer.user) || viewer.roles.is_staff()
}

/// An offer, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: OfferId) -> Result<Option<Offer>> {
    Ok(store::by_ids(&mut unit.tx, &[id]).await?.into_iter().next())
}

/// Whose offers on a job a viewer sees: `None` for everybody's.
pub fn scope(job: &Job, viewer: &Viewer) -> Option<UserId> {
    let sees_all = job.customer == viewer.user || viewer.roles.is_staff();
    if sees_all { None } else { Some(viewer.user) }
}

impl View {
    const fn wanted(self) -> store::Wanted {
        store::Wanted { only: self.only, filter: self.filter }
    }
}

/// A page of a job's offers.
pub async fn of_job(platform: &Platform, job: JobId, view: View, page: &Page) -> Result<Slice<Offer>> {
    store::page_of_job(&platform.db, job, view.wanted(), view.sort, page).await
}

/// How many offers of each of these jobs there are. Jobs without any are missing.
pub async fn count_of_jobs(platform: &Platform, jobs: &[JobId], view: View) -> Result<Vec<(JobId, i64)>> {
    store::count_of_jobs(&platform.db, jobs, view.wanted()).await
}

/// The first offers of several jobs, in one read.
pub async fn first_of_jobs(
    platform: &Platform,
    jobs: &[JobId],
    view: View,
    size: i64,
) -> Result<HashMap<JobId, Slice<Offer>>> {
    let read = store::first_of_jobs(&platform.db, jobs, view.wanted(), view.sort, size).await?;
    Ok(Slice::first_of_each(size, read, |offer| offer.job))
}

/// What the pending offers of jobs are about. Jobs without any are missing. For whoever sees all offers of a job.
pub async fn summaries(platform: &Platform, jobs: &[JobId]) -> Result<Vec<Summary>> {
    store::summaries(&platform.db, jobs).await
}

/// The offers that answer these. Whoever sees the one sees the other: both have the same two parties.
pub async fn counters(platform: &Platform, offers: &[OfferId]) -> Result<Vec<Offer>> {
    store::counters(&platform.db, offers).await
}

/// Offers that a user made or got, newest first.
pub async fn of_user(platform: &Platform, user: UserId, page: &Page) -> Result<Slice<Offer>> {
    store::page_of_user(&platform.db, user, page).await
}

/// How many those are.
pub async fn count_of_user(platform: &Platform, user: UserId) -> Result<i64> {
    store::count_of_user(&platform.db, user).await
}

/// Of these jobs, those that a contractor has an offer on, whatever became of it: it goes on seeing them.
pub async fn jobs_with_offer_of(platform: &Platform, contractor: UserId, jobs: &[JobId]) -> Result<Vec<JobId>> {
    store::jobs_with_offer_of(&platform.db, contractor, jobs).await
}

/// How many offers wait for an answer.
pub async fn pending_count(platform: &Platform) -> Result<i64> {
    store::all_pending_count(&platform.db).await
}
