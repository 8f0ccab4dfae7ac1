//! How a line is read.

use std::time::Duration;

use super::commands::{Command, Source, find};
use super::documents::JOINS;

/// How long `expect` waits if it is not told.
const EXPECT: Duration = Duration::from_secs(10);

/// Reads a line; an empty one and a comment are none.
pub fn parse(line: &str) -> Result<Option<Command>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let known = find(name)?;
    let usage = || Err(format!("it is: {} {}", known.name, known.usage));
    let words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    let word = |n: usize| words.get(n).cloned();
    let command = match (known.name, words.as_slice()) {
        ("ping", []) => Command::Ping,
        ("login", _) => Command::Login { email: word(0), password: behind(rest, 1) },
        ("signup", [role, email, _, ..]) => {
            let role = one_of(role, &["customer", "contractor"])?.to_uppercase();
            let password = behind(rest, 2).unwrap_or_default();
            Command::Signup { email: email.clone(), password, role }
        }
        ("logout", []) => Command::Logout,
        ("whoami", []) => Command::Whoami,
        ("as", [name]) => Command::As(name.clone()),
        ("join", [kind, ids @ ..]) if !ids.is_empty() => {
            let kind = one_of(kind, &JOINS.map(|(kind, _)| kind))?;
            Command::Join { kind, ids: ids.to_vec() }
        }
        ("leave", [] | [_]) => Command::Leave(word(0)),
        ("say", [_, ..]) => Command::Say(rest.to_owned()),
        ("typing", [state]) => Command::Typing(one_of(state, &["on", "off"])? == "on"),
        ("watch", [view, arguments @ ..]) => return watch(view, arguments).map(Some),
        ("query", [_, ..]) => query(rest)?,
        ("let", [name, path]) => Command::Let { name: name.clone(), path: path.clone() },
        ("expect", [_, ..]) => expect(rest)?,
        ("refused", [code, _, ..]) => {
            let command = parse(rest.strip_prefix(code.as_str()).unwrap_or_default())?;
            let Some(command) = command else { return usage() };
            Command::Refused { code: code.clone(), command: Box::new(command) }
        }
        ("status", []) => Command::Status,
        ("history", []) => Command::History,
        ("frames", [state]) => Command::Frames(one_of(state, &["on", "off"])? == "on"),
        ("help", [] | [_]) => Command::Help(word(0)),
        ("exit", []) => Command::Exit,
        _ => return usage(),
    };
    Ok(Some(command))
}

/// The rest of a line behind so many words, if there is one.
fn behind(line: &str, words: usize) -> Option<String> {
    let rest =
        (0..words).try_fold(line, |rest, _| rest.split_once(char::is_whitespace).map(|(_, rest)| rest.trim_start()));
    rest.filter(|rest| !rest.is_empty()).map(str::to_owned)
}

fn one_of(word: &str, names: &[&str]) -> Result<String, String> {
    let known = names.contains(&word).then(|| word.to_owned());
    known.ok_or_else(|| format!("`{word}` is none of {}", names.join(", ")))
}

fn watch(view: &str, words: &[String]) -> Result<Command, String> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name(view) {
        return Err(format!("`{view}` is no subscription; for a document of your own there is `query`"));
    }
    let (mut arguments, mut after) = (Vec::new(), None);
    for word in words {
        match word.split_once('=') {
            Some(("after", cursor)) => after = Some(cursor.to_owned()),
            Some((name, value)) if is_name(name) => arguments.push((name.to_owned(), value.to_owned())),
            _ => return Err(format!("`{word}` is no argument: it is NAME=VALUE")),
        }
    }
    Ok(Command::Watch { view: view.to_owned(), arguments, after })
}

/// Splits a document, in a file or in the line, from its variables.
fn query(rest: &str) -> Result<Command, String> {
    let begins = ["{", "query", "mutation", "subscription", "fragment"];
    let first = rest.split(|c: char| c.is_whitespace() || c == '{' || c == '(').next().unwrap_or_default();
    let is_inline = rest.starts_with('{') || begins.contains(&first) && rest.contains('{');
    let is_object = |text: &str| matches!(serde_json::from_str(text), Ok(serde_json::Value::Object(_)));
    if is_inline {
        // The last bracket that opens at the top, if what follows is JSON: no selection is.
        let places = rest.match_indices('{').map(|(place, _)| place).filter(|place| *place > 0);
        let split = places.into_iter().find(|place| is_object(&rest[*place..]));
        let (document, variables) = split.map_or((rest, "{}"), |place| rest.split_at(place));
        return Ok(Command::Query {
            source: Source::Inline(document.trim().to_owned()),
            variables: variables.to_owned(),
        });
    }
    let (file, variables) = rest.split_once(char::is_whitespace).unwrap_or((rest, "{}"));
    if !is_object(variables) {
        return Err(format!("the variables are no JSON object: {variables}"));
    }
    Ok(Command::Query { source: Source::File(file.to_owned()), variables: variables.to_owned() })
}

