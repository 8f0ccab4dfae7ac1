//! The JSON beside a document: its depth, before it is parsed, and how often it is copied.
//!
//! Variables are parsed into values that later code walks, clones and drops recursively, so deep ones are refused
//! while they are still bytes. The engine copies a variable's value wherever the variable stands, so large values in
//! many places are refused before validation.

use super::{Refusal, RefusalCode};

/// Levels of objects and arrays inside each other in the JSON of a request.
pub const MAX_JSON_DEPTH: usize = 64;
/// Bytes of variables times the places where a variable stands: a whole body of 1 MiB in 16 places.
pub const MAX_VARIABLE_BYTES: usize = 16 * 1024 * 1024;

/// Refuses JSON that nests objects and arrays more than [`MAX_JSON_DEPTH`] deep. One pass that looks at brackets
/// outside of strings; whether the rest is JSON at all is for the parser behind it to say.
pub fn check_json_depth(bytes: &[u8]) -> Result<(), Refusal> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match (byte, in_string) {
            (b'"', _) => in_string = !in_string,
            // Whatever is escaped ends nothing, a quote least of all.
            (b'\\', true) => {
                bytes.next();
            }
            (b'{' | b'[', false) => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    let message =
                        format!("JSON may nest at most {MAX_JSON_DEPTH} levels deep. Send flatter variables.");
                    return Err(Refusal::new(RefusalCode::TooLarge, message));
                }
            }
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses an operation that would have `bytes` of variables, as they were sent, copied to that many places.
pub fn check_variables(places: usize, bytes: usize) -> Result<(), Refusal> {
    if places.saturating_mul(bytes) <= MAX_VARIABLE_BYTES {
        return Ok(());
    }
    let message = format!(
        "{bytes} bytes of variables are too much for an operation that uses them in {places} places. \
         Send less at once, or split it into several requests."
    );
    Err(Refusal::new(RefusalCode::TooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_up_to_the_limit() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check_json_depth(nested(MAX_JSON_DEPTH).as_bytes()).is_ok());
        let refusal = check_json_depth(nested(MAX_JSON_DEPTH + 1).as_bytes()).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::TooLarge);
        let flat = format!("[{}1]", "[{}],".repeat(1_000));
        assert!(check_json_depth(flat.as_bytes()).is_ok());
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let quoted = format!(r#"{{"a\"{}\\": "{}"}}"#, "{".repeat(200), "[".repeat(200));
        assert!(check_json_depth(quoted.as_bytes()).is_ok());
        let behind = format!(r#"{{"a\\": {}"#, "[".repeat(200));
        assert!(check_json_depth(behind.as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_json_is_left_to_the_parser() {
        for odd in [&b"]]]]"[..], b"\"", b"\"\\", b"", b"\xff\xfe"] {
            assert!(check_json_depth(odd).is_ok());
        }
    }

    #[test]
    fn variables_weigh_as_often_as_they_are_used() {
        let text = "query($v: [Int]) { ...A ...A } fragment A on Q { a(x: $v) }";
        let document = async_graphql::parser::parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let places = super::super::uses_of_variables(&document, &operation.node).unwrap();
        let checked = |bytes| check_variables(places, bytes);
        assert!(checked(MAX_VARIABLE_BYTES / 2).is_ok());
        assert_eq!(checked(MAX_VARIABLE_BYTES / 2 + 1).unwrap_err().code, RefusalCode::TooLarge);
        assert!(checked(usize::MAX).is_err());
    }
}
