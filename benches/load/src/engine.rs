//! Socket.IO 4 over a bare WebSocket: packets of Engine.IO 4, each with a packet of Socket.IO in it.
//!
//! The server opens with `0{..}`, the client connects to the main namespace with `40{..}` and is answered `40{..}`. Events
//! are `42["name",..]`; with a number in front of the bracket they want an ack, `43N[..]`. Pings are `2`, answered by `3`.

use serde_json::Value;

use crate::Outcome;
use crate::socket::{Line, Socket, Target};

/// The path of Socket.IO's transport.
pub const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// A packet, as far as a client has to tell them apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The server asks whether the client is there.
    Ping,
    /// The connection to the namespace stands.
    Connected,
    /// An event: the array of its name and its values.
    Event(&'a str),
    /// The answer to an event of the client's, by its number: the array of values.
    Ack(u64, &'a str),
    /// Something refuses or ends.
    Refusal(&'a str),
    /// Anything else.
    Other(&'a str),
}

impl<'a> Packet<'a> {
    /// Reads a text.
    pub fn read(text: &'a str) -> Self {
        match text.as_bytes() {
            [b'2'] => Packet::Ping,
            [b'4', b'0', ..] => Packet::Connected,
            [b'4', b'2', ..] => Packet::Event(numbered(&text[2..]).1),
            [b'4', b'3', ..] => match numbered(&text[2..]) {
                (Some(number), values) => Packet::Ack(number, values),
                (None, _) => Packet::Other(text),
            },
            [b'1', ..] | [b'4', b'1' | b'4', ..] => Packet::Refusal(text),
            _ => Packet::Other(text),
        }
    }
}

/// The number in front of an array, and the array.
fn numbered(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (text[..digits].parse().ok(), &text[digits..])
}

/// A socket that speaks Socket.IO.
pub struct EngineSocket {
    socket: Socket,
}

impl EngineSocket {
    /// Connects, says who it is, and waits until the namespace has answered.
    pub async fn open(target: Target, line: Line, auth: &Value) -> Outcome<Self> {
        let mut socket = EngineSocket { socket: Socket::connect(target, line).await? };
        let opened = socket.text().await?;
        if !opened.starts_with('0') {
            return Err(format!("not opened but {opened}").into());
        }
        socket.socket.send(format!("40{auth}")).await?;
        match socket.text().await? {
            text if Packet::read(&text) == Packet::Connected => Ok(socket),
            other => Err(format!("not connected but {other}").into()),
        }
    }

    /// Sends an event that wants an ack with this number.
    pub async fn emit(&mut self, number: u64, name: &str, value: &Value) -> Outcome<()> {
        self.socket.send(format!("42{number}[\"{name}\",{value}]")).await
    }

    /// What the server says next. Its pings are answered on the way.
    pub async fn text(&mut self) -> Outcome<String> {
        loop {
            let text = self.socket.next().await.map_err(|code| format!("closed with {code:?}"))?;
            if Packet::read(&text) != Packet::Ping {
                return Ok(text);
            }
            self.socket.send("3".to_owned()).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        assert_eq!(Packet::read("2"), Packet::Ping);
        assert_eq!(Packet::read(r#"40{"sid":"x"}"#), Packet::Connected);
        assert_eq!(Packet::read(r#"42["a",1]"#), Packet::Event(r#"["a",1]"#));
        assert_eq!(Packet::read(r#"4217["a"]"#), Packet::Event(r#"["a"]"#));
        assert_eq!(Packet::read(r#"4317[{"ok":true}]"#), Packet::Ack(17, r#"[{"ok":true}]"#));
        assert_eq!(Packet::read(r#"44{"message":"no"}"#), Packet::Refusal(r#"44{"message":"no"}"#));
        assert_eq!(Packet::read("43[]"), Packet::Other("43[]"));
        assert_eq!(Packet::read("6"), Packet::Other("6"));
    }
}
