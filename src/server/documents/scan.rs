//! The first gate: one pass over the bytes of a document that recurses nowhere and stops at the first excess.
//!
//! It is a lexer and a stack of open brackets, nothing more. That is enough to count everything exactly that the
//! parser's time and stack depend on:
//!
//! - a definition is a `{` outside of all brackets, a fragment is one whose first word is `fragment`;
//! - an alias is a `:` directly inside a selection, and a `{` opens a selection unless a `(` or `[` is around it;
//! - a directive is an `@`.
//!
//! Where the grammar of GraphQL and that of the parser differ, the scan keeps to the stricter one, or counts what the
//! parser would make of it: the parser reads `00` as two numbers and `[truetrue]` as two booleans.

use async_graphql::Pos;

use super::{Limits, Refusal, RefusalCode, lexemes};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const SPLIT: &str = "Ask for less at once, or split it into several requests.";

/// What a document is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) tokens: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    pub(super) operations: usize,
    pub(super) fragments: usize,
}

/// Counts what is in `text`, or refuses it at the first place that breaks a limit or cannot be GraphQL.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<Counts, Refusal> {
    if text.len() > limits.bytes {
        return Err(Refusal::too_large(limits.bytes, "bytes", SPLIT));
    }
    let scan =
        Scan { bytes: text.as_bytes(), at: 0, limits, open: Vec::new(), counts: Counts::default(), definition: None };
    scan.run().map_err(|(refusal, at)| refusal.at(position(text, at)))
}

/// A bracket that is not closed yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Selection,
    Object,
    Arguments,
    List,
}

impl Open {
    const fn closer(self) -> u8 {
        match self {
            Open::Selection | Open::Object => b'}',
            Open::Arguments => b')',
            Open::List => b']',
        }
    }
}

/// The refusal, and the byte that it points at.
type Stop = (Refusal, usize);

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
    open: Vec<Open>,
    counts: Counts,
    /// Whether the definition that has begun is a fragment; nothing between definitions.
    definition: Option<bool>,
}

impl Scan<'_> {
    fn run(mut self) -> Result<Counts, Stop> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                b'#' => self.at = lexemes::comment_end(self.bytes, start),
                0xEF if self.bytes[self.at..].starts_with(BYTE_ORDER_MARK) => self.at += BYTE_ORDER_MARK.len(),
                _ => {
                    self.token(byte)?;
                    within(self.counts.tokens, self.limits.tokens, "tokens", start)?;
                }
            }
        }
        if !self.open.is_empty() || self.definition.is_some() {
            return Err(self.syntax("the document ends in the middle of a definition", self.at));
        }
        if self.counts.operations + self.counts.fragments == 0 {
            return Err(self.syntax("the document is empty", 0));
        }
        Ok(self.counts)
    }

    /// Reads the one token that begins here with `byte`.
    fn token(&mut self, byte: u8) -> Result<(), Stop> {
        self.counts.tokens += 1;
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.name(),
            b'-' | b'0'..=b'9' => return self.skip_to(lexemes::number_end(self.bytes, self.at), "this is no number"),
            b'"' => return self.skip_to(lexemes::string_end(self.bytes, self.at), "this string has no end"),
            b'{' | b'[' | b'(' => return self.opening(byte),
            b'}' | b']' | b')' => return self.closing(byte),
            b'.' if self.bytes[self.at..].starts_with(b"...") => self.at += 3,
            b':' => return self.colon(),
            b'@' => {
                self.counts.directives += 1;
                within(self.counts.directives, self.limits.directives, "directives", self.at)?;
                self.at += 1;
            }
            b'!' | b'$' | b'&' | b'=' | b'|' => self.at += 1,
            _ => return Err(self.syntax("this character has no meaning here", self.at)),
        }
        Ok(())
    }

    fn name(&mut self) {
        let start = self.at;
        self.at = lexemes::name_end(self.bytes, start);
        let name = &self.bytes[start..self.at];
        if self.definition.is_none() {
            self.definition = Some(name.starts_with(b"fragment"));
        }
        // The parser takes such words apart, with one value for every four or five letters.
        let glued = [&b"true"[..], b"false", b"null"].iter().any(|word| name.starts_with(word));
        if glued && self.open.last() == Some(&Open::List) {
            self.counts.tokens += (name.len() - 1) / 4;
        }
    }

    /// Goes on behind a lexeme, if it is complete.
    fn skip_to(&mut self, end: Option<usize>, problem: &str) -> Result<(), Stop> {
        self.at = end.ok_or_else(|| self.syntax(problem, self.at))?;
        Ok(())
    }

    fn opening(&mut self, byte: u8) -> Result<(), Stop> {
        let open = match (byte, self.open.last()) {
            (b'{', None) => {
                self.begin_body()?;
                Open::Selection
            }
            (b'{', Some(Open::Selection)) => Open::Selection,
            (b'{', Some(_)) => Open::Object,
            (b'(', _) => Open::Arguments,
            _ => Open::List,
        };
        within(self.open.len() + 1, self.limits.nesting, "levels of brackets", self.at)?;
        self.open.push(open);
        self.at += 1;
        Ok(())
    }

    /// A `{` outside of all brackets: the definition that has begun is complete but for its selections.
    fn begin_body(&mut self) -> Result<(), Stop> {
        if *self.definition.get_or_insert(false) {
            self.counts.fragments += 1;
            within(self.counts.fragments, self.limits.fragments, "fragments", self.at)
        } else {
            self.counts.operations += 1;
            within(self.counts.operations, self.limits.operations, "operations", self.at)
        }
    }

    fn closing(&mut self, byte: u8) -> Result<(), Stop> {
        match self.open.pop() {
            Some(open) if open.closer() == byte => {
                if self.open.is_empty() && open == Open::Selection {
                    self.definition = None;
                }
                self.at += 1;
                Ok(())
            }
            _ => Err(self.syntax("this bracket closes nothing", self.at)),
        }
    }

    fn colon(&mut self) -> Result<(), Stop> {
        if self.open.last() == Some(&Open::Selection) {
            self.counts.aliases += 1;
            within(self.counts.aliases, self.limits.aliases, "aliases", self.at)?;
        }
        self.at += 1;
        Ok(())
    }

    fn syntax(&self, what: &str, at: usize) -> Stop {
        (Refusal::new(RefusalCode::Syntax, format!("Syntax error: {what}.")), at)
    }
}

