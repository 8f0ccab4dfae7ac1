//! Tells those who watch the figures of the house that they have changed. They are counted while somebody watches here,
//! once for all of them.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub(super) use crate::features::admin::board::TOPIC;
use crate::features::admin::board::{Board, STAND_MS};
use crate::platform::Platform;
use crate::platform::streams::Signal;

/// Tells until the platform stops.
pub(in crate::server) async fn tell(platform: Arc<Platform>, board: Arc<Board>) {
    let mut told = None;
    let pause = Duration::from_millis(STAND_MS.unsigned_abs());
    while platform.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        if platform.hub.signals.watched(TOPIC).is_empty() {
            told = None;
            continue;
        }
        match board.read(&platform).await {
            Ok((_, figures)) if told.as_ref() == Some(&figures) => {}
            Ok((_, figures)) => {
                platform.hub.signals.spread(TOPIC, changed());
                told = Some(figures);
            }
            Err(error) => tracing::warn!(%error, "the figures could not be counted; trying again"),
        }
    }
}

/// The signal that the figures are others: whoever gets it reads them from the board.
pub(super) const fn changed() -> Signal {
    Signal { is_renewed: true, ..Signal::of(Uuid::nil(), true) }
}
