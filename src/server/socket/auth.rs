//! What a client brings along: its token, wherever its library puts it, and the cursor that it goes on from.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::features::accounts::sessions::CLIENT_MAX;
use crate::kernel::text::line;

/// Keys of the init payload that may hold the token, in the order in which they are tried.
const TOKEN_KEYS: [&str; 4] = ["authorization", "authtoken", "token", "accesstoken"];

/// What the init payload says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// The access token, without its scheme.
    pub token: Option<String>,
    /// A cursor for operations that name none.
    pub resume: Option<Box<str>>,
    /// What the client calls itself, for the list of the user's sessions.
    pub client: Option<Box<str>>,
}

/// No cursor has more bytes.
const RESUME_MAX: usize = 1_024;

impl Greeting {
    /// Reads an init payload; `header` is the upgrade's `Authorization`, used when the payload has no token.
    pub fn read(payload: Option<&RawValue>, header: Option<&str>) -> Self {
        let payload: Value = payload.and_then(|payload| serde_json::from_str(payload.get()).ok()).unwrap_or_default();
        let inner = find(&payload, "headers").and_then(|headers| text(headers, "authorization"));
        let sent = TOKEN_KEYS.iter().find_map(|key| text(&payload, key)).or(inner);
        let token = sent.and_then(bare).or_else(|| header.and_then(bare));
        let client = text(&payload, "clientName").and_then(|name| line(name, CLIENT_MAX).ok());
        Greeting {
            token: token.map(str::to_owned),
            resume: resume(&payload).map(Into::into),
            client: client.map(Into::into),
        }
    }
}

/// The cursor to go on from. What cannot be one is kept as something that is none, so that the client is told.
fn resume(payload: &Value) -> Option<&str> {
    match find(payload, "resume") {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) if cursor.len() <= RESUME_MAX => Some(cursor),
        Some(_) => Some("?"),
    }
}

/// A value by its key, in any case.
fn find<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    find(object, key)?.as_str().filter(|text| !text.is_empty())
}

/// The token behind its scheme. Clients that have none may still send the scheme.
fn bare(text: &str) -> Option<&str> {
    let text = text.trim();
    let token = match text.get(..6) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => text[6..].trim_start(),
        _ => text,
    };
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str, header: Option<&str>) -> Option<String> {
        let payload = RawValue::from_string(payload.to_owned()).unwrap();
        Greeting::read(Some(&payload), header).token
    }

    #[test]
    fn the_token_is_found_wherever_it_is_put() {
        for payload in [
            r#"{"Authorization":"Bearer t"}"#,
            r#"{"authorization":"bearer t"}"#,
            r#"{"AUTHORIZATION":"t"}"#,
            r#"{"headers":{"Authorization":"Bearer t"}}"#,
            r#"{"Headers":{"authorization":" Bearer  t "}}"#,
            r#"{"authToken":"t"}"#,
            r#"{"token":"Bearer t"}"#,
            r#"{"accessToken":"t"}"#,
        ] {
            assert_eq!(token(payload, Some("Bearer other")).as_deref(), Some("t"), "{payload}");
        }
    }

    #[test]
    fn without_one_the_header_counts_and_then_nobody_is_signed_in() {
        for payload in ["{}", "null", "[1]", r#"{"token":null}"#, r#"{"Authorization":"Bearer "}"#, r#"{"token":7}"#] {
            assert_eq!(token(payload, None), None, "{payload}");
            assert_eq!(token(payload, Some("Bearer h")).as_deref(), Some("h"), "{payload}");
        }
        assert_eq!(Greeting::read(None, None), Greeting::default());
    }

    #[test]
    fn the_cursor_is_found() {
        let payload = RawValue::from_string(r#"{"resume":"abc","clientName":"Kiosk"}"#.to_owned()).unwrap();
        let greeting = Greeting::read(Some(&payload), None);
        assert_eq!((greeting.resume.as_deref(), greeting.client.as_deref()), (Some("abc"), Some("Kiosk")));
    }
}
