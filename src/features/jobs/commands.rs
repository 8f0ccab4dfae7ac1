//! Posting, and the hands that offers and bookings have here.

use super::{Job, NewJob, Status, events, store};
use crate::kernel::id::{JobId, UserId};
use crate::kernel::{Caller, Error, Result, Role, Viewer};
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
                    status: Status::Open,
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
pub async fn assign(unit: &mut Unit, id: JobId, contractor: UserId) -> Result<Job> {
    let (from, to) = (Status::Open, Status::Open.step(Status::Assigned)?);
    let taken = || Error::conflict("This job is not open any more; another offer may have been accepted.");
    let job = store::step(&mut unit.tx, id, from, to, unit.now).await?.ok_or_else(taken)?;
    unit.state(events::status_changed(&job, from, [contractor])?);
    Ok(job)
}

/// The booking of a job ended it.
pub async fn finish(unit: &mut Unit, id: JobId, to: Status, contractor: UserId) -> Result<Job> {
    let from = Status::Assigned;
    let to = from.step(to)?;
    let gone = || Error::internal("a booking without its assigned job");
    let job = store::step(&mut unit.tx, id, from, to, unit.now).await?.ok_or_else(gone)?;
    unit.state(events::status_changed(&job, from, [contractor])?);
    Ok(job)
}
