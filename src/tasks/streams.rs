//! Every hour: removes events that have had their time. A client that was away for longer is told to reload.

use super::recurring::Recurring;
use crate::kernel::Result;
use crate::kernel::clock::{DAY, HOUR};
use crate::platform::Platform;
use crate::platform::streams::{Keep, StreamName};

/// The removal of old events.
pub(super) const PRUNE: Recurring =
    Recurring { name: "streams.prune", next: |now| now.plus(HOUR), work: |platform, _| Box::pin(prune(platform)) };

async fn prune(platform: &Platform) -> Result<()> {
    let kept = &platform.config.streams;
    let keep = Keep { since: platform.clock.now().plus(-kept.keep_days * DAY), newest: kept.keep_events };
    let stop = || platform.stop.is_cancelled();
    let mut behind = Some(StreamName::from_text(""));
    while let Some(name) = behind {
        behind = platform.hub.reader().prune(keep, name.as_str(), stop).await?;
    }
    Ok(())
}
