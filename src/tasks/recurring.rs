//! What is due again and again, once for all processes: each has a row in `schedules`, and one process takes it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{nightly, streams};
use crate::kernel::clock::MINUTE;
use crate::kernel::{Caller, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::queue::schedule;

/// How often a process looks whether something is due.
const LOOK_MS: i64 = MINUTE;

/// Work that is due again and again.
pub(super) struct Recurring {
    /// Its name among the schedules.
    pub(super) name: &'static str,
    /// When it is due next.
    pub(super) next: fn(Timestamp) -> Timestamp,
    /// Does it. Another process may have done a part of it.
    pub(super) work: for<'a> fn(&'a Platform, &'a Caller) -> BoxFuture<'a, Result<()>>,
}

/// All of it.
const ALL: [&Recurring; 2] = [&nightly::PROOF, &streams::PRUNE];

/// Begins what is due, beside all other work, and says when to look again.
pub(super) async fn look(platform: &Arc<Platform>) -> Timestamp {
    let now = platform.clock.now();
    for due in ALL {
        match schedule::take(&platform.db, due.name, now, (due.next)(now)).await {
            Ok(true) => {
                tokio::spawn(due.run(platform.clone()));
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, name = due.name, "a schedule could not be read; trying again"),
        }
    }
    now.plus(LOOK_MS)
}

impl Recurring {
    async fn run(&self, platform: Arc<Platform>) {
        let ended = tokio::select! {
            ended = self.once(&platform) => ended,
            // Another process begins anew when the lease is over.
            () = platform.stop.cancelled() => return,
        };
        if let Err(error) = ended {
            tracing::error!(%error, name = self.name, "scheduled work failed; trying again in ten minutes");
            if let Err(error) = schedule::failed(&platform.db, self.name, platform.clock.now()).await {
                tracing::warn!(%error, name = self.name, "it comes back only when its lease is over");
            }
        }
    }

    async fn once(&self, platform: &Platform) -> Result<()> {
        let caller = Caller::system(format!("{}-{}", self.name, platform.ids.uuid().simple()));
        (self.work)(platform, &caller).await?;
        schedule::done(&platform.db, self.name, (self.next)(platform.clock.now())).await
    }
}
