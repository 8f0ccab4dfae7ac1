//! Every address of the server, and what each request passes on its way in and out.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use futures_util::FutureExt;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::caller::REQUEST_ID;
use super::cors::{Origins, secure};
use super::execute::Declined;
use super::state::Server;
use super::status::code;
use super::{files, health, http, mailbox, playground, socket};
use crate::kernel::Error;

/// Bytes of an answer from which on it is packed: what fits into one packet travels as fast as it is.
const PACKED_FROM: u16 = 1_400;

/// The server as one service.
pub fn router(server: Server) -> Router {
    let origins = Origins::new(&server.platform.config);
    let mut routes = Router::new();
    if server.platform.config.is_development() {
        routes = routes.route("/dev/mail", get(mailbox::list)).route("/dev/mail/{id}", get(mailbox::letter));
    }
    routes
        .route("/graphql", any(graphql).layer(packing()))
        .route("/graphql/ws", any(sockets))
        .route("/playground/{*path}", get(asset).layer(packing()))
        .route("/files/{*key}", get(files::get).put(files::put))
        .route("/", get(|| async { Redirect::temporary("/graphql") }))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(http::BODY_MAX))
        .layer(origins.layer())
        .layer(middleware::from_fn_with_state(server.clone(), edge))
        .with_state(server)
}

/// Packs long answers for whoever takes that. Feeds are left alone: what is packed waits for more to come.
fn packing() -> CompressionLayer<impl Predicate> {
    let is_whole = NotForContentType::SSE.and(NotForContentType::const_new("multipart/mixed"));
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    layer.compress_when(SizeAbove::new(PACKED_FROM).and(is_whole))
}

/// `/graphql` speaks HTTP, and WebSocket to whoever asks for it.
async fn graphql(State(server): State<Server>, request: Request) -> Response {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|protocol| protocol.to_str().ok());
    if request.method() == Method::GET && upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return sockets(State(server), request).await;
    }
    http::graphql.call(request, server).await
}

/// Where sockets are opened: the one place that knows of them.
async fn sockets(State(server): State<Server>, request: Request) -> Response {
    let caller = server.caller(&request);
    let headers = request.headers().clone();
    match WebSocketUpgrade::from_request(request, &server).await {
        Ok(upgrade) => socket::upgrade(&server, upgrade, &headers, caller),
        Err(refused) => {
            let declined = Declined::malformed(code::BAD_REQUEST, refused.body_text());
            http::refuse(declined, &headers, &caller.request_id)
        }
    }
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    playground::asset(&path, &headers)
}

async fn nowhere(State(server): State<Server>, request: Request) -> Response {
    let caller = server.caller(&request);
    let declined = Declined::malformed(code::NOT_FOUND, "There is nothing here; the API is at /graphql.");
    http::refuse(declined, request.headers(), &caller.request_id)
}

/// Around everything: gives the request its id, catches panics, and completes the headers.
async fn edge(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let caller = server.caller(&request);
    let request_id = caller.request_id.clone();
    // From here on this is the id, whoever reads the header.
    let id = HeaderValue::from_str(&request_id).unwrap_or(HeaderValue::from_static("none"));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    request.extensions_mut().insert(caller);
    let headers = request.headers().clone();
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(id = &*request_id, "a request panicked; the lines before this say where");
            http::refuse(Error::internal("panic").into(), &headers, &request_id).into_response()
        }
    };
    secure(response.headers_mut());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use tower::ServiceExt;

    use super::*;
    use crate::features::PROJECTIONS;
    use crate::platform::config::{Sources, load};
    use crate::platform::{Platform, host};

    async fn server(folder: &std::path::Path) -> Server {
        let environment = [("DATA_DIR".to_owned(), folder.display().to_string())].into();
        let config = load(&Sources { environment, ..Sources::default() }).unwrap().config;
        Server::new(Platform::open(config, host::clock(), host::entropy(), PROJECTIONS).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_cause() {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path()).await;
        let broken = || async {
            if folder_is_full() {
                panic!("the cause")
            }
        };
        let app = Router::new().route("/", get(broken)).layer(middleware::from_fn_with_state(server, edge));
        let request = Request::builder().uri("/").header(REQUEST_ID, "abc").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REQUEST_ID], "abc");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("INTERNAL_SERVER_ERROR") && !text.contains("cause"), "{text}");
    }

    fn folder_is_full() -> bool {
        true
    }
}
