//! What each command does.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::commands::{Command, ENTRIES, Source, find};
use super::documents::{self, JOINS, SAY, SIGN_IN, SIGN_OUT, SIGN_UP, TYPE, WHO};
use super::operations::{Refusal, Request};
use super::person::{Person, Trouble};
use super::prompt::Prompt;
use super::scribe::Scribe;
use super::show::{Kind, Line};
use super::socket::Target;
use super::tokens::Tokens;
use crate::kernel::id::Ids;
use crate::platform::host;

/// An account that needs not be typed.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Its address.
    pub email: Option<String>,
    /// Its password.
    pub password: Option<String>,
}

/// What does not change while the client runs.
pub struct Setting {
    /// The server.
    pub target: Target,
    /// How long a command waits for the server.
    pub patience: Duration,
    /// The account of the person `user`.
    pub user: Account,
    /// The account of the person `vendor`.
    pub vendor: Account,
}

/// Everybody who is at work, and what was kept.
pub struct Console {
    setting: Setting,
    scribe: Arc<Scribe>,
    prompt: Option<Prompt>,
    people: BTreeMap<String, Person>,
    current: String,
    values: BTreeMap<String, String>,
    last: Value,
    ids: Ids,
}

/// Whether to go on.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// With the next line.
    Line,
    /// No more.
    Exit,
}

impl Console {
    /// A console with the person `user`, who begins to connect.
    pub fn new(setting: Setting, scribe: Arc<Scribe>, prompt: Option<Prompt>) -> Self {
        let mut console = Console {
            setting,
            scribe,
            prompt,
            people: BTreeMap::new(),
            current: "user".to_owned(),
            values: BTreeMap::new(),
            last: Value::Null,
            ids: Ids::new(host::clock(), host::entropy()),
        };
        console.person();
        console
    }

    /// Who is at work.
    pub fn who(&self) -> &str {
        &self.current
    }

    /// The next line of whoever sits there; none when they are gone.
    pub async fn line(&mut self) -> Option<String> {
        let asked = format!("{}> ", self.current);
        self.prompt.as_mut()?.line(asked).await
    }

