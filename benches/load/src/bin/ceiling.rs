//! The least that could do some of the work: a page from one statement that makes its JSON, and a frame that is made once
//! and given to every subscriber. Nobody is asked who they are, nothing is checked, counted or kept. What a server that does
//! all that may cost beyond this is what its features cost.
//!
//! It speaks as much of GraphQL's transports as `bench` needs to drive it like the others.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::{SinkExt, StreamExt};
use load::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Connections to PostgreSQL, as many as everybody has.
const CONNECTIONS: u32 = 20;
/// Frames that a slow subscriber may be behind.
const BEHIND: usize = 1_024;

/// The whole answer as a text, of the 20 jobs behind a cursor: a job's time and id.
const PAGE: &str = "select json_build_object('data', json_build_object('jobs', json_build_object(
        'edges', coalesce(json_agg(json_build_object('cursor', created_at || ' ' || id, 'node', json_build_object(
            'id', id, 'title', title, 'description', description,
            'budget', json_build_object('amount', budget, 'currency', currency), 'status', status,
            'createdAt', created_at, 'customer', json_build_object('id', customer_id, 'displayName', display_name),
            'offers', json_build_object('edges', offers)))), '[]'),
        'pageInfo', json_build_object('hasNextPage', count(*) = 20, 'endCursor', min(created_at || ' ' || id)))))::text
    from (
        select j.*, u.display_name, o.offers from jobs j join users u on u.id = j.customer_id, lateral (
            select json_agg(json_build_object('node', json_build_object('id', o.id,
                'amount', json_build_object('amount', o.amount, 'currency', o.currency), 'message', o.message,
                'status', o.status, 'contractor', json_build_object('id', c.id, 'displayName', c.display_name)))) as offers
            from (select * from offers where job_id = j.id order by created_at desc, id desc limit 3) o
            join users c on c.id = o.contractor_id) o
        where j.status = 'OPEN' and (j.created_at, j.id) < ($1, $2)
        order by j.created_at desc, j.id desc limit 20) as page";

#[derive(Clone)]
struct Server {
    db: PgPool,
    frames: broadcast::Sender<Utf8Bytes>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ceiling: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Outcome<()> {
    let (url, port) = (std::env::var("DATABASE_URL")?, std::env::var("PORT")?);
    let db = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&url).await?;
    let server = Server { db, frames: broadcast::channel(BEHIND).0 };
    let routes = Router::new().route("/graphql", post(page).get(upgrade)).with_state(Arc::new(server));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, routes).await?)
}

#[derive(Deserialize)]
struct Request {
    variables: After,
}

#[derive(Deserialize)]
struct After {
    after: Option<String>,
}

async fn page(State(server): State<Arc<Server>>, body: Bytes) -> Response {
    match answer(&server.db, &body).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn answer(db: &PgPool, body: &[u8]) -> Outcome<String> {
    let request: Request = serde_json::from_slice(body)?;
    let (at, id) = match request.variables.after.as_deref().and_then(|cursor| cursor.split_once(' ')) {
        Some((at, id)) => (at.parse()?, id.parse()?),
        None => (i64::MAX, uuid::Uuid::max()),
    };
    Ok(sqlx::query_scalar(PAGE).bind(at).bind(id).fetch_one(db).await?)
}

async fn upgrade(State(server): State<Arc<Server>>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["graphql-transport-ws"]);
    upgrade.on_upgrade(|socket| async move {
        // A connection that breaks is over.
        let _ = attend(&server, socket).await;
    })
}

/// Answers a client, and gives it every frame once it has subscribed.
async fn attend(server: &Server, socket: WebSocket) -> Outcome<()> {
    let (mut sink, mut stream) = socket.split();
    let mut frames = None;
    loop {
        tokio::select! {
            message = stream.next() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                let Message::Text(text) = message else { continue };
                let said: Value = serde_json::from_str(&text)?;
                let id = said["id"].as_str().unwrap_or_default();
                match said["type"].as_str() {
                    Some("connection_init") => sink.send(Message::text(r#"{"type":"connection_ack"}"#)).await?,
                    Some("subscribe") if id == "s" => frames = Some(server.frames.subscribe()),
                    Some("subscribe") => {
                        publish(server, &said["payload"]["variables"]).await?;
                        let done = json!({ "id": id, "type": "next", "payload": { "data": {} } });
                        sink.send(Message::text(done.to_string())).await?;
                    }
                    _ => {}
                }
            }
            frame = next(&mut frames) => {
                sink.feed(Message::Text(frame?)).await?;
                while let Some(Ok(frame)) = frames.as_mut().map(broadcast::Receiver::try_recv) {
                    sink.feed(Message::Text(frame)).await?;
                }
                sink.flush().await?;
            }
        }
    }
}

async fn next(frames: &mut Option<broadcast::Receiver<Utf8Bytes>>) -> Outcome<Utf8Bytes> {
    match frames {
        Some(frames) => Ok(frames.recv().await?),
        None => std::future::pending().await,
    }
}

/// Stores it, since the others do, and gives one frame to everybody.
async fn publish(server: &Server, variables: &Value) -> Outcome<()> {
    let (title, body) = (variables["t"].as_str().unwrap_or_default(), variables["b"].as_str().unwrap_or_default());
    let sql = "insert into announcements (id, title, body, level, published_by, created_at, updated_at, version)
        select gen_random_uuid(), $1, $2, 'INFO', id, 0, 0, 1 from users where roles & 8 = 8 limit 1";
    sqlx::query(sql).bind(title).bind(body).execute(&server.db).await?;
    let announcement = json!({ "id": title, "title": title, "body": body });
    let frame = json!({ "id": "s", "type": "next", "payload": { "data": { "announcementPublished": announcement } } });
    // Nobody has to listen.
    let _ = server.frames.send(frame.to_string().into());
    Ok(())
}
