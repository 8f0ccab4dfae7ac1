//! Tasks of offers, and of jobs, which end with them.

use crate::features::jobs::commands::Expire as ExpireJob;
use crate::features::offers::commands::{self, Expire};
use crate::features::offers::settling::{self, Tell};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Lets an offer expire whose time is over.
pub(super) async fn expire(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Expire { offer } = task.read()?;
    commands::expire(platform, caller, offer).await
}

/// Tells contractors whose offers were ended with many others.
pub(super) async fn tell(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Tell { offers } = task.read()?;
    settling::tell(platform, caller, task.id, offers).await
}

/// Lets a job expire whose time is over, and its offers with it.
pub(super) async fn expire_job(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let ExpireJob { job } = task.read()?;
    settling::expire_job(platform, caller, job).await
}
