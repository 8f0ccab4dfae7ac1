//! HTTP/1.1 over one kept connection, with nothing but what a load needs: a request is bytes that were made before, an
//! answer is its status and its body in a buffer that is used again.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;
use crate::socket::{Line, dial};

/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// A kept connection.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
    body: Vec<u8>,
}

/// A request, as it goes over the wire.
pub struct Request(Vec<u8>);

impl Request {
    /// A POST of JSON, from somebody with a token.
    pub fn post(path: &str, token: &str, body: &str) -> Self {
        let length = body.len();
        Request(
            format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
                content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

impl Wire {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = dial(address, Line::default()).await?;
        Ok(Wire { stream, received: Vec::with_capacity(CHUNK), body: Vec::new() })
    }

    /// The body of the answer, if its status is 200.
    pub async fn ask(&mut self, request: &Request) -> Outcome<&[u8]> {
        self.stream.write_all(&request.0).await?;
        self.received.clear();
        let head_end = loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let head = Head::read(std::str::from_utf8(&self.received[..head_end])?)?;
        self.body.clear();
        match head.length {
            Some(length) => {
                while self.received.len() < head_end + length {
                    self.read().await?;
                }
                self.body.extend_from_slice(&self.received[head_end..head_end + length]);
            }
            None => self.read_chunks(head_end).await?,
        }
        if head.status != 200 {
            return Err(format!("{}: {}", head.status, String::from_utf8_lossy(&self.body)).into());
        }
        Ok(&self.body)
    }

    async fn read(&mut self) -> Outcome<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }

    async fn read_chunks(&mut self, mut at: usize) -> Outcome<()> {
        loop {
            let line_end = loop {
                if let Some(end) = self.received[at..].windows(2).position(|two| two == b"\r\n") {
                    break at + end;
                }
                self.read().await?;
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.received[at..line_end])?.trim(), 16)?;
            let from = line_end + 2;
            while self.received.len() < from + size + 2 {
                self.read().await?;
            }
            self.body.extend_from_slice(&self.received[from..from + size]);
            at = from + size + 2;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

/// What the head of an answer says that matters here.
struct Head {
    status: u16,
    /// Bytes of the body; without it, the body comes in chunks.
    length: Option<usize>,
}

impl Head {
    fn read(text: &str) -> Outcome<Self> {
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status line")?.parse()?;
        let named = lines.filter_map(|line| line.split_once(':'));
        let length =
            named.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.trim());
        Ok(Head { status, length: length.last().map(str::parse).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// What a client reads when a server says this, in pieces of three bytes.
    async fn read(answer: &'static str) -> Outcome<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await?;
            for piece in answer.as_bytes().chunks(3) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::task::yield_now().await;
            }
            std::io::Result::Ok(())
        });
        let mut wire = Wire::connect(address).await?;
        let body =
            wire.ask(&Request::post("/", "t", "{}")).await.map(|body| String::from_utf8_lossy(body).into_owned());
        server.await??;
        body
    }

    #[tokio::test]
    async fn bodies_are_read_by_length_and_in_chunks() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(read(whole).await.unwrap(), "hello");
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nC\r\nlo to you al\r\n0\r\n\r\n";
        assert_eq!(read(chunked).await.unwrap(), "hello to you al");
        assert!(read("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno").await.is_err());
    }
}
