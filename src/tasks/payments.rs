//! Tasks of payments.

use crate::features::wallet::commands::{self, Collect};
use crate::kernel::{Caller, Code, Error, Result};
use crate::platform::Platform;
use crate::platform::queue::Task;

/// Asks the provider again how far a payment is, for one whose request died half way.
pub(super) async fn collect(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Collect { payment } = task.read()?;
    if commands::collect(platform, caller, payment).await? {
        return Ok(());
    }
    // Fails on purpose: the runner comes back later, with growing pauses.
    Err(Error::new(Code::Unavailable, "The provider still waits for the user."))
}
