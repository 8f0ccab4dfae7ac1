//! The board of one instance: figures that are counted at most once in a while, however many look.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Figures, queries};
use crate::kernel::clock::SECOND;
use crate::kernel::{Result, Timestamp};
use crate::platform::Platform;

/// So many milliseconds the figures stand before they are counted again.
pub const STAND_MS: i64 = 2 * SECOND;
/// The topic that tells, on this instance, that the figures have changed.
pub const TOPIC: &str = "admin:figures";

/// The last figures of this instance.
#[derive(Debug, Default)]
pub struct Board {
    last: Mutex<Option<(Timestamp, Arc<Figures>)>>,
}

impl Board {
    /// The figures and when they were counted. Whoever asks while they are counted waits for the same ones.
    pub async fn read(&self, platform: &Platform) -> Result<(Timestamp, Arc<Figures>)> {
        let mut last = self.last.lock().await;
        let now = platform.clock.now();
        if let Some((at, figures)) = &*last
            && (0..STAND_MS).contains(&(now.0 - at.0))
        {
            return Ok((*at, figures.clone()));
        }
        let figures = Arc::new(queries::figures(platform).await?);
        *last = Some((now, figures.clone()));
        Ok((now, figures))
    }
}
