//! Tasks of reviews.

use crate::features::reviews::commands::{self, Publish};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Publishes a review that stayed alone.
pub(super) async fn publish(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Publish { review } = task.read()?;
    commands::publish(platform, caller, review).await
}
