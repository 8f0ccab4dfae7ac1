//! How a line looks: for people, coloured or not, and as JSON for programs.

use serde_json::{Map, Value};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An item of a subscription.
    Event,
    /// How the connection fares.
    Notice,
    /// What a command came to.
    Answer,
    /// What went wrong.
    Error,
    /// A message on the wire.
    Frame,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Notice => "notice",
            Kind::Answer => "answer",
            Kind::Error => "error",
            Kind::Frame => "frame",
        }
    }

    /// The attribute of a terminal.
    const fn colour(self) -> &'static str {
        match self {
            Kind::Event => "36",
            Kind::Notice => "33",
            Kind::Answer => "",
            Kind::Error => "31",
            Kind::Frame => "2",
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is about.
    pub kind: Kind,
    /// Whose it is.
    pub who: String,
    /// What it says.
    pub text: String,
    /// The same for programs.
    pub facts: Map<String, Value>,
    /// Not all is well, unless somebody expects this line.
    pub is_grave: bool,
}

impl Line {
    /// A line that is no bad news.
    pub fn new(kind: Kind, who: &str, text: impl Into<String>) -> Self {
        Line { kind, who: who.to_owned(), text: visible(&text.into()), facts: Map::new(), is_grave: false }
    }

    /// With a fact for programs.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// As bad news.
    pub fn grave(self) -> Self {
        Line { is_grave: true, ..self }
    }
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For people, without colours.
    Plain,
    /// For people, on a terminal that has colours.
    Coloured,
    /// One JSON object for each line.
    Json,
}

/// The line as it is written. `named` says whose it is.
pub fn render(line: &Line, style: Style, named: bool) -> String {
    if style == Style::Json {
        let mut object = line.facts.clone();
        object.insert("type".to_owned(), line.kind.name().into());
        object.insert("as".to_owned(), line.who.as_str().into());
        object.insert("text".to_owned(), line.text.as_str().into());
        return Value::Object(object).to_string();
    }
    let who = if named && !line.who.is_empty() { format!("[{}] ", line.who) } else { String::new() };
    let text = format!("{who}{}", line.text);
    match line.kind.colour() {
        colour if style == Style::Coloured && !colour.is_empty() => format!("\x1b[{colour}m{text}\x1b[0m"),
        _ => text,
    }
}

/// An item of a subscription in one line: when, which subscription, which event, and its facts.
pub fn event(view: &str, item: &Value) -> String {
    let time = item["occurredAt"].as_str().and_then(|at| at.get(11..19));
    let name = item["__typename"].as_str();
    let mut words: Vec<String> = time.into_iter().chain([view]).chain(name).map(str::to_owned).collect();
    if let Value::Object(fields) = item {
        let own = ["__typename", "id", "cursor", "occurredAt"];
        fields
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .for_each(|(name, value)| flat(name, value, &mut words));
    }
    words.join(" ")
}

/// `name=value`, with a path of names for what lies deeper.
fn flat(path: &str, value: &Value, words: &mut Vec<String>) {
    let Value::Object(fields) = value else {
        return words.push(format!("{path}={}", bare(value)));
    };
    if let (2, Some(amount), Some(currency)) = (fields.len(), fields.get("amount"), fields.get("currency")) {
        return words.push(format!("{path}={} {}", bare(amount), bare(currency)));
    }
    for (name, value) in fields {
        match name.as_str() {
            "__typename" => {}
            "id" => flat(path, value, words),
            name => flat(&format!("{path}.{name}"), value, words),
        }
    }
}

/// Names and numbers stand bare; what people wrote stands in quotes.
fn bare(value: &Value) -> String {
    match value.as_str() {
        Some(text)
            if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)) && !text.is_empty() =>
        {
            text.to_owned()
        }
        _ => value.to_string(),
    }
}

/// A text without what moves a terminal's cursor or colours: others wrote some of it.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    text.chars().flat_map(|c| if is_hidden(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_one_line_of_facts() {
        let item = json!({
            "__typename": "MessageCreated", "id": "evt_1", "cursor": "c", "occurredAt": "2026-03-01T09:30:15.123Z",
            "message": { "id": "msg_1", "number": 3, "content": "See you", "sender": { "displayName": "Ada" } },
            "amount": { "amount": "12.00", "currency": "USD" },
        });
        let told = event("conversationChanged", &item);
        assert!(told.starts_with("09:30:15 conversationChanged MessageCreated "), "{told}");
        for fact in [
            "message=msg_1",
            "message.number=3",
            "message.content=\"See you\"",
            "message.sender.displayName=Ada",
            "amount=12.00 USD",
        ] {
            assert!(told.contains(fact), "{fact}: {told}");
        }
        assert!(!told.contains("evt_1") && !told.contains("cursor"), "{told}");
    }

    #[test]
    fn what_others_wrote_cannot_touch_the_terminal() {
        let line = Line::new(Kind::Event, "user", "a\u{1b}[2Jb\u{9b}c\u{202e}d\r");
        assert_eq!(line.text, "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{d}");
    }

    #[test]
    fn programs_get_one_object_for_each_line() {
        let line = Line::new(Kind::Answer, "user", "pong").with("ms", 3);
        let read: Value = serde_json::from_str(&render(&line, Style::Json, true)).unwrap();
        assert_eq!(read, json!({ "type": "answer", "as": "user", "text": "pong", "ms": 3 }));
        assert_eq!(render(&line, Style::Coloured, true), "[user] pong");
        let error = Line::new(Kind::Error, "user", "no");
        assert_eq!(render(&error, Style::Coloured, false), "\x1b[31mno\x1b[0m");
        assert_eq!(render(&error, Style::Plain, false), "no");
    }
}
