//! What watches over the program may ask: is it alive, may it be sent requests, what does it count.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::caller::{FORWARDED_FOR, bearer};
use super::state::Server;
use crate::features::proof::queries;
use crate::kernel::{Result, Timestamp};
use crate::platform::Platform;

/// The database must answer a probe within this time.
const PROBE: Duration = Duration::from_secs(2);
/// Upper ends of the classes that durations are counted in, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// `/healthz`: the program runs. Says nothing of anything outside, so that a broken database restarts nobody.
pub async fn alive() -> Response {
    Json(json!({ "status": "alive" })).into_response()
}

/// `/readyz`: requests may be sent here. Not while it drains, and not without its database, whose migrations were applied
/// before it began to listen. Without Redis it goes on by itself and says so.
pub async fn ready(State(server): State<Server>) -> Response {
    let draining = server.draining.is_cancelled();
    let database = matches!(tokio::time::timeout(PROBE, server.platform.db.ping()).await, Ok(Ok(())));
    let degraded = !server.platform.is_whole();
    let (status, word) = match (draining, database) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        (false, true) => (StatusCode::OK, "ready"),
    };
    let body = json!({ "status": word, "database": database, "migrations": true, "degraded": degraded });
    (status, Json(body)).into_response()
}

/// `/metrics`: everything that is counted, in the text format of Prometheus. It needs the token of the settings; where
/// none is set, only this machine may ask.
pub async fn metrics(State(server): State<Server>, request: Request) -> Response {
    if !may_measure(&server, &request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(handle) = recorder() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if let Ok(Err(error)) = tokio::time::timeout(PROBE, books(&server.platform)).await {
        tracing::warn!(%error, "the last proof of the books could not be read");
    }
    open_now(&server);
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

fn may_measure(server: &Server, request: &Request) -> bool {
    let wanted = &server.platform.config.server.metrics_token;
    if wanted.is_set() {
        let given = bearer(request.headers()).map(|token| Sha256::digest(token.as_bytes()));
        // Digests differ in their first bytes, whatever of the token is right: the time tells nothing.
        return given.is_some_and(|given| given == Sha256::digest(wanted.reveal().as_bytes()));
    }
    // A proxy on this machine forwards for others, and most say so; one that says nothing needs the token.
    let is_forwarded = [FORWARDED_FOR, "forwarded", "x-real-ip", "x-forwarded-host", "via", "origin"]
        .iter()
        .any(|name| request.headers().contains_key(*name));
    !is_forwarded && server.caller(request).ip.is_some_and(|ip| ip.is_loopback())
}

/// What is open right now. It is looked up for each answer: a count that goes up and down would drift one day.
fn open_now(server: &Server) {
    let hub = &server.platform.hub;
    let gauges = [
        ("gigwire_sockets_open", server.sockets.len()),
        ("gigwire_users_connected", usize::try_from(server.platform.presence.users_here()).unwrap_or(usize::MAX)),
        ("gigwire_live_operations", server.live.operations()),
        ("gigwire_streams_watched", hub.streams_watched()),
        ("gigwire_signal_topics_watched", hub.signals.topics_watched()),
        ("gigwire_tasks_alive", Handle::current().metrics().num_alive_tasks()),
    ];
    for (name, open) in gauges {
        metrics::gauge!(name).set(count(i64::try_from(open).unwrap_or(i64::MAX)));
    }
}

/// What the last night found. It is read for each answer, since another process may have worked that night.
async fn books(platform: &Platform) -> Result<()> {
    let (last, freeze) = queries::watch(platform).await?;
    metrics::gauge!("gigwire_payouts_frozen").set(if freeze.is_some() { 1.0 } else { 0.0 });
    let Some(last) = last else { return Ok(()) };
    let age = |at: Timestamp| Duration::from_millis((platform.clock.now().0 - at.0).max(0).unsigned_abs());
    metrics::gauge!("gigwire_ledger_proof_ok").set(if last.is_proved { 1.0 } else { 0.0 });
    metrics::gauge!("gigwire_ledger_proof_age_seconds").set(age(last.created_at));
    metrics::gauge!("gigwire_ledger_findings").set(count(last.findings));
    metrics::gauge!("gigwire_open_holds").set(count(last.open_holds));
    let oldest = last.oldest_hold_at.map_or(Duration::ZERO, age);
    metrics::gauge!("gigwire_oldest_hold_age_seconds").set(oldest);
    Ok(())
}

/// A count as gauges take it.
fn count(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

/// What counts for the whole process, installed by the first to ask. Nothing if somebody else counts already.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let matcher = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(matcher, &BUCKETS).ok()?;
        builder.install_recorder().ok()
    };
    RECORDER.get_or_init(install).as_ref()
}
