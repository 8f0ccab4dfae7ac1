//! Tasks of offers.

use crate::features::offers::commands::{self, Expire, Tell};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Lets an offer expire whose time is over.
pub(super) async fn expire(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Expire { offer } = task.read()?;
    commands::expire(platform, caller, offer).await
}

/// Tells contractors whose offers were declined with many others.
pub(super) async fn tell(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Tell { offers } = task.read()?;
    commands::tell(platform, caller, task.id, offers).await
}
