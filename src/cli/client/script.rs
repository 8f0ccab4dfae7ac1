//! Commands from a file or from standard input: the first one that fails ends it.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;

use super::console::{Console, Next};
use super::parse::{is_open, parse};
use super::person::Trouble;
use super::scribe::Scribe;
use super::show::{Kind, Line};
use crate::cli::Failure;

/// Something was refused, or did not come.
const FAILED: u8 = 1;
/// A line or an argument cannot be understood.
pub const NOT_UNDERSTOOD: u8 = 2;
/// The server cannot be reached.
const UNREACHABLE: u8 = 3;

/// A command's line, with its number.
type Numbered = (usize, String);

/// Runs a script to its end. `open` is called once it is known that the script can be understood.
pub async fn run(file: Option<PathBuf>, scribe: Arc<Scribe>, open: impl FnOnce() -> Console) -> Result<(), Failure> {
    let mut lines = match file {
        Some(file) => whole(&file)?,
        None => standard_input(),
    };
    let mut console = open();
    while let Some((number, line)) = lines.recv().await {
        match step(&mut console, &line).await {
            Ok(Next::Line) => {}
            Ok(Next::Exit) => break,
            Err(trouble) => return Err(failed(&scribe, Some(number), &trouble)),
        }
    }
    match scribe.grave() {
        Some(news) => Err(failed(&scribe, None, &Trouble::Unmet(format!("not all went well: {news}")))),
        None => Ok(()),
    }
}

async fn step(console: &mut Console, line: &str) -> Result<Next, Trouble> {
    let line = console.expand(line)?;
    match parse(&line).map_err(Trouble::Usage)? {
        Some(command) => console.run(command).await,
        None => Ok(Next::Line),
    }
}

/// Tells programs, and says how it ends.
fn failed(scribe: &Scribe, line: Option<usize>, trouble: &Trouble) -> Failure {
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    let text = format!("{place}{trouble}");
    if scribe.is_json() {
        let told = Line::new(Kind::Error, "", text.as_str());
        let told = line.into_iter().fold(told, |told, line| told.with("line", line));
        scribe.print(&match trouble {
            Trouble::Refused(refusal) => told.with("code", refusal.code.as_str()),
            _ => told,
        });
    }
    let status = match trouble {
        Trouble::Refused(_) | Trouble::Unmet(_) => FAILED,
        Trouble::Usage(_) => NOT_UNDERSTOOD,
        Trouble::Unreachable(_) => UNREACHABLE,
    };
    Failure::Status(text, status)
}

/// All lines of a file, each understood before the first one runs.
fn whole(file: &Path) -> Result<mpsc::Receiver<Numbered>, Failure> {
    let wrong = |text| Failure::Status(text, NOT_UNDERSTOOD);
    let text = fs::read_to_string(file).map_err(|error| wrong(format!("{}: {error}", file.display())))?;
    let mut joined = Joined::default();
    let lines: Vec<_> = text.lines().filter_map(|line| joined.add(line)).collect();
    let lines: Vec<_> = lines.into_iter().chain(joined.rest()).collect();
    // What `${NAME}` stands for is not known yet.
    for (number, line) in lines.iter().filter(|(_, line)| !line.contains("${")) {
        parse(line).map_err(|error| wrong(format!("{}, line {number}: {error}", file.display())))?;
    }
    let (give, take) = mpsc::channel(lines.len().max(1));
    for line in lines {
        // There is room for all of them.
        let _ = give.try_send(line);
    }
    Ok(take)
}

/// Lines as they come. The thread is not waited for: it may be reading when the program ends.
fn standard_input() -> mpsc::Receiver<Numbered> {
    let (give, take) = mpsc::channel(1);
    thread::spawn(move || {
        let mut joined = Joined::default();
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Some(line) = joined.add(&line)
                && give.blocking_send(line).is_err()
            {
                return;
            }
        }
        if let Some(line) = joined.rest() {
            // Nobody may be there any more.
            let _ = give.blocking_send(line);
        }
    });
    take
}

/// Puts the lines of a document together.
#[derive(Default)]
struct Joined {
    read: usize,
    begun: Option<Numbered>,
}

impl Joined {
    fn add(&mut self, line: &str) -> Option<Numbered> {
        self.read += 1;
        let (number, text) = match self.begun.take() {
            Some((number, text)) => (number, format!("{text}\n{line}")),
            None => (self.read, line.to_owned()),
        };
        if is_open(&text) {
            self.begun = Some((number, text));
            return None;
        }
        Some((number, text))
    }

    fn rest(&mut self) -> Option<Numbered> {
        self.begun.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_may_have_several_lines() {
        let mut joined = Joined::default();
        let lines: Vec<_> =
            ["ping", "query {", "  a", "}", "exit", "query {"].iter().filter_map(|line| joined.add(line)).collect();
        let wanted = [(1, "ping"), (2, "query {\n  a\n}"), (5, "exit")];
        assert_eq!(lines, wanted.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(joined.rest(), Some((6, "query {".to_owned())));
    }
}
