//! Tasks of bookings.

use crate::features::bookings::timers;
use crate::kernel::{Caller, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Completes or gives up a booking that was silent for too long.
pub(super) async fn end_silence(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    timers::end_silence(platform, caller, task.read()?).await
}
