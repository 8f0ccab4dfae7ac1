//! The facts that jobs state.

use super::{Job, Status};
use crate::kernel::Result;
use crate::kernel::id::UserId;
use crate::platform::streams::{Draft, Step};

/// The subscription that shows them.
pub const NOUN: &str = "job";
/// A job was posted.
pub const POSTED: &str = "JobPosted";
/// A job took a step in its life.
pub const STATUS_CHANGED: &str = "JobStatusChanged";

/// A job was posted.
pub fn posted(job: &Job) -> Draft {
    Draft::new(NOUN, POSTED, job.id, job.version).to([job.customer])
}

/// A job took a step; its customer and whoever else it concerns hear of it.
pub fn status_changed(job: &Job, from: Status, others: impl IntoIterator<Item = UserId>) -> Result<Draft> {
    let step = Step::new(from.name(), job.status.name());
    Draft::new(NOUN, STATUS_CHANGED, job.id, job.version).to([job.customer]).to(others).facts(&step)
}
