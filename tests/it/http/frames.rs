//! A response in pieces, read as it comes: byte by byte, without a library on top.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::live::PATIENCE;

/// What clients of event streams ask for.
pub const EVENTS: &str = "text/event-stream";
/// What Apollo Client asks for.
pub const PARTS: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json";
/// What stands in front of the JSON of a part.
const HEAD: &str = "\r\nContent-Type: application/json\r\n\r\n";

/// A POST of a document to the server at this address, to be completed.
pub fn ask(address: impl std::fmt::Display, accept: &str, query: &str, variables: Value) -> RequestBuilder {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = reqwest::Client::new().request(Method::POST, format!("http://{address}/graphql"));
    request.header("accept", accept).header("content-type", "application/json").body(body)
}

/// A response that goes on.
pub struct Pieces {
    response: Response,
    read: String,
}

/// One event of an event stream.
#[derive(Debug)]
pub struct Event {
    /// Its id; empty without one.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: Value,
}

impl Pieces {
    /// Sends a request whose answer is to be 200 and of this type.
    pub async fn open(request: RequestBuilder, content_type: &str) -> Self {
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((response.status().as_u16(), header("content-type").as_str()), (200, content_type));
        assert_eq!((header("cache-control").as_str(), header("vary").as_str()), ("no-store", "accept"));
        assert!(!header("x-request-id").is_empty());
        Pieces { response, read: String::new() }
    }

    /// An event stream.
    pub async fn events(request: RequestBuilder) -> Self {
        let mut pieces = Self::open(request, "text/event-stream; charset=utf-8").await;
        assert_eq!(pieces.up_to("\n\n").await, ":", "browsers wait for a byte");
        pieces
    }

    /// A response in parts.
    pub async fn parts(request: RequestBuilder) -> Self {
        let content_type = "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0";
        let mut pieces = Self::open(request, content_type).await;
        assert_eq!(pieces.up_to("--graphql").await, "");
        pieces
    }

    /// What comes before the next `end`, which is read too.
    pub async fn up_to(&mut self, end: &str) -> String {
        loop {
            if let Some((piece, rest)) = self.read.split_once(end) {
                let piece = piece.to_owned();
                self.read = rest.to_owned();
                return piece;
            }
            let chunk = self.chunk().await.unwrap_or_else(|| panic!("it ended behind {:?}", self.read));
            self.read.push_str(&chunk);
        }
    }

    /// The next event, whatever comments come before it.
    pub async fn event(&mut self) -> Event {
        loop {
            let block = self.up_to("\n\n").await;
            if block.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                line.unwrap_or_default().trim().to_owned()
            };
            let data = serde_json::from_str(&field("data")).unwrap_or_default();
            return Event { id: field("id"), name: field("event"), data };
        }
    }

    /// The next part. It is read without waiting for another one to begin.
    pub async fn part(&mut self) -> Value {
        let part = self.up_to("\r\n--graphql").await;
        serde_json::from_str(part.strip_prefix(HEAD).unwrap_or_else(|| panic!("{part:?}"))).unwrap()
    }

    /// What comes until the server ends it.
    pub async fn rest(&mut self) -> String {
        while let Some(chunk) = self.chunk().await {
            self.read.push_str(&chunk);
        }
        std::mem::take(&mut self.read)
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self, time: Duration) -> bool {
        self.read.is_empty() && tokio::time::timeout(time, self.response.chunk()).await.is_err()
    }

    async fn chunk(&mut self) -> Option<String> {
        let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("nothing comes").unwrap();
        chunk.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }
}
