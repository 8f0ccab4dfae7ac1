//! A server that does as it is told: what a real one does once in a blue moon.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::{Talk, play};

/// What an operation is answered with: messages, of which null ends the connection.
type Answer = dyn Fn(usize, &Value) -> Vec<Value> + Send + Sync;

/// What was heard: when, on which connection, and the operation; null for the connection itself.
type Heard = Arc<Mutex<Vec<(Instant, usize, Value)>>>;

/// Starts one that answers operations by `answer`, which gets the number of the connection. The address, and what it hears.
async fn puppet(answer: impl Fn(usize, &Value) -> Vec<Value> + Send + Sync + 'static) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql", listener.local_addr().unwrap());
    let heard = Heard::default();
    let (answer, kept): (Arc<Answer>, _) = (Arc::new(answer), heard.clone());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            kept.lock().unwrap().push((Instant::now(), number, Value::Null));
            tokio::spawn(serve(stream, number, answer.clone(), kept.clone()));
        }
    });
    (url, heard)
}

async fn serve(stream: TcpStream, number: usize, answer: Arc<Answer>, heard: Heard) {
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let protocol = |_: &Request, mut response: Response| {
        response.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, protocol).await.unwrap();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let message: Value = serde_json::from_str(&text).unwrap();
        let replies = match message["type"].as_str() {
            Some("connection_init") => vec![json!({ "type": "connection_ack" })],
            Some("ping") => vec![json!({ "type": "pong" })],
            Some("subscribe") => {
                heard.lock().unwrap().push((Instant::now(), number, message.clone()));
                answer(number, &message)
            }
            _ => Vec::new(),
        };
        if !send(&mut socket, replies).await {
            return;
        }
    }
}

/// False when the connection is to end.
async fn send(socket: &mut WebSocketStream<TcpStream>, replies: Vec<Value>) -> bool {
    for reply in replies {
        if reply.is_null() || socket.send(Message::text(reply.to_string())).await.is_err() {
            return false;
        }
    }
    true
}

fn next(message: &Value, data: &Value) -> Value {
    json!({ "type": "next", "id": message["id"], "payload": { "data": data } })
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_not_sent_twice() {
    let (url, heard) = puppet(|_, _| vec![Value::Null]).await;
    let played = play(&url, &[], &[], "query mutation { pay(input: {}) { userErrors { code } } }").await;
    played.badly(1, &["CONNECTION_LOST", "it may have been done or not"]);
    assert_eq!(heard.lock().unwrap().iter().filter(|(_, _, message)| !message.is_null()).count(), 1);
}

#[tokio::test]
async fn repeats_are_dropped_and_the_newest_cursor_is_sent() {
    let event = |n: usize| {
        let item = json!({ "__typename": "WalletCredited", "id": format!("evt_{n}"), "cursor": format!("c{n}"), "occurredAt": "2026-03-01T00:00:00Z" });
        json!({ "walletChanged": item })
    };
    let (url, heard) = puppet(move |number, message| {
        let query = message["payload"]["query"].as_str().unwrap();
        if !query.starts_with("subscription") {
            return vec![next(message, &json!({ "viewer": { "streamCursor": "c0" } }))];
        }
        let resumed = json!({ "walletChanged": { "__typename": "StreamResumed", "id": "r", "cursor": message["payload"]["variables"]["after"] } });
        match number {
            0 => vec![next(message, &resumed), next(message, &event(1)), next(message, &event(2)), Value::Null],
            _ => vec![next(message, &resumed), next(message, &event(1)), next(message, &event(2)), next(message, &event(3))],
        }
    })
    .await;
    let mut talk = Talk::open(&url);
    talk.enter("watch walletChanged");
    let mut said = talk.until("connected again").await;
    talk.enter("expect WalletCredited");
    talk.enter("expect WalletCredited");
    talk.enter("expect WalletCredited");
    talk.enter("ping");
    said.extend(talk.until("pong after").await);
    assert_eq!(said.iter().filter(|line| line.contains("WalletCredited")).count(), 3, "{said:#?}");
    assert_eq!(talk.end().await, (Some(0), String::new()));
    let heard = heard.lock().unwrap();
    let cursors: Vec<_> =
        heard.iter().filter_map(|(_, _, message)| message["payload"]["variables"]["after"].as_str()).collect();
    assert_eq!(cursors, ["c0", "c2"]);
}

#[tokio::test]
async fn it_waits_longer_each_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql", listener.local_addr().unwrap());
    let mut talk = Talk::open(&url);
    let mut attempts = Vec::new();
    for _ in 0..3 {
        drop(listener.accept().await.unwrap());
        attempts.push(Instant::now());
    }
    let waits: Vec<_> = attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert!((1_000..2_500).contains(&waits[0]) && (2_000..4_500).contains(&waits[1]), "{waits:?}");
    talk.until("trying again in").await;
    assert_eq!(talk.end().await.0, Some(0));
}
