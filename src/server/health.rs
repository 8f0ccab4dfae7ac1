//! What watches over the program may ask: is it alive, may it be sent requests, what does it count.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

use super::state::Server;

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

/// `/metrics`: everything that is counted, in the text format of Prometheus.
pub async fn metrics() -> Response {
    let Some(handle) = recorder() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
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
