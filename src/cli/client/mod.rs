//! `gigwire client`: tries a running server by hand, and in scripts.
//!
//! - `commands`: the commands, as data; `parse`: lines; `console`: what they do; `documents`: what is sent for them;
//! - `person`: somebody's subscriptions; `session`: their connection, which comes back by itself, with `tokens` and
//!   `backoff`; `replies`: what the server says;
//! - `operations`: what is open, each with its own cursor; `socket`: the wire;
//! - `scribe`: everything that is written, and what `expect` looks at; `show`: how it looks; `prompt`: the terminal.
//!
//! It is a client like any other: it knows the API by its documents, and uses no other part of the program for it.
//!
//! To add a command: see `commands`. To show more of a subscription: a row of `VIEWS` in `documents`.

mod backoff;
mod commands;
mod console;
mod documents;
mod operations;
mod parse;
mod person;
mod prompt;
mod replies;
mod scribe;
mod script;
mod session;
mod show;
mod socket;
mod tokens;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use self::console::{Account, Console, Next, Setting};
use self::person::Trouble;
use self::prompt::Prompt;
use self::scribe::Scribe;
use self::show::{Kind, Line, Style};
use self::socket::Target;
use super::{Failure, variable};

/// How to try a server.
#[derive(Debug, Args)]
#[command(
    after_help = "Commands are listed by `help`. The exit status of a script: 0 when all went well, 1 when something was \
    refused or did not come, 2 when a line cannot be understood, 3 when the server cannot be reached."
)]
pub struct Arguments {
    /// The server: ws://, wss://, or the same with http
    #[arg(long, env = "WS_URL", value_name = "URL", default_value = "ws://127.0.0.1:4000/graphql/ws")]
    url: String,
    /// Commands, one a line; without it they come from the terminal or from standard input
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Write one JSON object for each line
    #[arg(long)]
    json: bool,
    /// The address that `login` signs in
    #[arg(long, env = "TEST_USER", value_name = "EMAIL")]
    user: Option<String>,
    /// Its password; better in the environment than in a flag, which other users of the machine see
    #[arg(long, env = "TEST_USER_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    user_password: Option<String>,
    /// The address that `login` signs in behind `as vendor`
    #[arg(long, env = "TEST_VENDOR", value_name = "EMAIL")]
    vendor: Option<String>,
    /// Its password
    #[arg(long, env = "TEST_VENDOR_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    vendor_password: Option<String>,
    /// How many seconds a command waits for the server
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    patience: u64,
    /// Say that a page of this origin connects, as browsers do
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Show the messages on the wire, secrets hidden
    #[arg(long)]
    frames: bool,
}

/// Runs commands until the last one, or until one of a script fails.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let usage = |text| Failure::Status(text, script::NOT_UNDERSTOOD);
    let setting = Setting {
        target: Target::parse(&arguments.url, arguments.origin.as_deref()).map_err(usage)?,
        patience: Duration::from_secs(arguments.patience),
        user: Account { email: arguments.user, password: arguments.user_password },
        vendor: Account { email: arguments.vendor, password: arguments.vendor_password },
    };
    let is_terminal = std::io::stdout().is_terminal();
    let is_prompted = arguments.script.is_none() && is_terminal && std::io::stdin().is_terminal();
    let has_colours =
        is_terminal && variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|name| name != "dumb");
    let style = match (arguments.json, has_colours) {
        (true, _) => Style::Json,
        (false, true) => Style::Coloured,
        (false, false) => Style::Plain,
    };
    if is_prompted {
        let (prompt, printer) = Prompt::open()?;
        let scribe = Arc::new(Scribe::new(style, printer, arguments.frames));
        converse(Console::new(setting, scribe.clone(), Some(prompt)), &scribe).await;
        return Ok(());
    }
    let scribe = Arc::new(Scribe::new(style, None, arguments.frames));
    script::run(arguments.script, scribe.clone(), || Console::new(setting, scribe, None)).await
}

/// With a person in front of it: what fails is told, and the next line is read.
async fn converse(mut console: Console, scribe: &Scribe) {
    scribe.notice("user", "`help` lists the commands, `exit` leaves");
    while let Some(line) = console.line().await {
        let outcome = match console.expand(&line).and_then(|line| parse::parse(&line).map_err(Trouble::Usage)) {
            Ok(None) => continue,
            Ok(Some(command)) => tokio::select! {
                outcome = console.run(command) => outcome,
                // Ctrl-C stops the waiting; at the prompt it empties the line.
                _ = tokio::signal::ctrl_c() => Err(Trouble::Unmet("stopped waiting".to_owned())),
            },
            Err(trouble) => Err(trouble),
        };
        match outcome {
            Ok(Next::Line) => {}
            Ok(Next::Exit) => return,
            Err(trouble) => scribe.write(Line::new(Kind::Error, console.who(), trouble.to_string())),
        }
    }
}
