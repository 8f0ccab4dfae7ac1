//! One WebSocket without a library on top. [`Socket`] is the bare connection, which serves any subprotocol;
//! [`GraphqlSocket`] speaks graphql-transport-ws over it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Outcome;

/// Bytes that a socket reads at once: a load program has thousands of them.
const READ_BUFFER: usize = 1 << 10;
/// The segments of a client on the internet. Those of the loopback are so large that the kernel would keep megabytes for
/// each client that stops reading.
const INTERNET_MSS: u32 = 1_400;
/// Bytes that a client keeps unread if it is to be slow.
const SMALL_BUFFER: u32 = 4 << 10;

/// Where to connect, and what to speak there.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// The path, such as `/graphql`.
    pub path: &'static str,
    /// The subprotocol that is offered, or an empty text.
    pub protocol: &'static str,
}

/// How a client connects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// Segments and a buffer as small as those of a distant client, so that not reading is noticed soon.
    pub is_thin: bool,
}

/// A WebSocket that exchanges texts.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Connects and upgrades.
    pub async fn connect(target: Target, line: Line) -> Outcome<Self> {
        let tcp = dial(target.address, line).await?;
        let mut request = format!("ws://{}{}", target.address, target.path).into_client_request()?;
        if !target.protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", target.protocol.parse()?);
        }
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, tcp, Some(config)).await?;
        Ok(Socket { stream })
    }

    /// Sends a text.
    pub async fn send(&mut self, text: String) -> Outcome<()> {
        Ok(self.stream.send(Message::text(text)).await?)
    }

    /// The next text, or how the connection ended: with a close code, or without one.
    pub async fn next(&mut self) -> Result<String, Option<u16>> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Is gone as if its machine had lost its power and come back: without a goodbye, with a reset.
    pub fn vanish(self) {
        reset(self.stream.get_ref());
    }
}

/// A bare connection.
pub async fn dial(address: SocketAddr, line: Line) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if line.is_thin {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
        SockRef::from(&socket).set_tcp_mss(INTERNET_MSS)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes the end of a connection a reset.
pub fn reset(stream: &TcpStream) {
    // A connection that is gone already needs no reset.
    let _ = stream.set_zero_linger();
}

/// What a server says to a client of graphql-transport-ws.
pub enum Heard {
    /// An answer or an item of a subscription: data and errors.
    Next(Value),
    /// The end of an operation, by itself or refused, as the whole message.
    End(Value),
    /// The connection is over; with a code if the server said one.
    Closed(Option<u16>),
}

/// A socket that speaks graphql-transport-ws.
pub struct GraphqlSocket {
    socket: Socket,
}

impl GraphqlSocket {
    /// Connects, says who it is, and waits for the ack.
    pub async fn open(target: Target, line: Line, payload: Value) -> Outcome<Self> {
        let mut socket = GraphqlSocket { socket: Socket::connect(target, line).await? };
        socket.say(&json!({ "type": "connection_init", "payload": payload })).await?;
        match socket.socket.next().await {
            Ok(text) if text.contains("connection_ack") => Ok(socket),
            other => Err(format!("no ack but {other:?}").into()),
        }
    }

    /// Starts an operation.
    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) -> Outcome<()> {
        let payload = json!({ "query": document, "variables": variables });
        self.say(&json!({ "id": id, "type": "subscribe", "payload": payload })).await
    }

    /// What the server says next. Its pings are answered on the way.
    pub async fn next(&mut self) -> Outcome<Heard> {
        loop {
            let text = match self.socket.next().await {
                Ok(text) => text,
                Err(code) => return Ok(Heard::Closed(code)),
            };
            let mut message: Value = serde_json::from_str(&text)?;
            match message["type"].as_str().unwrap_or_default() {
                "ping" => self.say(&json!({ "type": "pong" })).await?,
                "next" => return Ok(Heard::Next(message["payload"].take())),
                "complete" | "error" => return Ok(Heard::End(message)),
                _ => {}
            }
        }
    }

    /// What the server says next, as it stands there. Its pings are answered on the way.
    pub async fn text(&mut self) -> Outcome<String> {
        loop {
            let text = self.socket.next().await.map_err(|code| format!("closed with {code:?}"))?;
            if !text.contains(r#""type":"ping""#) {
                return Ok(text);
            }
            self.say(&json!({ "type": "pong" })).await?;
        }
    }

    /// The data of the next answer or item; anything else is an error.
    pub async fn data(&mut self) -> Outcome<Value> {
        match self.next().await? {
            Heard::Next(mut answer) if answer.get("errors").is_none() => Ok(answer["data"].take()),
            Heard::Next(message) | Heard::End(message) => Err(format!("no data but {message}").into()),
            Heard::Closed(code) => Err(format!("closed with {code:?}").into()),
        }
    }

    /// Stays, reads and answers pings until the connection is over.
    pub async fn idle(mut self) {
        while !matches!(self.next().await, Ok(Heard::Closed(_)) | Err(_)) {}
    }

    /// Is gone with a reset.
    pub fn vanish(self) {
        self.socket.vanish();
    }

    async fn say(&mut self, message: &Value) -> Outcome<()> {
        self.socket.send(message.to_string()).await
    }
}
