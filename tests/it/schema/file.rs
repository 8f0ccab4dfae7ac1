//! The file itself: what other tools meet when they read it.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use gigwire::resolvers::sdl;

use super::text;

/// Directives that every tool knows: printing them again is an error to some.
const BUILT_IN: [&str; 5] = ["include", "skip", "deprecated", "specifiedBy", "oneOf"];

/// What is wrong with the form of a schema's text.
fn malformed(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut is_prose = false;
    let mut seen = BTreeSet::new();
    for (n, line) in text.lines().enumerate() {
        let place = n + 1;
        if line.matches("\"\"\"").count() == 1 {
            is_prose = !is_prose;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.contains('\t') || line.trim_end() != line || (!is_prose && indent % 2 == 1) {
            wrong.push(format!("{place}: is indented by two spaces and ends with its text"));
        }
        let words: Vec<_> = line.split([' ', '(']).collect();
        if let (false, ["type" | "interface" | "union" | "enum" | "input" | "scalar" | "directive", name, ..]) =
            (is_prose || indent > 0, &words[..])
        {
            if !seen.insert((*name).to_owned()) {
                wrong.push(format!("{place}: {name} is there twice"));
            }
            if name.strip_prefix('@').is_some_and(|name| BUILT_IN.contains(&name)) {
                wrong.push(format!("{place}: {name} is built in"));
            }
        }
    }
    if !text.ends_with("}\n") && !text.ends_with(")\n") {
        wrong.push("the end: one line end behind the last type".to_owned());
    }
    match sdl::print(text) {
        Ok(printed) if printed != text => wrong.push("is not sorted, or not as it is printed".to_owned()),
        Ok(_) => {}
        Err(error) => wrong.push(error.message),
    }
    wrong
}

#[test]
fn the_file_is_as_it_is_printed() {
    let wrong = malformed(&text());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let good = "\"\"\"\nA text that\n   goes on.\n\"\"\"\ntype Query {\n  a: Int\n}\n";
    assert_eq!(malformed(good), Vec::<String>::new());
    for (bad, findings) in [
        ("type Query {\n  b: Int\n  a: Int\n}\n", 1),
        ("type Query {\n\ta: Int\n}\n", 2),
        ("type Query {\n   a: Int\n}\n", 2),
        ("type Query {\n  a: Int\n}", 2),
        ("type A {\n  a: Int\n}\n\ntype A {\n  a: Int\n}\n", 1),
        ("directive @skip(if: Boolean!) on FIELD\n\ntype Query {\n  a: Int\n}\n", 2),
        ("type Query {\n", 2),
    ] {
        assert_eq!(malformed(bad).len(), findings, "{bad}{:?}", malformed(bad));
    }
}

#[test]
fn it_is_a_valid_schema() {
    // The validator does not know this directive yet, which the specification of September 2025 builds in.
    let whole = format!("directive @oneOf on INPUT_OBJECT\n{}", text());
    if let Err(refused) = Schema::parse_and_validate(whole, "schema.graphql") {
        panic!("{}", refused.errors);
    }
    let broken = "type Query { a: Nothing } interface I { a: Int } type T implements I { b: Int }";
    assert!(Schema::parse_and_validate(broken, "broken.graphql").is_err());
}
