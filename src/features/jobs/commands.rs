//! Posting, and the hands that offers and bookings have here.

use super::model::POST;
use super::{Job, LIFE, NewJob, Status, events, store};
use crate::kernel::id::{JobId, UserId};
use crate::kernel::{By, Caller, Error, Result, Role, Viewer};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Posts a job: contractors may offer from now on.
pub async fn post(platform: &Platform, caller: &Caller, input: NewJob) -> Result<JobId> {
    let viewer = caller.viewer()?;
    viewer.must_be(Role::Customer)?;
    platform
        .work
        .run(caller, (viewer, input), |unit, (viewer, input)| {
            Box::pin(async move {
                unit.act_as(Role::Customer);
                let job = Job {
                    id: unit.ids.new_id(),
                    customer: viewer.user,
                    title: input.title.clone(),
                    description: input.description.clone(),
                    budget: input.budget,
                    status: LIFE.born(POST, By::Customer)?,
                    created_at: unit.now,
                    updated_at: unit.now,
                    version: 1,
                };
                store::insert(&mut unit.tx, &job).await?;
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

/// Goes along with what happened to the job's offer or booking, if the job still stands at `from`.
async fn follow(unit: &mut Unit, id: JobId, transition: &str, from: Status, contractor: UserId) -> Result<Option<Job>> {
    let to = LIFE.step(transition, from, By::Deal)?;
    let job = store::step(&mut unit.tx, id, from, to, unit.now).await?;
    if let Some(job) = &job {
        unit.state(events::status_changed(job, from, [contractor])?);
    }
    Ok(job)
}
