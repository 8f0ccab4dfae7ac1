//! Texts that people type, checked before anything is stored. Lengths count characters, not bytes.

use super::{Code, Error, Result};

/// Characters in a display name at most.
pub const DISPLAY_NAME_MAX: usize = 80;
/// Characters in a job's or an announcement's title at most.
pub const TITLE_MAX: usize = 120;
/// Characters in a description at most.
pub const DESCRIPTION_MAX: usize = 5_000;
/// Characters in a chat message at most.
pub const MESSAGE_MAX: usize = 2_000;
/// Characters in a review at most.
pub const REVIEW_MAX: usize = 2_000;
/// Characters in the note of an offer or the reason of a cancellation at most.
pub const NOTE_MAX: usize = 1_000;
/// Characters in a password at least and at most. The upper end keeps hashing bounded.
pub const PASSWORD_MIN: usize = 8;
/// See [`PASSWORD_MIN`].
pub const PASSWORD_MAX: usize = 200;
/// Characters in an idempotency key or a client's message id at most.
pub const KEY_MAX: usize = 255;

/// One line: trimmed, not empty, no control characters.
pub fn line(value: &str, max: usize) -> Result<String> {
    required(value, max, |c| c.is_control() || is_override(c))
}

/// Several lines: trimmed, not empty, no control characters but line breaks and tabs.
pub fn paragraphs(value: &str, max: usize) -> Result<String> {
    required(value, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Like [`paragraphs`], and empty is fine.
pub fn optional_paragraphs(value: &str, max: usize) -> Result<String> {
    if value.trim().is_empty() { Ok(String::new()) } else { paragraphs(value, max) }
}

/// A chat message: control characters are dropped rather than refused, since keyboards and pastes bring them.
pub fn message(value: &str) -> Result<String> {
    let clean: String = value.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    required(&clean, MESSAGE_MAX, |_| false)
}

/// A key that a client made: 1 to 255 visible characters.
pub fn key(value: &str) -> Result<String> {
    required(value, KEY_MAX, char::is_control)
}

/// A password: only its length counts, every character is fine.
pub fn password(value: &str) -> Result<&str> {
    match value.chars().count() {
        length if length < PASSWORD_MIN => {
            Err(Error::new(Code::Invalid, format!("A password has at least {PASSWORD_MIN} characters.")))
        }
        length if length > PASSWORD_MAX => Err(too_long(PASSWORD_MAX)),
        _ => Ok(value),
    }
}

/// An e-mail address in the form that it is compared in: trimmed and in lower case.
pub fn email(value: &str) -> Result<String> {
    let value = value.trim();
    // Quoted names, addresses of machines and letters beyond ASCII are allowed on paper, and few mail servers take them.
    let is_common = value.is_ascii() && !value.contains(['"', '[', '(', '<']);
    if !is_common || !email_address::EmailAddress::is_valid(value) || !value.contains('.') {
        return Err(Error::new(Code::Invalid, "Write an e-mail address such as ada@example.org."));
    }
    Ok(value.to_lowercase())
}

fn required(value: &str, max: usize, refused: impl Fn(char) -> bool) -> Result<String> {
    let value = value.trim();
    if value.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(Error::new(Code::Invalid, "This must not be empty."));
    }
    if value.chars().count() > max {
        return Err(too_long(max));
    }
    if value.chars().any(refused) {
        return Err(Error::new(Code::Invalid, "Control characters are not allowed here."));
    }
    Ok(value.to_owned())
}

/// Characters that show nothing. Within a text they have their use, such as joining emoji; alone they are no text.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Turns the direction of what follows, so that a line reads as another one.
const fn is_override(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

fn too_long(max: usize) -> Error {
    Error::new(Code::TooLong, format!("At most {max} characters fit here."))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_long_and_control_characters_are_refused() {
        assert_eq!(line("  ", 5).unwrap_err().code, Code::Invalid);
        assert_eq!(line("sechs!", 5).unwrap_err().code, Code::TooLong);
        assert_eq!(line("a\nb", 5).unwrap_err().code, Code::Invalid);
        assert_eq!(paragraphs("a\nb", 5).unwrap(), "a\nb");
        assert_eq!(line(" ünïcö ", 5).unwrap(), "ünïcö");
        assert_eq!(line("\u{200b}\u{feff}", 5).unwrap_err().code, Code::Invalid);
        assert_eq!(line("a\u{202e}b", 5).unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn a_message_loses_its_control_characters() {
        assert_eq!(message("hi\u{7}\u{0} there\n").unwrap(), "hi there");
        assert_eq!(message("\u{0}").unwrap_err().code, Code::Invalid);
        assert_eq!(message(&"x".repeat(MESSAGE_MAX + 1)).unwrap_err().code, Code::TooLong);
    }

    #[test]
    fn addresses_compare_in_lower_case() {
        assert_eq!(email(" Ada@Example.ORG ").unwrap(), "ada@example.org");
        for bad in [
            "\"a b\"@x.org",
            "é@ü.org",
            "a@[127.0.0.1]",
            "",
            "ada",
            "ada@",
            "@example.org",
            "a b@example.org",
            "ada@localhost",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
