//! The log: lines for people in development, JSON in production, filtered by `RUST_LOG` or `LOG`.
//!
//! Each request's lines carry its id, its operation's name and the user's id. E-mail addresses, tokens and variables are
//! never logged.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::variable;
use crate::platform::config::Config;

/// What is logged unless told otherwise.
const FILTER: &str = "info,sqlx=warn";

/// The log of a server, on standard output.
pub fn to_stdout(config: &Config) {
    start(config, std::io::stdout, std::io::stdout().is_terminal());
}

/// The log of a command, out of the way of what it prints.
pub fn to_stderr(config: &Config) {
    start(config, std::io::stderr, std::io::stderr().is_terminal());
}

fn start<W>(config: &Config, writer: W, is_terminal: bool)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let directives = variable("RUST_LOG").or_else(|| variable("LOG")).unwrap_or_else(|| FILTER.to_owned());
    let (filter, wrong) = match EnvFilter::try_new(&directives) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(FILTER), Some(error)),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = if config.is_development() {
        log.with_ansi(is_terminal && variable("NO_COLOR").is_none()).try_init()
    } else {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    if let (Ok(()), Some(error)) = (started, wrong) {
        tracing::warn!(%error, "RUST_LOG is no filter; {FILTER} is used");
    }
}
