//! Just enough of Rust's grammar to read paths: words and signs, without comments, texts and test code.

/// The words and signs of the program itself: what is compiled for tests only is left out.
pub fn program(source: &str) -> Vec<String> {
    without_tests(&tokens(source))
}

/// Splits into words, `::` and single signs; comments and the content of texts vanish.
fn tokens(source: &str) -> Vec<String> {
    let text: Vec<char> = source.chars().collect();
    let at = |i: usize| text.get(i).copied().unwrap_or('\0');
    let mut out = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let c = text[i];
        if c == '/' && at(i + 1) == '/' {
            while i < text.len() && text[i] != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = after_comment(&text, i);
        } else if c == '"' {
            i = after_text(&text, i);
        } else if c == '\'' {
            // A character, unless it is a lifetime: that has no closing quote.
            i = match (at(i + 1), at(i + 2)) {
                ('\\', _) => (i + 3..text.len()).find(|&end| text[end] == '\'').map_or(text.len(), |end| end + 1),
                (_, '\'') => i + 3,
                _ => i + 1,
            };
        } else if c.is_alphanumeric() || c == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            let word: String = text[start..i].iter().collect();
            match after_raw_text(&text, i).filter(|_| word == "r" || word == "br" || word == "cr") {
                Some(end) => i = end,
                None => out.push(word),
            }
        } else if c == ':' && at(i + 1) == ':' {
            out.push("::".into());
            i += 2;
        } else {
            if !c.is_whitespace() {
                out.push(c.into());
            }
            i += 1;
        }
    }
    out
}

/// Behind a block comment that begins at `i`; they nest.
fn after_comment(text: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < text.len() {
        match (text[i], text.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

/// Behind a text that begins with the quote at `i`.
fn after_text(text: &[char], mut i: usize) -> usize {
    i += 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Behind a raw text, if the `#"..` at `i` begins one.
fn after_raw_text(text: &[char], i: usize) -> Option<usize> {
    let hashes = text[i..].iter().take_while(|&&c| c == '#').count();
    let body = i + hashes + 1;
    if text.get(body - 1) != Some(&'"') {
        return None;
    }
    let closes = |&end: &usize| text[end] == '"' && text[end + 1..].iter().take_while(|&&c| c == '#').count() >= hashes;
    Some((body..text.len()).find(closes).map_or(text.len(), |end| end + 1 + hashes))
}

/// Drops each item under `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let starts =
        |i: usize, signs: &[&str]| signs.iter().enumerate().all(|(n, s)| tokens.get(i + n).is_some_and(|t| t == s));
    let mut out = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let for_tests = starts(i, &["#", "[", "cfg", "(", "test", ")", "]"])
            || starts(i, &["#", "[", "cfg", "(", "all", "(", "test", ","]);
        if !for_tests {
            out.push(tokens[i].clone());
            i += 1;
            continue;
        }
        while starts(i, &["#", "["]) {
            i = after_bracket(tokens, i + 1);
        }
        i = after_item(tokens, i);
    }
    out
}

/// Behind the item that begins at `i`: it ends with a `;`, or with its block.
fn after_item(tokens: &[String], mut i: usize) -> usize {
    let ends_with_block = tokens[i..].iter().take_while(|t| *t != "{" && *t != ";").all(|t| t != "use" && t != "=");
    while i < tokens.len() {
        match tokens[i].as_str() {
            ";" => return i + 1,
            "{" if ends_with_block => return after_bracket(tokens, i),
            "{" | "(" | "[" => i = after_bracket(tokens, i),
            _ => i += 1,
        }
    }
    i
}

/// Behind the bracket that closes the one at `i`.
fn after_bracket(tokens: &[String], mut i: usize) -> usize {
    let mut depth = 0;
    while i < tokens.len() {
        match tokens[i].as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        i += 1;
        if depth == 0 {
            break;
        }
    }
    i
}

#[cfg(test)]
mod tests {
    use super::program;

    fn shown(source: &str) -> String {
        program(source).join(" ")
    }

    #[test]
    fn comments_and_texts_are_no_program() {
        assert_eq!(shown("a // b\n/// c\n/* d /* e */ f */ g"), "a g");
        assert_eq!(shown(r##"a("x \" y", r"\", r#"b " c"#, b"d")"##), "a ( , , , b )");
        assert_eq!(shown(r"if c == '\'' || c == '\u{7f}' || c == '\\' || c == 'x' { 'outer: loop {} }"), {
            "if c = = | | c = = | | c = = | | c = = { outer : loop { } }"
        });
    }

    #[test]
    fn test_code_is_no_program() {
        assert_eq!(shown("a; #[cfg(test)] mod tests { use b; fn c() { d } } e"), "a ; e");
        assert_eq!(shown("#[cfg(test)] mod tests; #[cfg(test)] use a::{b, c}; d"), "d");
        assert_eq!(shown("#[cfg(test)] #[allow(x)] fn a(b: [u8; 3]) { c } d"), "d");
        assert_eq!(shown("#[cfg(all(test, unix))] const A: B = B { c: 1 }; d"), "d");
        assert_eq!(shown("#[cfg(not(test))] fn a() {}"), "# [ cfg ( not ( test ) ) ] fn a ( ) { }");
    }
}
