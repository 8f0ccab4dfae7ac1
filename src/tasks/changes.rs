//! Tasks of changes.

use crate::features::changes::commands::{self, Expire};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Lets a change expire that nobody answered in time.
pub(super) async fn expire(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Expire { change } = task.read()?;
    commands::expire(platform, caller, change).await
}
