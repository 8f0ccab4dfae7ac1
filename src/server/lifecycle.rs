//! From the first request to the last: listening, and leaving in good order.
//!
//! Told to stop, a server says at `/readyz` that it is leaving and closes its sockets and feeds, spread over the seconds
//! that the settings give, while it still answers. Then it stops listening, finishes the requests under way, and closes what lies
//! behind it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::listen;
use super::router::router;
use super::state::Server;
use crate::kernel::{Error, Result};
use crate::platform::config::Config;

/// A socket or a feed may take so much longer than the settings say to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Takes the address and port of the settings.
pub async fn bind(config: &Config) -> Result<TcpListener> {
    let address = SocketAddr::new(config.server.host, config.server.port);
    TcpListener::bind(address).await.map_err(|error| {
        Error::internal(format!("cannot listen on {address}: {error}; choose another with PORT and HOST"))
    })
}

/// Serves until `stop` is told, then leaves in good order.
pub async fn serve(server: Server, listener: TcpListener, stop: CancellationToken) -> Result<()> {
    let closed = CancellationToken::new();
    // A socket is told first, by a close frame.
    let patience = server.live.limits.write + GOODBYE;
    let mut serving = tokio::spawn(listen::serve(listener, router(server.clone()), patience, closed.clone()));
    tokio::select! {
        () = stop.cancelled() => {}
        ended = &mut serving => return Err(Error::internal(format!("the server ended by itself: {ended:?}"))),
    }
    leave_live(&server).await;
    closed.cancel();
    serving.await.map_err(Error::internal)?;
    server.platform.close().await;
    Ok(())
}

async fn leave_live(server: &Server) {
    server.draining.cancel();
    server.sockets.close();
    let open = server.sockets.len();
    if open > 0 {
        tracing::info!(open, "closing sockets and feeds");
    }
    let patience = Duration::from_secs(server.platform.config.server.drain_seconds) + GOODBYE;
    if tokio::time::timeout(patience, server.sockets.wait()).await.is_err() {
        tracing::warn!(open = server.sockets.len(), "sockets or feeds did not close in time");
    }
}

/// Told when the process is asked to stop: Ctrl-C, or SIGTERM. Asked a second time, the process ends at once.
pub fn asked_to_stop() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping; once more ends at once");
        told.cancel();
        signals.next().await;
        std::process::exit(130);
    });
    Ok(stop)
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(Error::internal);
        Ok(Signals(listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "signals cannot be heard");
            std::future::pending::<()>().await;
        }
    }
}
