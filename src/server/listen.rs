//! Connections: taking them, serving HTTP/1.1 on each, and letting go of them.
//!
//! A loop of our own rather than the stock one, for what that one cannot be told: how long a client may take for the head
//! of a request and to take some of its answer, and that a server which stops waits for requests, not for clients who have
//! sent half of one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::patience::Patient;

/// A client gets so long for the head of a request, and so long an idle connection is kept. Longer than the balancers in
/// front keep theirs (60 s), so that it is never us who close a connection just as they use it.
const HEAD: Duration = Duration::from_secs(75);
/// Requests under way get so long to finish; as long as any request may take, and a little.
const FINISH: Duration = Duration::from_secs(32);
/// Answers that are made get so long to leave.
const FLUSH: Duration = Duration::from_secs(2);
/// Bytes of a head, and bytes of an answer that wait to be written; beyond that a feed is not asked for more. No address
/// that is understood has more.
const BUFFER: usize = 128 << 10;

/// Serves every connection until `close` is told; returns when the requests under way are answered or given up. A client
/// who takes nothing of what is written for `patience` is let go.
pub async fn serve(mut listener: TcpListener, app: Router, patience: Duration, close: CancellationToken) {
    let (connections, requests) = (TaskTracker::new(), TaskTracker::new());
    let give_up = CancellationToken::new();
    while let Some((stream, peer)) = close.run_until_cancelled(Listener::accept(&mut listener)).await {
        // Small answers leave at once instead of waiting for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection is gone already");
        }
        let stream = Patient::new(stream, patience);
        let serving = connection(stream, peer, app.clone(), requests.clone(), close.clone());
        let given_up = give_up.clone();
        connections.spawn(async move { given_up.run_until_cancelled(serving).await });
    }
    drop(listener);
    requests.close();
    if tokio::time::timeout(FINISH, requests.wait()).await.is_err() {
        tracing::warn!(open = requests.len(), "requests were still under way and are given up");
    }
    connections.close();
    // What is still open has an answer to carry away, or never asked.
    if tokio::time::timeout(FLUSH, connections.wait()).await.is_err() {
        give_up.cancel();
        connections.wait().await;
    }
}

async fn connection(
    stream: Patient<TcpStream>,
    peer: SocketAddr,
    app: Router,
    requests: TaskTracker,
    close: CancellationToken,
) {
    let answer = service_fn(move |request| requests.track_future(answer(app.clone(), peer, request)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answer).with_upgrades());
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = close.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    mut app: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    app.call(request.map(Body::new)).await
}
