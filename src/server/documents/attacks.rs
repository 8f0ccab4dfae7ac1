//! Documents made to overflow the stack or to keep a processor busy, and that each is refused before it does.

use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
use proptest::prelude::*;

use super::{
    Limits, Refusal, RefusalCode, check, check_json_depth, check_variables, scan, tests::FULL_INTROSPECTION,
    uses_of_variables,
};

/// Longer than any refusal takes, also unoptimised and on a machine that is busy; what grows without bound takes seconds.
const SOON: Duration = Duration::from_millis(50);

/// Runs `attack` until one run was undisturbed by other work on this machine, and gives its refusal.
fn refused_soon(name: &str, attack: impl Fn() -> Result<(), Refusal>) -> Refusal {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        let result = attack();
        best = best.min(start.elapsed());
        let refusal = result.err().unwrap_or_else(|| panic!("{name} passed"));
        if best < SOON {
            return refusal;
        }
    }
    panic!("{name} took {best:?}");
}

fn document(name: &str, text: &str, limits: &Limits) -> Refusal {
    refused_soon(name, || check(text, limits).map(drop))
}

/// Limits under which the length of a text refuses nothing, so that what is behind it is tried.
fn any_length() -> Limits {
    Limits { bytes: usize::MAX, ..Limits::default() }
}

#[test]
fn nested_brackets() {
    for bytes in [4 * 1024, 64 * 1024, 1024 * 1024] {
        for (start, bracket) in
            [("{a(x:", "["), ("{a(x:", "{b:"), ("", "{a"), ("{", "...{"), ("query($x:", "["), ("query($x:A=", "[")]
        {
            let text = format!("{start}{}", bracket.repeat(bytes / bracket.len()));
            for limits in [Limits::default(), Limits::signed_in(), any_length()] {
                let refusal = document(bracket, &text, &limits);
                assert_eq!(refusal.code, RefusalCode::TooLarge, "{bytes} bytes of {bracket}");
            }
        }
    }
}

#[test]
fn exponential_fragments() {
    let chain = |n: usize| format!("fragment F{n} on Query{{{}}}", format!("...F{}", n + 1).repeat(10));
    let text = format!("{{...F0}}{}fragment F30 on Query{{a}}", (0..30).map(chain).collect::<String>());
    let refusal = document("exponential fragments", &text, &Limits::default());
    assert_eq!(refusal.code, RefusalCode::TooLarge);
}

#[test]
fn long_chains_of_fragments() {
    let nested = |n: usize| format!("fragment F{n} on Q{{{}...F{}{}}}", "...{".repeat(4), n + 1, "}".repeat(4));
    let text = format!("{{...F0}}{}fragment F199 on Q{{a}}", (0..199).map(nested).collect::<String>());
    assert!(check(&text, &Limits::default()).unwrap_err().message.contains("33 selections below each other"));
    let unbounded = Limits { levels: usize::MAX, ..Limits::default() };
    assert!(check(&text, &unbounded).is_ok(), "the gates themselves need no stack for it");
}

#[test]
fn cyclic_fragments() {
    for text in [
        "{...A}fragment A on Q{...A}",
        "{a}fragment A on Q{b{...B}}fragment B on Q{...{...A}}",
        "{...A}fragment A on Q{...B ...B}fragment B on Q{...A ...A}",
    ] {
        assert!(document("a cycle", text, &Limits::default()).message.contains(" > "), "{text}");
    }
}

#[test]
fn too_many_of_a_kind() {
    for (name, text) in [
        ("aliases", format!("{{{}}}", "a:b ".repeat(10_000))),
        ("directives", format!("{{a {}}}", "@b ".repeat(1_000))),
        ("directives", format!("query {} {{a}}", "@b(c:1)".repeat(1_000))),
        ("operations", "query A{a}".repeat(1_000)),
        ("fragments", "fragment A on B{c}".repeat(1_000)),
        ("tokens", format!("{{{}}}", "a ".repeat(512 * 1024))),
        ("tokens", format!("{{a(b:[{}])}}", "true".repeat(16 * 1024))),
        ("tokens", format!("query({}){{a}}", "$a:B ".repeat(10_000))),
        ("tokens", format!("{{a(b:[{}])}}", "\"\"".repeat(16 * 1024))),
    ] {
        let refusal = document(name, &text, &any_length());
        assert_eq!(refusal.code, RefusalCode::TooLarge);
        assert!(refusal.message.contains(name), "{name}: {}", refusal.message);
        assert!(refusal.location.is_some());
    }
    let body = "a ".repeat(512 * 1024);
    assert!(document("a long body", &body, &Limits::signed_in()).message.contains("65536 bytes"));
}

#[test]
fn values_repeated_by_fragments() {
    let text = format!("{{{}}}fragment F on Q{{a(x:[{}])}}", "...F ".repeat(1_000), "1 ".repeat(1_500));
    // Not an attack on the gates but on what is behind them, and parsing it is most of what refusing it takes.
    assert_eq!(check(&text, &Limits::default()).unwrap_err().code, RefusalCode::TooLarge);
}

#[test]
fn unfinished_texts() {
    let filler = "x".repeat(60 * 1024);
    for (name, text) in [
        ("a string", format!("{{a(x:\"{filler}")),
        ("a string of escapes", format!("{{a(x:\"{}", "\\\"".repeat(30 * 1024))),
        ("a block string", format!("{{a(x:\"\"\"{filler}")),
        ("a block string of escapes", format!("{{a(x:\"\"\"{}", "\\\"\"\"".repeat(15 * 1024))),
        ("comments only", "#\n".repeat(32 * 1024)),
        ("one comment", format!("#{filler}")),
        ("blanks only", " ,\t\n".repeat(16 * 1024)),
        ("a number", format!("{{a(x:{}", "0".repeat(60 * 1024))),
        ("a selection", format!("{{{filler}")),
    ] {
        let refusal = document(name, &text, &Limits::signed_in());
        assert_eq!(refusal.code, RefusalCode::Syntax, "{name}");
    }
}

