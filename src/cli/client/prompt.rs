//! The prompt: line editing, history and completion, in a thread of its own, since it blocks.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::{env, fs, thread};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::oneshot;

use super::commands::completions;
use super::parse::is_open;
use super::scribe::Printer;
use crate::kernel::Error;

/// Lines that are kept.
const HISTORY_MAX: usize = 1_000;

enum Ask {
    Line(String, oneshot::Sender<Option<String>>),
    Password(String, oneshot::Sender<Option<String>>),
}

/// Whoever sits in front of the terminal.
pub struct Prompt {
    asks: mpsc::Sender<Ask>,
    entered: Vec<String>,
}

impl Prompt {
    /// Takes the terminal over, and gives what prints above the prompt.
    pub fn open() -> Result<(Self, Option<Printer>), Error> {
        let file = history_file();
        let mut editor = editor(file.as_deref()).map_err(Error::internal)?;
        // A terminal that cannot move its cursor has none.
        let printer = editor.create_external_printer().ok().map(print_above);
        let (asks, taken) = mpsc::channel();
        thread::spawn(move || serve(&mut editor, file.as_deref(), &taken));
        Ok((Prompt { asks, entered: Vec::new() }, printer))
    }

    /// The next line; none at the end of the input.
    pub async fn line(&mut self, prompt: String) -> Option<String> {
        let line = self.ask(|reply| Ask::Line(prompt, reply)).await?;
        if is_kept(&line) {
            self.entered.push(line.clone());
        }
        Some(line)
    }

    /// A line that is not shown.
    pub async fn password(&mut self, prompt: String) -> Option<String> {
        self.ask(|reply| Ask::Password(prompt, reply)).await
    }

    /// The lines so far.
    pub fn entered(&self) -> &[String] {
        &self.entered
    }

    async fn ask(&self, ask: impl FnOnce(oneshot::Sender<Option<String>>) -> Ask) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(ask(reply)).ok()?;
        answer.await.ok().flatten()
    }
}

/// Prints above the prompt from a thread of its own: between two prompts the terminal may make it wait for the next one.
fn print_above(mut terminal: impl ExternalPrinter + Send + 'static) -> Printer {
    let (give, take) = mpsc::channel();
    thread::spawn(move || take.iter().try_for_each(|text| terminal.print(text)));
    give
}

fn editor(file: Option<&Path>) -> rustyline::Result<Editor<Words, FileHistory>> {
    let config = Config::builder().max_history_size(HISTORY_MAX)?.history_ignore_space(true).build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Words { files: FilenameCompleter::new() }));
    if let Some(file) = file {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    Ok(editor)
}

fn serve(editor: &mut Editor<Words, FileHistory>, file: Option<&Path>, asks: &mpsc::Receiver<Ask>) {
    while let Ok(ask) = asks.recv() {
        let (answer, reply) = match ask {
            Ask::Line(prompt, reply) => (read(editor, file, &prompt), reply),
            Ask::Password(prompt, reply) => (rpassword::prompt_password(prompt).ok(), reply),
        };
        if reply.send(answer).is_err() {
            return;
        }
    }
}

fn read(editor: &mut Editor<Words, FileHistory>, file: Option<&Path>, prompt: &str) -> Option<String> {
    match editor.readline(prompt) {
        Ok(line) => {
            let line = line.replace('\n', " ");
            if is_kept(&line) && editor.add_history_entry(&line).unwrap_or_default() {
                // A history that cannot be kept is no reason to stop.
                let _ = file.map(|file| editor.append_history(file));
            }
            Some(line)
        }
        Err(ReadlineError::Interrupted) => Some(String::new()),
        Err(_) => None,
    }
}

/// Lines with a password are not kept.
fn is_kept(line: &str) -> bool {
    let words: Vec<_> = line.split_whitespace().collect();
    !(words.is_empty() || words.len() > 2 && words.iter().any(|word| ["login", "signup"].contains(word)))
}

/// Where lines are kept from one run to the next: `$XDG_STATE_HOME/gigwire/client_history`, its owner's alone.
fn history_file() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?.join("gigwire");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("client_history"))
}

/// Knows what may come next, and when a line is not complete.
struct Words {
    files: FilenameCompleter,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..position).unwrap_or(line);
        let start = typed.rfind(char::is_whitespace).map_or(0, |place| place + 1);
        let before: Vec<_> = typed[..start].split_whitespace().collect();
        if before == ["query"] {
            return self.files.complete(line, position, context);
        }
        let fits = completions(&before).into_iter().filter(|name| name.starts_with(&typed[start..]));
        let pair = |name: &str| Pair { display: name.to_owned(), replacement: format!("{name} ") };
        Ok((start, fits.map(pair).collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::DefaultHistory;

    #[test]
    fn passwords_are_not_kept() {
        assert_eq!(["ping", "login a@b", "query { a }"].map(is_kept), [true; 3]);
        assert_eq!(
            ["", "login a@b secret", "signup a@b secret", "refused X login a@b secret"].map(is_kept),
            [false; 4]
        );
    }

    #[test]
    fn words_are_completed_by_what_stands_before_them() {
        let words = Words { files: FilenameCompleter::new() };
        let history = DefaultHistory::new();
        let complete = |line: &str| {
            let (start, found) = words.complete(line, line.len(), &Context::new(&history)).unwrap();
            (start, found.into_iter().map(|pair| pair.replacement).collect::<Vec<_>>())
        };
        assert_eq!(complete("wh"), (0, vec!["whoami ".to_owned()]));
        assert_eq!(complete("watch wal"), (6, vec!["walletChanged ".to_owned()]));
        assert_eq!(complete("join c").1, ["conversation "]);
        assert!(complete("say h").1.is_empty());
    }
}
