//! Every night at 01:00 UTC, in one process of all: seals the day that is over, and proves the books.

use std::sync::Arc;

use crate::features::proof::{commands, seals};
use crate::kernel::clock::{DAY, MINUTE};
use crate::kernel::{Caller, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::queue::schedule;

/// Its name among the schedules.
const NAME: &str = "ledger.nightly";
/// How often a process looks whether it is due.
const LOOK_MS: i64 = MINUTE;

/// Begins the night's work if it is due, beside all other work, and says when to look again.
pub(super) async fn look(platform: &Arc<Platform>) -> Timestamp {
    let now = platform.clock.now();
    match schedule::take(&platform.db, NAME, now, next(now)).await {
        Ok(true) => {
            tokio::spawn(run(platform.clone()));
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "the night's work could not be looked for; trying again"),
    }
    now.plus(LOOK_MS)
}

/// The next time of night.
fn next(now: Timestamp) -> Timestamp {
    let tonight = now.day().plus(seals::SEALED_AFTER_MS);
    if now < tonight { tonight } else { tonight.plus(DAY) }
}

async fn run(platform: Arc<Platform>) {
    let ended = tokio::select! {
        ended = work(&platform) => ended,
        // Another process begins anew when the lease is over.
        () = platform.stop.cancelled() => return,
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the night's work failed; trying again in ten minutes");
        if let Err(error) = schedule::failed(&platform.db, NAME, platform.clock.now()).await {
            tracing::warn!(%error, "the night's work comes back only when its lease is over");
        }
    }
}

async fn work(platform: &Platform) -> Result<()> {
    let caller = Caller::system(format!("nightly-{}", platform.ids.uuid().simple()));
    commands::nightly(platform, &caller).await?;
    schedule::done(&platform.db, NAME, next(platform.clock.now())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_an_hour_after_midnight() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(next(at("2026-03-01T00:59:59.999Z")), at("2026-03-01T01:00:00Z"));
        assert_eq!(next(at("2026-03-01T01:00:00Z")), at("2026-03-02T01:00:00Z"));
    }
}
