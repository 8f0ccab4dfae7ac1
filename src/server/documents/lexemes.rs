//! Where the longer pieces of a document end: names, numbers, strings, comments.
//!
//! Each function is given the place where such a piece begins and gives the place behind it, or nothing if the piece is
//! not finished. They follow the lexical grammar of GraphQL, where `00` is no number and `""" "` is no string.

const BLOCK_QUOTE: &[u8] = b"\"\"\"";
const ESCAPED_BLOCK_QUOTE: &[u8] = b"\\\"\"\"";

/// The end of the name that begins at `start`.
pub(super) fn name_end(bytes: &[u8], start: usize) -> usize {
    skip(bytes, start, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The end of the line that the comment at `start` takes.
pub(super) fn comment_end(bytes: &[u8], start: usize) -> usize {
    skip(bytes, start, |byte| byte != b'\n' && byte != b'\r')
}

/// The end of the number at `start`, unless it is malformed or something is glued to it.
pub(super) fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let at = |place: usize| bytes.get(place).copied();
    let integer = start + usize::from(at(start) == Some(b'-'));
    let mut end = digits(bytes, integer)?;
    if at(integer) == Some(b'0') && end > integer + 1 {
        return None;
    }
    if at(end) == Some(b'.') {
        end = digits(bytes, end + 1)?;
    }
    if matches!(at(end), Some(b'e' | b'E')) {
        let signed = matches!(at(end + 1), Some(b'+' | b'-'));
        end = digits(bytes, end + 1 + usize::from(signed))?;
    }
    let glued = at(end).is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'.');
    (!glued).then_some(end)
}

/// The end of the string or block string at `start`.
pub(super) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes[start..].starts_with(BLOCK_QUOTE) {
        return block_string_end(bytes, start);
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn block_string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + BLOCK_QUOTE.len();
    loop {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with(BLOCK_QUOTE) {
            return Some(at + BLOCK_QUOTE.len());
        }
        at += if rest.starts_with(ESCAPED_BLOCK_QUOTE) { ESCAPED_BLOCK_QUOTE.len() } else { 1 };
    }
}

/// The end of the digits at `start`, of which there must be one.
fn digits(bytes: &[u8], start: usize) -> Option<usize> {
    let end = skip(bytes, start, |byte| byte.is_ascii_digit());
    (end > start).then_some(end)
}

fn skip(bytes: &[u8], start: usize, keep: impl Fn(u8) -> bool) -> usize {
    let mut at = start;
    while bytes.get(at).copied().is_some_and(&keep) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_grammar_ends_them() {
        for (text, end) in [("0", 1), ("-0]", 2), ("12,", 2), ("1.50 2", 4), ("-9.9e-10)", 8), ("1E5", 3), ("0.0", 3)] {
            assert_eq!(number_end(text.as_bytes(), 0), Some(end), "{text}");
        }
        for text in ["-", "00", "-01", "1.", "1.e5", "1e", "1e+", "1x", "1_", "1.2.3", "1...", "--1"] {
            assert_eq!(number_end(text.as_bytes(), 0), None, "{text}");
        }
    }

    /// The end of a string that is written with `'` for `"`.
    fn end_of(text: &str) -> Option<usize> {
        string_end(text.replace('\'', "\"").as_bytes(), 0)
    }

    #[test]
    fn strings_end_at_the_first_quote_that_is_not_escaped() {
        for (text, end) in [("''", 2), ("'a' 'b'", 3), (r"'\\'", 4), (r"'\'' '", 4), ("'ö'", 4), ("''a'", 2)] {
            assert_eq!(end_of(text), Some(end), "{text}");
        }
        for text in ["'", "'a", "'a\n'", "'a\r'", r"'\", r"'\'"] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }

    #[test]
    fn block_strings_end_at_three_quotes() {
        for (text, end) in [("''''''", 6), ("'''a'b''c'''d", 12), ("'''\n'''", 7), (r"'''\'''''' '''", 10)] {
            assert_eq!(end_of(text), Some(end), "{text}");
        }
        for text in ["'''", "'''''", "'''a'' '", r"'''\'''", r"'''\\'''"] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }

    #[test]
    fn names_and_comments_end_where_their_characters_end() {
        assert_eq!(name_end(b"_a1-", 0), 3);
        assert_eq!(comment_end(b"# a { b\r\n", 0), 7);
        assert_eq!(comment_end(b"#", 0), 1);
    }
}
