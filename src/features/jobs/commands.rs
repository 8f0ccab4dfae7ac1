//! Posting, and the hands that offers and bookings have here.

use serde::{Deserialize, Serialize};

use super::model::{CANCEL, EXPIRE, POST};
use super::store::Step;
use super::{Job, LIFE, NewJob, Status, events, queries, store};
use crate::kernel::clock::DAY;
use crate::kernel::id::{JobId, UserId};
use crate::kernel::{By, Caller, Error, Result, Role, Viewer};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{Effect, Once, Unit};

/// The payload of [`EXPIRE`].
#[derive(Serialize, Deserialize)]
pub struct Expire {
    /// Which job.
    pub job: JobId,
}

/// Posts a job: contractors may offer from now on. With a key, a repetition gives the first one again.
pub async fn post(platform: &Platform, caller: &Caller, key: Option<Once>, input: NewJob) -> Result<Effect<JobId>> {
    let viewer = caller.viewer()?;
    viewer.must_be(Role::Customer)?;
    let days = platform.config.jobs.expire_after_days;
    let canonical = (input.title.clone(), input.description.clone(), input.budget.minor, input.budget.currency.code());
    platform
        .work
        .once_if(caller, key, canonical, move |unit, _| {
            let input = input.clone();
            Box::pin(async move {
                unit.act_as(Role::Customer);
                let job = Job {
                    id: unit.ids.new_id(),
                    customer: viewer.user,
                    title: input.title,
                    description: input.description,
                    budget: input.budget,
                    status: LIFE.born(POST, By::Customer)?,
                    cancel_reason: None,
                    expires_at: unit.now.plus(days * DAY),
                    created_at: unit.now,
                    updated_at: unit.now,
                    version: 1,
                };
                store::insert(&mut unit.tx, &job).await?;
                unit.enqueue(NewTask::new(EXPIRE, &Expire { job: job.id }, job.expires_at)?);
                unit.state(events::posted(&job));
                Ok(job.id)
            })
        })
        .await
}

/// Reads a job that is to get an offer, and keeps it as it is until the unit ends. A draft is its customer's secret; a job
/// that was open once was seen by everybody, who may hear that it is taken.
pub async fn lock_open(unit: &mut Unit, viewer: &Viewer, id: JobId) -> Result<Job> {
    let job = store::lock(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("job"))?;
    match job.status {
        // Its task may be late.
        Status::Open if job.expires_at <= unit.now => {
            Err(Error::conflict("This job's time is over and it takes no offers."))
        }
        Status::Open => Ok(job),
        Status::Draft if job.customer != viewer.user => Err(Error::not_found("job")),
        other => Err(Error::conflict(format!("This job is {} and takes no offers.", other.name()))),
    }
}

/// An offer was accepted: of two at once, one finds the job taken.
pub async fn assign(unit: &mut Unit, id: JobId, transition: &str, contractor: UserId) -> Result<Job> {
    let taken = || Error::conflict("This job is not open any more; another offer may have been accepted.");
    follow(unit, id, transition, Status::Open, contractor).await?.ok_or_else(taken)
}

/// The booking of a job ended it.
pub async fn finish(unit: &mut Unit, id: JobId, transition: &str, contractor: UserId) -> Result<Job> {
    let gone = || Error::internal("a booking without its assigned job");
    follow(unit, id, transition, Status::Assigned, contractor).await?.ok_or_else(gone)
}

/// Its customer gives a job up that nobody works on. Its offers are the caller's.
pub async fn cancel(unit: &mut Unit, viewer: &Viewer, id: JobId, reason: Option<&str>) -> Result<Job> {
    let found = store::lock(&mut unit.tx, id).await?.ok_or_else(|| Error::not_found("job"))?;
    if found.customer != viewer.user {
        let is_seen = queries::is_for(&found, viewer);
        let own = || Error::forbidden("Only the job's customer cancels it.");
        return Err(if is_seen { own() } else { Error::not_found("job") });
    }
    unit.act_as(Role::Customer);
    end(unit, &found, CANCEL, By::Customer, reason).await
}

/// Lets a job expire whose time is over; nothing when it is not open any more. Its offers are the caller's.
pub async fn expire(unit: &mut Unit, id: JobId) -> Result<Option<Job>> {
    match store::lock(&mut unit.tx, id).await? {
        Some(found) if found.status == Status::Open && found.expires_at > unit.now => Err(Error::early("job")),
        Some(found) if found.status == Status::Open => end(unit, &found, EXPIRE, By::Timer, None).await.map(Some),
        _ => Ok(None),
    }
}

/// Ends a job that is locked.
async fn end(unit: &mut Unit, job: &Job, transition: &str, by: By, cancel_reason: Option<&str>) -> Result<Job> {
    let (from, to) = (job.status, LIFE.step(transition, job.status, by)?);
    let ended = store::step(&mut unit.tx, job.id, Step { from, to, cancel_reason }, unit.now).await?;
    let ended = ended.ok_or_else(|| Error::internal("a locked job that changed"))?;
    unit.state(events::status_changed(&ended, from, [])?);
    Ok(ended)
}

/// Goes along with what happened to the job's offer or booking, if the job still stands at `from`.
async fn follow(unit: &mut Unit, id: JobId, transition: &str, from: Status, contractor: UserId) -> Result<Option<Job>> {
    let to = LIFE.step(transition, from, By::Deal)?;
    let job = store::step(&mut unit.tx, id, Step { from, to, cancel_reason: None }, unit.now).await?;
    if let Some(job) = &job {
        unit.state(events::status_changed(job, from, [contractor])?);
    }
    Ok(job)
}
