//! `gigwire serve`: everything in one process, from the first migration to the last answer.

use super::{Failure, admin, banner, logs, open};
use crate::platform::config::Config;
use crate::server::lifecycle::{asked_to_stop, bind, serve};
use crate::server::{health, state::Server};
use crate::tasks;

/// Serves until it is asked to stop.
pub async fn run(config: Config) -> Result<(), Failure> {
    logs::to_stdout(&config);
    let stop = asked_to_stop()?;
    // Counting begins before there is anything to count.
    if health::recorder().is_none() {
        tracing::warn!("nothing is counted: /metrics stays empty");
    }
    let opened = tokio::select! {
        opened = open(config) => opened?,
        () = stop.cancelled() => return Ok(()),
    };
    admin::first(&opened).await?;
    let listener = bind(&opened.config).await?;
    let address = listener.local_addr()?;
    tokio::spawn(tasks::work(opened.clone()));
    let server = Server::new(opened.clone())?;
    banner::tell(&opened, address);
    serve(server, listener, stop).await?;
    tracing::info!("stopped");
    Ok(())
}
