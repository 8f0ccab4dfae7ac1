//! The commands: what they are called, and what `help` says of them.
//!
//! To add one: an entry of [`ENTRIES`], a variant of [`Command`], an arm in `parse.rs` and one in `console.rs`.

use std::time::Duration;

use super::documents::{JOINS, VIEWS};

/// What `help` says of a command.
pub struct Entry {
    /// Its first word.
    pub name: &'static str,
    /// What follows.
    pub usage: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What there is more to know.
    pub more: &'static str,
}

const fn entry(name: &'static str, usage: &'static str, about: &'static str, more: &'static str) -> Entry {
    Entry { name, usage, about, more }
}

/// All commands, in the order of `help`.
pub const ENTRIES: [Entry; 20] = [
    entry("ping", "", "measure the way to the server and back", ""),
    entry(
        "login",
        "[EMAIL [PASSWORD]]",
        "sign in",
        "Without an address: as TEST_USER; for the person `vendor` as TEST_VENDOR. A password that is missing is taken \
         from TEST_USER_PASSWORD or TEST_VENDOR_PASSWORD if the address is theirs, else asked for. The rest of the line \
         is the password. What was followed ends.",
    ),
    entry(
        "signup",
        "customer|contractor EMAIL PASSWORD",
        "open an account and sign in",
        "The part of the address before the @ becomes the name. The rest of the line is the password.",
    ),
    entry("logout", "", "end the session", "The server ends the session, and all subscriptions with it."),
    entry("whoami", "", "say who is signed in", ""),
    entry(
        "as",
        "NAME",
        "be somebody else",
        "Everybody has an own connection, own tokens and own subscriptions; those of the others go on. The first is `user`; \
         `vendor` signs in as TEST_VENDOR.",
    ),
    entry(
        "join",
        "conversation|booking|job|dispute ID..",
        "follow a thing's events",
        "A conversation brings its messages and who is typing, and `say` speaks in it. Several can be joined at once.",
    ),
    entry("leave", "[ID|SUBSCRIPTION]", "stop following one thing, one subscription, or all", ""),
    entry(
        "say",
        "TEXT",
        "send a message to the conversation that was joined last",
        "If the connection breaks, it is sent again; the server stores it once.",
    ),
    entry("typing", "on|off", "show or hide that you are typing", ""),
    entry(
        "watch",
        "SUBSCRIPTION [NAME=VALUE ..]",
        "follow a subscription, such as walletChanged or eventAppended",
        "It begins now, or behind `after=CURSOR`. Further arguments are those of the field, such as `bookingId=..`.",
    ),
    entry(
        "query",
        "FILE | { .. } [VARIABLES]",
        "run a document: a query, a mutation or a subscription",
        "The variables are a JSON object behind it. A line goes on as long as a bracket is open. A subscription that takes \
         `$after` and asks for `__typename id cursor` resumes. `userErrors` count as a refusal.",
    ),
    entry(
        "let",
        "NAME PATH",
        "keep a value of the last answer",
        "`let ID jobPost.job.id`, and ${ID} stands for it in later lines. Lists are entered by number. ${NAME} also \
         stands for a variable of the environment.",
    ),
    entry(
        "expect",
        "TEXT [within 5s]",
        "wait for a line that holds this text",
        "Lines count from the beginning, each for one `expect`, and only those of the person who waits. 10 s if not told.",
    ),
    entry("refused", "CODE COMMAND", "run a command that must be refused with this code", ""),
    entry("status", "", "say what is followed", ""),
    entry("history", "", "list the lines that were entered", ""),
    entry("frames", "on|off", "show the messages on the wire, secrets hidden", "`--frames` does so from the start."),
    entry("help", "[COMMAND]", "explain the commands, or one", ""),
    entry("exit", "", "leave; so does the end of the input", ""),
];

/// Where a document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(String),
    /// In the line.
    Inline(String),
}

/// A line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the entries say what they are")]
pub enum Command {
    Ping,
    Login { email: Option<String>, password: Option<String> },
    Signup { email: String, password: String, role: String },
    Logout,
    Whoami,
    As(String),
    Join { kind: String, ids: Vec<String> },
    Leave(Option<String>),
    Say(String),
    Typing(bool),
    Watch { view: String, arguments: Vec<(String, String)>, after: Option<String> },
    Query { source: Source, variables: String },
    Let { name: String, path: String },
    Expect { text: String, within: Duration },
    Refused { code: String, command: Box<Command> },
    Status,
    History,
    Frames(bool),
    Help(Option<String>),
    Exit,
}

/// The entry of a command; for a word that is none, the nearest is named.
pub fn find(name: &str) -> Result<&'static Entry, String> {
    let found = ENTRIES.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| match nearest(name, ENTRIES.iter().map(|entry| entry.name)) {
        Some(near) => format!("there is no command `{name}`; did you mean `{near}`? `help` lists all"),
        None => format!("there is no command `{name}`; `help` lists all"),
    })
}

/// The name that is most like a word, if one is like it at all.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    let (distance, name) = names.map(|name| (distance(name), name)).min()?;
    (distance <= (word.chars().count() / 2).clamp(1, 3)).then_some(name)
}

/// What may stand as the next word behind these.
pub fn completions(before: &[&str]) -> Vec<&'static str> {
    match before {
        [] | ["help"] => ENTRIES.iter().map(|entry| entry.name).collect(),
        ["join"] => JOINS.iter().map(|(kind, _)| *kind).collect(),
        ["watch" | "leave"] => VIEWS.iter().map(|view| view.name).collect(),
        ["as"] => vec!["user", "vendor"],
        ["typing" | "frames"] => vec!["on", "off"],
        ["signup"] => vec!["customer", "contractor"],
        ["refused", _] => ENTRIES.iter().map(|entry| entry.name).collect(),
        _ => Vec::new(),
    }
}
