//! Tasks of disputes.

use crate::features::disputes::commands::{self, Escalate};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Hands a dispute to staff that its parties did not end in time.
pub(super) async fn escalate(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Escalate { dispute } = task.read()?;
    commands::escalate(platform, caller, dispute).await
}