    /// Puts in what `${NAME}` stands for.
    pub fn expand(&self, line: &str) -> Result<String, Trouble> {
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, after)) = behind.split_once('}') else { break };
            let kept = self.values.get(name).cloned().or_else(|| std::env::var(name).ok());
            let Some(value) = kept else {
                return Err(Trouble::Usage(format!("${{{name}}} stands for nothing: use `let`, or set it")));
            };
            let _ = write!(text, "{before}{value}");
            rest = after;
        }
        Ok(text + rest)
    }

    /// Does what a command says.
    pub async fn run(&mut self, command: Command) -> Result<Next, Trouble> {
        match command {
            Command::Exit => return Ok(Next::Exit),
            Command::Ping => self.ping().await?,
            Command::Login { email, password } => self.login(email, password).await?,
            Command::Signup { email, password, role } => self.signup(&email, &password, &role).await?,
            Command::Logout => self.logout().await?,
            Command::Whoami => self.whoami().await?,
            Command::As(name) => self.be(name),
            Command::Join { kind, ids } => self.join(&kind, &ids).await?,
            Command::Leave(what) => self.leave(what.as_deref()).await?,
            Command::Say(text) => self.say(&text).await?,
            Command::Typing(is_typing) => self.typing(is_typing).await?,
            Command::Watch { view, arguments, after } => self.watch(&view, &arguments, after).await?,
            Command::Query { source, variables } => self.query(source, &variables).await?,
            Command::Let { name, path } => self.keep(name, &path)?,
            Command::Expect { text, within } => self.expect(&text, within).await?,
            Command::Refused { code, command } => self.refused(&code, *command).await?,
            Command::Status => self.status(),
            Command::History => self.history()?,
            Command::Frames(is_on) => self.scribe.shows_frames.store(is_on, Relaxed),
            Command::Help(name) => self.help(name.as_deref())?,
        }
        Ok(Next::Line)
    }

    fn person(&mut self) -> &mut Person {
        let begin = || {
            let Setting { target, patience, .. } = &self.setting;
            Person::new(&self.current, target.clone(), self.scribe.clone(), *patience)
        };
        self.people.entry(self.current.clone()).or_insert_with(begin)
    }

    fn answer(&self, text: impl Into<String>) {
        self.scribe.answer(&self.current, text);
    }

    async fn ping(&mut self) -> Result<(), Trouble> {
        let took = self.person().ping().await?;
        let ms = took.as_secs_f64() * 1_000.0;
        self.scribe.write(Line::new(Kind::Answer, &self.current, format!("pong after {ms:.1} ms")).with("ms", ms));
        Ok(())
    }

    async fn login(&mut self, email: Option<String>, password: Option<String>) -> Result<(), Trouble> {
        let (name, known) = match self.current.as_str() {
            "vendor" => ("TEST_VENDOR", &self.setting.vendor),
            _ => ("TEST_USER", &self.setting.user),
        };
        let Some(email) = email.or_else(|| known.email.clone()) else {
            return Err(Trouble::Usage(format!("who? `login EMAIL`, or set {name}")));
        };
        let own = known.password.clone().filter(|_| known.email.as_ref() == Some(&email));
        let password = match (password.or(own), &mut self.prompt) {
            (Some(password), _) => password,
            (None, Some(prompt)) => prompt.password(format!("password of {email}: ")).await.unwrap_or_default(),
            (None, None) => return Err(Trouble::Usage(format!("`login EMAIL PASSWORD`, or set {name}_PASSWORD"))),
        };
        let input = json!({ "email": email, "password": password });
        self.enter("accountSignIn", Request::input(SIGN_IN, input)).await
    }

    async fn signup(&mut self, email: &str, password: &str, role: &str) -> Result<(), Trouble> {
        let name = email.split('@').next().unwrap_or(email);
        let input = json!({ "email": email, "password": password, "displayName": name, "roles": [role] });
        self.enter("accountSignUp", Request::input(SIGN_UP, input)).await
    }

    /// Takes the tokens of a mutation, and comes back as their user.
    async fn enter(&mut self, mutation: &str, request: Request) -> Result<(), Trouble> {
        let person = self.person();
        let answer = person.answer(request, false).await?;
        person.become_user(Some(Tokens::of(&answer, mutation)?)).await?;
        self.whoami().await
    }

    async fn logout(&mut self) -> Result<(), Trouble> {
        let person = self.person();
        person.data(Request::plain(SIGN_OUT)).await?;
        person.become_user(None).await?;
        self.answer("signed out");
        Ok(())
    }

    async fn whoami(&mut self) -> Result<(), Trouble> {
        let data = self.person().data(Request::plain(WHO)).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let viewer = &data["viewer"];
        let line = if viewer.is_null() {
            "nobody is signed in".to_owned()
        } else {
            let user = &viewer["user"];
            format!("{} <{}> {}", text(&user["displayName"]), text(&viewer["email"]), text(&user["id"]))
        };
        self.scribe.write(Line::new(Kind::Answer, &self.current, line).with("viewer", viewer.clone()));
        Ok(())
    }

    fn be(&mut self, name: String) {
        self.current = name;
        self.person();
        self.scribe.is_named.store(self.people.len() > 1, Relaxed);
    }

    async fn join(&mut self, kind: &str, ids: &[String]) -> Result<(), Trouble> {
        let views = JOINS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, views)| *views);
        for id in ids {
            for (view, argument) in views {
                let request = Request::plain(&documents::watch(view, &[((*argument).to_owned(), id.clone())]));
                self.person().watch(view, Some(id), request, None).await?;
            }
            if kind == "conversation" {
                self.person().conversation = Some(id.clone());
            }
            self.answer(format!("joined {kind} {id}"));
        }
        Ok(())
    }

    async fn leave(&mut self, what: Option<&str>) -> Result<(), Trouble> {
        match (self.person().leave(what).await?, what) {
            (0, Some(what)) => Err(Refusal::new("NOT_FOUND", format!("{what} is not followed; see `status`")).into()),
            (count, _) => {
                self.answer(format!("left {count}"));
                Ok(())
            }
        }
    }

    fn conversation(&mut self) -> Result<String, Trouble> {
        let conversation = self.person().conversation.clone();
        conversation.ok_or_else(|| Trouble::Usage("where? `join conversation ID` first".to_owned()))
    }

    async fn say(&mut self, text: &str) -> Result<(), Trouble> {
        let (conversation, key) = (self.conversation()?, self.ids.uuid().to_string());
        let input = json!({ "conversationId": conversation, "content": text, "clientMessageId": key });
        let data = self.person().data(Request::input(SAY, input)).await?;
        let message = &data["messageSend"]["message"];
        let line = Line::new(Kind::Answer, &self.current, format!("sent as number {}", message["number"]));
        self.scribe.write(line.with("message", message.clone()));
        Ok(())
    }

    async fn typing(&mut self, is_typing: bool) -> Result<(), Trouble> {
        let input = json!({ "conversationId": self.conversation()?, "isTyping": is_typing });
        self.person().data(Request::input(TYPE, input)).await?;
        self.answer(if is_typing { "typing is shown" } else { "typing is hidden" });
        Ok(())
    }

    async fn watch(
        &mut self,
        view: &str,
        arguments: &[(String, String)],
        after: Option<String>,
    ) -> Result<(), Trouble> {
        let request = Request::plain(&documents::watch(view, arguments));
        self.person().watch(view, arguments.first().map(|(_, value)| value.as_str()), request, after).await?;
        self.answer(format!("watching {view}"));
        Ok(())
    }

    async fn query(&mut self, source: Source, variables: &str) -> Result<(), Trouble> {
        let query = match source {
            Source::Inline(document) => document,
            Source::File(path) => {
                fs::read_to_string(&path).map_err(|error| Trouble::Usage(format!("{path} cannot be read: {error}")))?
            }
        };
        let variables: Map<String, Value> = serde_json::from_str(variables)
            .map_err(|error| Trouble::Usage(format!("the variables are no JSON object: {error}")))?;
        let is_subscription = query.lines().any(|line| line.trim_start().starts_with("subscription"));
        let request = Request { query, variables };
        if is_subscription {
            self.person().watch("query", None, request, None).await?;
            self.answer("watching query");
            return Ok(());
        }
        let mut answer = self.person().answer(request, false).await?;
        let refusal = Refusal::of_answer(&answer);
        self.last = answer["data"].take();
        let line = Line::new(Kind::Answer, &self.current, self.last.to_string()).with("data", self.last.clone());
        self.scribe.write(line);
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    fn keep(&mut self, name: String, path: &str) -> Result<(), Trouble> {
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = match self.last.pointer(&pointer) {
            None | Some(Value::Null) => return Err(Trouble::Unmet(format!("the last answer has nothing at {path}"))),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        self.answer(format!("{name} = {value}"));
        self.values.insert(name, value);
        Ok(())
    }

    async fn expect(&mut self, text: &str, within: Duration) -> Result<(), Trouble> {
        if self.scribe.expect(&self.current, text, within).await {
            return Ok(());
        }
        Err(Trouble::Unmet(format!("no line of {} with `{text}` within {} ms", self.current, within.as_millis())))
    }

    async fn refused(&mut self, wanted: &str, command: Command) -> Result<(), Trouble> {
        match Box::pin(self.run(command)).await {
            Err(Trouble::Refused(refusal)) if refusal.code == wanted => {
                self.answer(format!("refused as expected: {} {}", refusal.code, refusal.message));
                Ok(())
            }
            Err(Trouble::Refused(refusal)) => {
                Err(Trouble::Unmet(format!("refused with {}, not with {wanted}", refusal.code)))
            }
            Err(other) => Err(other),
            Ok(_) => Err(Trouble::Unmet(format!("it was done, and not refused with {wanted}"))),
        }
    }

    fn status(&mut self) {
        let watched: Vec<_> = self.person().watched().collect();
        self.answer(if watched.is_empty() { "nothing is followed".to_owned() } else { watched.join("\n") });
    }

    fn history(&self) -> Result<(), Trouble> {
        let Some(prompt) = &self.prompt else {
            return Err(Trouble::Usage("a script has no history".to_owned()));
        };
        self.answer(prompt.entered().join("\n"));
        Ok(())
    }

    fn help(&self, name: Option<&str>) -> Result<(), Trouble> {
        let mut text = String::new();
        let chosen = name.map(find).transpose().map_err(Trouble::Usage)?;
        for entry in ENTRIES.iter().filter(|entry| chosen.is_none_or(|chosen| chosen.name == entry.name)) {
            let call = format!("{} {}", entry.name, entry.usage);
            let _ = writeln!(text, "{:<44} {}", call.trim_end(), entry.about);
            if chosen.is_some() && !entry.more.is_empty() {
                let _ = writeln!(text, "{}", entry.more);
            }
        }
        self.answer(text.trim_end());
        Ok(())
    }
}