fn expect(rest: &str) -> Result<Command, String> {
    let timed = rest.rsplit_once(" within ").and_then(|(text, time)| Some((text.trim(), duration(time.trim())?)));
    let (text, within) = timed.unwrap_or((rest, EXPECT));
    if text.is_empty() { Err("expect what?".to_owned()) } else { Ok(Command::Expect { text: text.to_owned(), within }) }
}

/// Reads `500ms`, `5s` or `2m`.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(ms).map(Duration::from_millis)
}

/// Whether a line goes on in the next one: a bracket is open.
pub fn is_open(line: &str) -> bool {
    let (mut depth, mut in_text, mut is_escaped) = (0_i32, false, false);
    for c in line.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            '{' | '(' | '[' if !in_text => depth += 1,
            '}' | ')' | ']' if !in_text => depth -= 1,
            _ => {}
        }
    }
    depth > 0 && line.split_whitespace().any(|word| word == "query")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::commands::ENTRIES;

    fn read(line: &str) -> Command {
        parse(line).unwrap().unwrap()
    }

    #[test]
    fn every_command_can_be_read_and_is_explained() {
        for entry in &ENTRIES {
            assert!(!entry.about.is_empty(), "{}", entry.name);
            let refusal = parse(&format!("{} a b c d e f", entry.name));
            let takes_any = ["join", "login", "say", "watch", "expect", "query", "refused"].contains(&entry.name);
            assert!(takes_any || refusal.is_err(), "{}", entry.name);
        }
        assert_eq!([parse("  "), parse("# ping")], [Ok(None), Ok(None)]);
    }

    #[test]
    fn the_nearest_command_is_named() {
        for (wrong, right) in
            [("lgoin", "login"), ("pnig", "ping"), ("watc", "watch"), ("Exit", "exit"), ("qurey", "query")]
        {
            assert!(parse(wrong).unwrap_err().contains(&format!("`{right}`")), "{wrong}");
        }
        assert!(!parse("frobnicate").unwrap_err().contains("did you mean"));
        assert!(parse("join room x").unwrap_err().contains("conversation"));
        assert!(parse("typing maybe").is_err() && parse("let x").unwrap_err().contains("NAME PATH"));
    }

    #[test]
    fn a_password_is_the_rest_of_its_line() {
        let login = |email: Option<&str>, password: Option<&str>| Command::Login {
            email: email.map(str::to_owned),
            password: password.map(str::to_owned),
        };
        assert_eq!(read("login"), login(None, None));
        assert_eq!(read("login a@b"), login(Some("a@b"), None));
        assert_eq!(read("login a@b  correct  horse "), login(Some("a@b"), Some("correct  horse")));
        let wanted = Command::Signup { email: "a@b".into(), password: "c d".into(), role: "CUSTOMER".into() };
        assert_eq!(read("signup customer a@b c d"), wanted);
        assert!(parse("signup admin a@b c").is_err());
    }

    #[test]
    fn documents_are_told_from_their_variables() {
        let inline = |document: &str, variables: &str| Command::Query {
            source: Source::Inline(document.to_owned()),
            variables: variables.to_owned(),
        };
        assert_eq!(read("query { viewer { email } }"), inline("{ viewer { email } }", "{}"));
        let document = "mutation ($input: JobPostInput!) { jobPost(input: $input) { job { id } } }";
        let variables = r#"{"input": {"title": "A { b }"}}"#;
        assert_eq!(read(&format!("query {document} {variables}")), inline(document, variables));
        assert_eq!(read("query query A { a }"), inline("query A { a }", "{}"));
        let file = Command::Query { source: Source::File("a.graphql".into()), variables: r#"{"a": 1}"#.into() };
        assert_eq!(read(r#"query a.graphql {"a": 1}"#), file);
        assert!(parse("query a.graphql nonsense").is_err());
    }

    #[test]
    fn expectations_have_a_time() {
        let within = |line: &str| match read(line) {
            Command::Expect { text, within } => (text, within.as_millis()),
            other => panic!("{other:?}"),
        };
        assert_eq!(within("expect a b"), ("a b".into(), 10_000));
        assert_eq!(within("expect a within reach within 500ms"), ("a within reach".into(), 500));
        assert_eq!(within("expect well within sight"), ("well within sight".into(), 10_000));
        assert_eq!(
            ["5s", "2m", "x", "5", "5h", "99999999999999999999s"].map(|it| duration(it).is_some()),
            [true, true, false, false, false, false]
        );
    }

    #[test]
    fn a_line_goes_on_while_a_bracket_is_open() {
        assert!(is_open("query { a {") && is_open("refused X query mutation { a("));
        assert!(!is_open("query { a }") && !is_open("say :(") && !is_open(r#"query { a(b: "{") }"#));
    }

    #[test]
    fn arguments_of_a_subscription() {
        let wanted = Command::Watch {
            view: "bookingChanged".into(),
            arguments: vec![("bookingId".into(), "b=1".into())],
            after: Some("c".into()),
        };
        assert_eq!(read("watch bookingChanged bookingId=b=1 after=c"), wanted);
        assert!(parse("watch { a }").is_err() && parse("watch a b").is_err());
    }
}
