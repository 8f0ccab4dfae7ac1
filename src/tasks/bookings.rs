//! Tasks of bookings.

use crate::features::bookings::timers;
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Completes or gives up a booking that was silent for too long, or pays for one whose release was put off.
pub(super) async fn end_silence(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    timers::end_silence(platform, caller, task.read()?).await
}