#[test]
fn deep_variables() {
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let json = format!("{{\"variables\":{}", open.repeat(1024 * 1024 / open.len()));
        let refusal = refused_soon(open, || check_json_depth(json.as_bytes()));
        assert_eq!(refusal.code, RefusalCode::TooLarge);
    }
}

#[test]
fn large_variables_in_many_places() {
    let text = format!("query($v:[Int]){{{}}}fragment F on Q{{{}}}", "...F ".repeat(20), "a(x:$v)".repeat(50));
    let parsed = check(&text, &Limits::default()).unwrap();
    let (_, operation) = parsed.operations.iter().next().unwrap();
    let refusal = refused_soon("variables", || {
        check_variables(uses_of_variables(&parsed, &operation.node).unwrap(), 1024 * 1024)
    });
    assert_eq!(refusal.code, RefusalCode::TooLarge);
}

/// The deepest texts that the gates let through, on a stack half as large as that of a worker thread.
#[test]
fn what_passes_fits_on_a_small_stack() {
    let levels = Limits::default().nesting;
    let filled = |start: &str, open: &str, leaf: &str, close: &str, end: &str| {
        let depth = levels - start.matches(['{', '(', '[']).count();
        format!("{start}{}{leaf}{}{end}", open.repeat(depth), close.repeat(depth))
    };
    let texts = [
        filled("{a(x:", "[", "1", "]", ")}"),
        filled("{a(x:", "{b:", "1", "}", ")}"),
        filled("{a", "{a", "", "}", "}"),
        filled("{", "...{", "a", "}", "}"),
        filled("{", "... on A @b{", "a", "}", "}"),
        filled("query($x:", "[", "Int", "]", "){a}"),
        filled("query($x:Int=", "[", "1", "]", "){a}"),
    ];
    let work = move || {
        let limits = Limits { depth: levels, ..Limits::default() };
        texts
            .iter()
            .map(|text| check(text, &limits).err().map(|refusal| format!("{refusal}: {text}")))
            .collect::<Vec<_>>()
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).unwrap();
    assert_eq!(thread.join().unwrap(), vec![None; 7]);
}

/// An object that leads to itself, to have something of any depth to run.
struct Endless;

#[Object]
impl Endless {
    async fn a(&self) -> Endless {
        Endless
    }

    async fn b(&self, x: Option<Vec<i32>>) -> usize {
        x.map_or(0, |x| x.len())
    }
}

/// The longest way down that the gates let through, in the engine, on the stack of a worker thread.
#[tokio::test]
async fn what_passes_can_be_run() {
    let limits = Limits::default();
    let fields = limits.depth - 1;
    // One level is the spread in the operation, one the last field.
    let spreads = limits.levels - fields - 2;
    let link = |n: usize| {
        let (open, close) = if n < fields { ("a{", "}") } else { ("", "") };
        format!("fragment F{n} on Endless{{{open}...F{}{close}}}", n + 1)
    };
    let chain: String = (0..spreads).map(link).collect();
    let text = format!("{{...F0}}{chain}fragment F{spreads} on Endless{{b(x:[1])}}");
    let document = check(&text, &limits).unwrap();
    let mut request = Request::new(text);
    request.set_parsed_query(document);
    let schema = Schema::new(Endless, EmptyMutation, EmptySubscription);
    assert_eq!(schema.execute(request).await.errors, vec![]);
}

/// Pieces of documents, so that random sequences get further than their first byte.
const PIECES: &[&str] = &[
    "{",
    "{",
    "}",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "!",
    "$",
    "@",
    "=",
    "...",
    "... on Q ",
    "fragment F on Q",
    "query ",
    "mutation ",
    "subscription ",
    "a ",
    "b ",
    "__schema",
    "F ",
    "...F ",
    "true",
    "null",
    "1",
    "-0.5e3",
    "\"s\"",
    "\"",
    "\"\"\"",
    "\\",
    "#",
    "\n",
    "\r",
    ",",
    " ",
    "\u{feff}",
    "\u{1F600}",
    "{a}",
    "(x:1)",
    "$v:[Int!]=",
    "{a(x:[{y:$z}])}",
    "fragment G on Q{...F}",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => "\\PC{0,4}"]
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = check(&String::from_utf8_lossy(&bytes), &Limits::default());
        let _ = check_json_depth(&bytes);
    }

    #[test]
    fn no_pieces_panic_and_counts_cover_what_is_parsed(pieces in proptest::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let limits = Limits::default();
        let counted = scan::scan(&text, &limits);
        if let Ok(document) = check(&text, &limits) {
            let counts = counted.unwrap();
            prop_assert_eq!(counts.operations, document.operations.iter().count());
            prop_assert_eq!(counts.fragments, document.fragments.len());
        }
    }

    #[test]
    fn no_damage_to_a_real_document_panics(at in 0..FULL_INTROSPECTION.len(), cut in 0..40_usize, put in piece()) {
        let head: String = FULL_INTROSPECTION.chars().take(at).collect();
        let tail: String = FULL_INTROSPECTION.chars().skip(at + cut).collect();
        let _ = check(&format!("{head}{put}{tail}"), &Limits::default());
    }
}
