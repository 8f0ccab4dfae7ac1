//! Writes every line, and remembers what was written for `expect`.

use std::collections::VecDeque;
use std::io::Write;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::show::{Kind, Line, Style, event, render};

/// Lines that `expect` can look back on; bad news stays until the end.
const KEPT_MAX: usize = 10_000;
/// What frames hide of their values.
const SECRETS: [&str; 6] = ["authorization", "accessToken", "refreshToken", "password", "newPassword", "code"];

/// Takes lines that stand above a prompt.
pub type Printer = mpsc::Sender<String>;

/// Writes lines as they come, from wherever they come.
pub struct Scribe {
    style: Style,
    /// The terminal with a prompt below; none for standard output.
    printer: Option<Printer>,
    kept: Mutex<VecDeque<Line>>,
    news: Notify,
    /// More than one person is at work, so that lines say whose they are.
    pub is_named: AtomicBool,
    /// Messages on the wire are shown.
    pub shows_frames: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scribe {
    /// Writes in this style, above the prompt if there is one.
    pub fn new(style: Style, printer: Option<Printer>, shows_frames: bool) -> Self {
        Scribe {
            style,
            printer,
            kept: Mutex::default(),
            news: Notify::new(),
            is_named: AtomicBool::new(false),
            shows_frames: AtomicBool::new(shows_frames),
        }
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.style == Style::Json
    }

    /// Writes a line and keeps it.
    pub fn write(&self, line: Line) {
        self.print(&line);
        let mut kept = locked(&self.kept);
        if kept.len() >= KEPT_MAX
            && let Some(oldest) = kept.iter().position(|line| !line.is_grave)
        {
            kept.remove(oldest);
        }
        kept.push_back(line);
        drop(kept);
        self.news.notify_waiters();
    }

    /// Writes a line that nobody can expect.
    pub fn print(&self, line: &Line) {
        self.put(render(line, self.style, self.is_named.load(Relaxed)));
    }

    fn put(&self, text: String) {
        // Nobody is there to be told that nobody reads.
        let _ = match &self.printer {
            Some(printer) => printer.send(format!("{text}\n")).map_err(std::io::Error::other),
            None => writeln!(std::io::stdout().lock(), "{text}"),
        };
    }

    /// How a connection fares.
    pub fn notice(&self, who: &str, text: impl Into<String>) {
        self.write(Line::new(Kind::Notice, who, text));
    }

    /// An item of a subscription.
    pub fn event(&self, who: &str, view: &str, item: &Value) {
        self.write(Line::new(Kind::Event, who, event(view, item)).with("view", view).with("item", item.clone()));
    }

    /// What a command came to.
    pub fn answer(&self, who: &str, text: impl Into<String>) {
        self.write(Line::new(Kind::Answer, who, text));
    }

    /// A message on the wire, if somebody wants to see these.
    pub fn frame(&self, way: &str, message: &Value) {
        if self.shows_frames.load(Relaxed) {
            let mut shown = message.clone();
            hide(&mut shown);
            self.print(&Line::new(Kind::Frame, "", format!("{way} {shown}")));
        }
    }

    /// Waits for a line of this person with this text, and takes it: no line is expected twice.
    pub async fn expect(&self, who: &str, wanted: &str, within: Duration) -> bool {
        let seen = timeout(within, async {
            loop {
                let mut news = pin!(self.news.notified());
                // From here on no news is missed.
                news.as_mut().enable();
                if self.take(who, wanted) {
                    return;
                }
                news.await;
            }
        });
        seen.await.is_ok()
    }

    fn take(&self, who: &str, wanted: &str) -> bool {
        let mut kept = locked(&self.kept);
        let found = kept.iter().position(|line| line.who == who && line.text.contains(wanted));
        found.and_then(|place| kept.remove(place)).is_some()
    }

    /// Bad news that nobody expected.
    pub fn grave(&self) -> Option<String> {
        locked(&self.kept).iter().find(|line| line.is_grave).map(|line| line.text.clone())
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| {
            if SECRETS.contains(&name.as_str()) && value.is_string() { *value = "***".into() } else { hide(value) }
        }),
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_line_is_expected_once_by_its_owner() {
        let scribe = Scribe::new(Style::Plain, None, false);
        scribe.answer("user", "hello");
        let soon = Duration::from_millis(10);
        assert!(!scribe.expect("vendor", "hello", soon).await);
        assert!(scribe.expect("user", "ell", soon).await);
        assert!(!scribe.expect("user", "ell", soon).await);
    }

    #[tokio::test]
    async fn bad_news_stays_until_it_is_expected() {
        let scribe = Scribe::new(Style::Plain, None, false);
        scribe.write(Line::new(Kind::Error, "user", "a gap").grave());
        for _ in 0..KEPT_MAX + 10 {
            scribe.answer("user", "more");
        }
        assert_eq!(scribe.grave().as_deref(), Some("a gap"));
        assert!(locked(&scribe.kept).len() <= KEPT_MAX);
        assert!(scribe.expect("user", "a gap", Duration::from_millis(10)).await);
        assert_eq!(scribe.grave(), None);
    }

    #[test]
    fn frames_hide_what_is_secret() {
        let mut frame =
            json!({ "payload": { "authorization": "Bearer x", "input": [{ "password": "y", "email": "z" }] } });
        hide(&mut frame);
        assert_eq!(
            frame,
            json!({ "payload": { "authorization": "***", "input": [{ "password": "***", "email": "z" }] } })
        );
    }
}
