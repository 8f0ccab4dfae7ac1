//! A letter as a message of the Internet (RFC 5322, MIME): text and HTML side by side.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::letters::Waiting;
use super::templates::Rendered;
use crate::kernel::{Error, Result};

/// Puts a letter into its envelope. Names come from people: control characters in them become spaces, and everything
/// else is encoded by the library, so that nothing in them can begin a header.
pub fn build(from: &Mailbox, letter: &Waiting, rendered: Rendered) -> Result<Message> {
    let address: Address =
        letter.address.parse().map_err(|_| Error::internal("mail cannot be addressed to this address"))?;
    let name = letter.facts.get("name").and_then(|name| name.as_str()).map(one_line);
    let posted = Duration::from_millis(u64::try_from(letter.created_at.0).unwrap_or(0));
    let id = format!("<{}@{}>", letter.id, from.email.domain());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(name, address))
        .date(SystemTime::UNIX_EPOCH + posted)
        .message_id(Some(id))
        .subject(one_line(&rendered.subject))
        .raw_header(marker("Auto-Submitted", "auto-generated"))
        .raw_header(marker("X-Auto-Response-Suppress", "All"))
        .multipart(MultiPart::alternative_plain_html(rendered.text, rendered.html))
        .map_err(Error::internal)
}

/// A header that says that a program wrote this, so that no program answers (RFC 3834).
fn marker(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Timestamp;
    use crate::kernel::id::{LetterId, TypedId};

    fn letter(name: &str, address: &str) -> Waiting {
        Waiting {
            id: LetterId::of(uuid::Uuid::from_u128(7)),
            template: "welcome".to_owned(),
            language: "en".to_owned(),
            address: address.to_owned(),
            facts: serde_json::Map::from_iter([("name".to_owned(), name.into())]),
            code: None,
            created_at: Timestamp(1_700_000_000_000),
        }
    }

    fn written(name: &str, address: &str) -> Result<String> {
        let rendered = Rendered { subject: "Hello\r\nBcc: eve@x.test".into(), text: "t".into(), html: "<p>".into() };
        let from: Mailbox = "gigwire <no-reply@gigwire.test>".parse().unwrap();
        Ok(String::from_utf8(build(&from, &letter(name, address), rendered)?.formatted()).unwrap())
    }

    fn headers(text: &str) -> Vec<&str> {
        text.split("\r\n\r\n").next().unwrap().lines().filter(|line| !line.starts_with([' ', '\t'])).collect()
    }

    #[test]
    fn a_message_has_its_headers_once() {
        let text = written("Ada", "ada@example.org").unwrap();
        for wanted in [
            "From: gigwire <no-reply@gigwire.test>",
            "To: Ada <ada@example.org>",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
            "Message-ID: <letter_00000000000000000000000007@gigwire.test>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert_eq!(headers(&text).iter().filter(|line| **line == wanted).count(), 1, "{wanted}: {text}");
        }
        assert!(text.contains("text/plain") && text.contains("text/html"), "{text}");
    }

    #[test]
    fn nothing_in_a_name_begins_a_header() {
        for name in
            ["a\r\nBcc: eve@x.test", "a\nBcc: eve@x.test", "\"<eve@x.test>, x", "Ünï\r\n\r\nbody", "a\u{2028}Bcc: b"]
        {
            let text = written(name, "ada@example.org").unwrap();
            let wrong = headers(&text).into_iter().filter(|line| line.starts_with("Bcc")).count();
            assert_eq!(wrong, 0, "{text}");
            assert_eq!(headers(&text).iter().filter(|line| line.starts_with("To:")).count(), 1, "{text}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_being_named() {
        let refused = written("Ada", "ada\r\nrcpt to:<eve@x.test>").unwrap_err();
        assert!(!refused.message.contains("eve"), "{refused}");
    }
}