fn within(count: usize, limit: usize, what: &str, at: usize) -> Result<(), Stop> {
    if count <= limit { Ok(()) } else { Err((Refusal::too_large(limit, what, SPLIT), at)) }
}

/// Line and column of a byte. Only a refusal asks, so nothing is kept for it on the way.
fn position(text: &str, at: usize) -> Pos {
    let before = text.get(..at).unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Pos { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> Counts {
        scan(text, &Limits::default()).unwrap()
    }

    fn refusal(text: &str) -> Refusal {
        scan(text, &Limits::default()).unwrap_err()
    }

    #[test]
    fn counts_are_exact() {
        let text = r#"
            query A($x: In = { a: [1, -2.5e+3] }) @live { b: c(d: { e: "f: @", g: """h: \""" { @""" }) @skip(if: true) { i: j } }
            # k: l @m {
            mutation { n } fragment O on P @q { ...R ... @include(if: $x) { s } }
        "#;
        let counts = counts(text);
        assert_eq!((counts.aliases, counts.directives), (2, 4));
        assert_eq!((counts.operations, counts.fragments), (2, 1));
        assert_eq!(counts.tokens, 74);
    }

    #[test]
    fn words_of_the_parser_are_counted_as_it_reads_them() {
        assert_eq!(counts("{a(x:[true])}").tokens + 2, counts("{a(x:[truetruetrue])}").tokens);
        assert_eq!(counts("{a(x:[URGENT])}").tokens, counts("{a(x:[LEISURELY])}").tokens);
        assert_eq!(counts("fragmentF on Q{a} {a}").fragments, 1);
        assert_eq!(refusal("{a(x:[000])}").code, RefusalCode::Syntax);
    }

    #[test]
    fn every_limit_is_exact() {
        let limits = Limits {
            nesting: 3,
            tokens: 12,
            aliases: 1,
            directives: 1,
            fragments: 1,
            operations: 1,
            ..Limits::default()
        };
        let sound = ["{a{b(x:1)}}", "{a:b @c}", "query A{a} fragment B on C{d}", "{a b c d e f g h i j}"];
        for text in sound {
            assert!(scan(text, &limits).is_ok(), "{text}");
        }
        let excess = [
            ("{a{b(x:[1])}}", "3 levels of brackets"),
            ("{a:b c:d}", "1 aliases"),
            ("{a @b @c}", "1 directives"),
            ("{a}{b}", "1 operations"),
            ("fragment A on B{c}fragment D on E{f}", "1 fragments"),
            ("{a b c d e f g h i j k}", "12 tokens"),
        ];
        for (text, what) in excess {
            let refusal = scan(text, &limits).unwrap_err();
            assert_eq!(refusal.code, RefusalCode::TooLarge, "{text}");
            assert!(refusal.message.contains(what), "{text}: {}", refusal.message);
        }
    }

    #[test]
    fn strings_hide_what_is_in_them() {
        assert_eq!(counts(r#"{a(x:"\"{[(\\", y:"")}"#).tokens, 11);
        assert_eq!(counts("{a(x:\"\"\"\"{\n[\\\"\"\"\" \"\"\")}").tokens, 8);
        for unfinished in ["{a(x:\"b", "{a(x:\"b\n\")}", "{a(x:\"b\\", "{a(x:\"\"\"b\"\" )}", "{a(x:\"\"\"\\\"\"\""] {
            assert_eq!(refusal(unfinished).location, Some((1, 6)), "{unfinished}");
        }
    }

    #[test]
    fn what_cannot_be_a_document_is_refused_here() {
        for text in [
            "",
            " ,\u{feff}",
            "# only",
            "{",
            "{a",
            "}",
            "{a(]}",
            "query",
            "{a} b",
            "{a%}",
            "{ä}",
            "{a..b}",
            "{a(x:1x)}",
            "{a(x:-)}",
        ] {
            assert_eq!(refusal(text).code, RefusalCode::Syntax, "{text}");
        }
    }

    #[test]
    fn a_refusal_points_at_characters_not_bytes() {
        assert_eq!(refusal("{a\r\n b(x:\"öö\" % )}").location, Some((2, 11)));
        assert_eq!(refusal("{a\r b %}").location, Some((2, 4)));
    }
}
