//! `gigwire work`: background tasks without serving. Any number of such processes share the tasks of one database.

use super::{Failure, logs, open};
use crate::platform::config::Config;
use crate::server::lifecycle::asked_to_stop;
use crate::tasks;

/// Works until it is asked to stop; tasks under way are finished.
pub async fn run(config: Config) -> Result<(), Failure> {
    logs::to_stdout(&config);
    let stop = asked_to_stop()?;
    let opened = open(config).await?;
    let working = tokio::spawn(tasks::work(opened.clone()));
    tracing::info!("working");
    stop.cancelled().await;
    opened.stop.cancel();
    if let Err(error) = working.await {
        tracing::warn!(%error, "the worker ended badly");
    }
    opened.close().await;
    Ok(())
}
