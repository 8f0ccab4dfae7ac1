//! What a response in pieces is made of: text in, text out.
//!
//! - `text/event-stream`: the protocol of npm graphql-sse in its mode of distinct connections. The id of an event is the
//!   cursor behind it, so that a browser which comes back says where it was.
//! - `multipart/mixed`: Apollo's protocol for subscriptions. The boundary of the next part stands right behind each part:
//!   clients know only by it that a part is whole.

use super::BOUNDARY;

/// How a response in pieces is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    EventStream,
    /// `multipart/mixed`.
    Multipart,
}

impl Framing {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Framing::EventStream => "text/event-stream; charset=utf-8",
            Framing::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0",
        }
    }

    /// What stands first. Some browsers wait for a byte before they call a stream open.
    pub fn opening(self) -> String {
        match self {
            Framing::EventStream => ":\n\n".to_owned(),
            Framing::Multipart => format!("--{BOUNDARY}"),
        }
    }

    /// Writes an answer, which is JSON, and where its client goes on from behind it.
    pub fn next(self, out: &mut String, answer: &str, cursor: Option<&str>) {
        match self {
            Framing::EventStream => {
                if let Some(cursor) = cursor {
                    out.extend(["id: ", cursor, "\n"]);
                }
                out.extend(["event: next\ndata: ", answer, "\n\n"]);
            }
            Framing::Multipart => part(out, &["{\"payload\":", answer, "}"]),
        }
    }

    /// Shows that the stream lives.
    pub fn beat(self) -> String {
        let mut out = String::new();
        match self {
            Framing::EventStream => out.push_str(":\n\n"),
            Framing::Multipart => part(&mut out, &["{}"]),
        }
        out
    }

    /// Says that nothing more will come, because all was said.
    pub fn complete(self, out: &mut String) {
        match self {
            // Browsers pass over an event without data.
            Framing::EventStream => out.push_str("event: complete\ndata:\n\n"),
            Framing::Multipart => out.push_str("--\r\n"),
        }
    }

    /// Says that the stream breaks off, and why; `errors` is JSON. An event stream has no word for that: it ends without a
    /// `complete`, so that its client comes back, a browser after `retry_ms`.
    pub fn break_off(self, code: &str, errors: &str, retry_ms: Option<u64>) -> String {
        let mut out = String::new();
        match self {
            Framing::EventStream => {
                if let Some(ms) = retry_ms {
                    out = format!("retry: {ms}\n");
                }
                out.extend([": ", code, "\n\n"]);
            }
            Framing::Multipart => {
                part(&mut out, &["{\"payload\":null,\"errors\":", errors, "}"]);
                self.complete(&mut out);
            }
        }
        out
    }

    /// One answer and the end.
    pub fn whole(self, answer: &str) -> String {
        let mut out = self.opening();
        self.next(&mut out, answer, None);
        self.complete(&mut out);
        out
    }
}

fn part(out: &mut String, json: &[&str]) {
    out.push_str("\r\nContent-Type: application/json\r\n\r\n");
    out.extend(json.iter().copied());
    out.extend(["\r\n--", BOUNDARY]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(framing: Framing, cursor: Option<&str>) -> String {
        let mut out = String::new();
        framing.next(&mut out, "{\"data\":1}", cursor);
        out
    }

    #[test]
    fn events_are_as_browsers_read_them() {
        let events = Framing::EventStream;
        assert_eq!(next(events, Some("c1")), "id: c1\nevent: next\ndata: {\"data\":1}\n\n");
        assert_eq!(next(events, None), "event: next\ndata: {\"data\":1}\n\n");
        assert_eq!(events.beat(), ":\n\n");
        assert_eq!(events.whole("{}"), ":\n\nevent: next\ndata: {}\n\nevent: complete\ndata:\n\n");
        assert_eq!(events.break_off("TOKEN_EXPIRED", "[]", None), ": TOKEN_EXPIRED\n\n");
        assert_eq!(events.break_off("X", "[]", Some(5)), "retry: 5\n: X\n\n");
    }

    #[test]
    fn the_next_boundary_is_right_behind_each_part() {
        let parts = Framing::Multipart;
        let head = "\r\nContent-Type: application/json\r\n\r\n";
        assert_eq!(parts.opening(), "--graphql");
        assert_eq!(next(parts, Some("c1")), format!("{head}{{\"payload\":{{\"data\":1}}}}\r\n--graphql"));
        assert_eq!(parts.beat(), format!("{head}{{}}\r\n--graphql"));
        assert_eq!(parts.whole("{}"), format!("--graphql{head}{{\"payload\":{{}}}}\r\n--graphql--\r\n"));
        let broken = format!("{head}{{\"payload\":null,\"errors\":[1]}}\r\n--graphql--\r\n");
        assert_eq!(parts.break_off("X", "[1]", None), broken);
    }
}
