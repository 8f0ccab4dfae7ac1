//! One socket that speaks `graphql-transport-ws`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, handshake::client::Request};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

use super::scribe::Scribe;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// From the first packet to the ack.
const OPEN_MAX: Duration = Duration::from_secs(10);
/// The server gives a sign of life every 25 s; after three times nothing the connection counts as broken.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// Characters of a refusal's body that are shown.
const BODY_MAX: usize = 200;

/// Where to connect to.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
    origin: Option<HeaderValue>,
}

impl Target {
    /// Reads an address. `http` means `ws`; without a path it is the usual one.
    pub fn parse(address: &str, origin: Option<&str>) -> Result<Self, String> {
        let spelled = address.replacen("http", "ws", usize::from(address.starts_with("http")));
        let wrong = || format!("{address} is no address of a server: it begins with ws:// or wss://");
        let mut url = Url::parse(&spelled).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "ws" | "wss") || !url.has_host() {
            return Err(wrong());
        }
        if url.path() == "/" {
            url.set_path("/graphql/ws");
        }
        let origin = origin.map(HeaderValue::from_str).transpose().map_err(|_| "the origin is no header".to_owned())?;
        Ok(Target { url, origin })
    }

    fn request(&self) -> Result<Request, Broken> {
        let mut request = self.url.as_str().into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        if let Some(origin) = &self.origin {
            headers.insert(header::ORIGIN, origin.clone());
        }
        Ok(request)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// Why there is no socket, or none any more.
#[derive(Debug)]
pub enum Broken {
    /// Nobody answers there, or not in this way.
    Unreachable(String),
    /// The server closed it.
    Closed(u16, String),
}

impl Broken {
    /// The token was refused, is past its end, or was taken back.
    pub fn is_token(&self) -> bool {
        matches!(self, Broken::Closed(4403, _))
    }

    /// Something that this client sent was the reason: it would be again.
    pub fn is_own_fault(&self) -> bool {
        matches!(self, Broken::Closed(1009 | 4400 | 4401 | 4409 | 4429, _))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Unreachable(why) => f.write_str(why),
            Broken::Closed(code, reason) => write!(f, "closed by the server with {code} {reason}"),
        }
    }
}

impl From<WsError> for Broken {
    fn from(error: WsError) -> Self {
        let WsError::Http(answer) = error else { return Broken::Unreachable(error.to_string()) };
        let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
        let body: String = body.trim().chars().take(BODY_MAX).collect();
        Broken::Unreachable(format!("refused with {} {body}", answer.status()).trim_end().to_owned())
    }
}

/// What the server says.
#[derive(Debug)]
pub enum Frame {
    /// A result of an operation.
    Next(u64, Value),
    /// An operation is refused, or ends badly.
    Error(u64, Value),
    /// An operation is over.
    Complete(u64),
    /// It wants a sign of life.
    Ping,
    /// The answer to a ping.
    Pong,
    /// Nothing that matters here.
    Other,
}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    scribe: Arc<Scribe>,
}

impl Socket {
    /// Connects, and waits for the ack.
    pub async fn open(target: &Target, token: Option<&str>, scribe: &Arc<Scribe>) -> Result<Self, Broken> {
        let opened = timeout(OPEN_MAX, async {
            let (stream, answer) = connect_async(target.request()?).await?;
            if answer.headers().get(header::SEC_WEBSOCKET_PROTOCOL).is_none_or(|name| name != PROTOCOL) {
                return Err(Broken::Unreachable(format!("a WebSocket, and no {PROTOCOL}")));
            }
            let mut socket = Socket { stream, scribe: scribe.clone() };
            let payload =
                token.map_or_else(|| json!({}), |token| json!({ "authorization": format!("Bearer {token}") }));
            socket.send(&json!({ "type": "connection_init", "payload": payload })).await?;
            while socket.text().await?["type"] != "connection_ack" {}
            Ok(socket)
        });
        opened.await.unwrap_or_else(|_| Err(Broken::Unreachable("no answer in time".to_owned())))
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &Value) -> Result<(), Broken> {
        self.scribe.frame(">", message);
        Ok(self.stream.send(Message::text(message.to_string())).await?)
    }

    /// Waits for the next message. Dropping the wait loses nothing.
    pub async fn next(&mut self) -> Result<Frame, Broken> {
        let mut message = self.text().await?;
        let id = message["id"].as_str().and_then(|id| id.parse().ok());
        Ok(match (message["type"].as_str().unwrap_or_default(), id) {
            ("next", Some(id)) => Frame::Next(id, message["payload"].take()),
            ("error", Some(id)) => Frame::Error(id, message["payload"].take()),
            ("complete", Some(id)) => Frame::Complete(id),
            ("ping", _) => Frame::Ping,
            ("pong", _) => Frame::Pong,
            _ => Frame::Other,
        })
    }

    async fn text(&mut self) -> Result<Value, Broken> {
        loop {
            let heard = timeout(SILENCE_MAX, self.stream.next()).await;
            match heard.map_err(|_| Broken::Unreachable("nothing was heard for too long".to_owned()))? {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text)
                        .map_err(|_| Broken::Unreachable("it does not speak JSON".to_owned()))?;
                    self.scribe.frame("<", &message);
                    return Ok(message);
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(Broken::Closed(frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Close(None))) | None => {
                    return Err(Broken::Unreachable("the connection ended".to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // Whether the other side hears it makes no difference.
        let _ = timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed_and_nonsense_is_refused() {
        let read = |address| Target::parse(address, None).map(|target| target.to_string());
        assert_eq!(read("https://api.example.org").as_deref(), Ok("wss://api.example.org/graphql/ws"));
        assert_eq!(read("http://127.0.0.1:4000/").as_deref(), Ok("ws://127.0.0.1:4000/graphql/ws"));
        assert_eq!(read("ws://127.0.0.1:4000/graphql").as_deref(), Ok("ws://127.0.0.1:4000/graphql"));
        for wrong in ["", "localhost:4000", "ftp://example.org", "ws://"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
