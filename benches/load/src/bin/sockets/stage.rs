//! The program with its people: signed up once, over the API, before anything is measured.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::Plan;
use load::Outcome;
use load::http::Person;
use load::program::{ADMIN, Program};
use load::socket::{GraphqlSocket, Line};

/// What is told to everyone, and where in it.
pub const LISTEN: &str = "subscription ($after: String) { announcementPublished(after: $after) { __typename cursor \
    ... on AnnouncementAdded { number announcement { title body } } ... on StreamGap { reason } } }";
/// What happens to the viewer.
pub const NOTIFICATIONS: &str =
    "subscription ($after: String) { notificationReceived(after: $after) { __typename id cursor } }";
/// Clients that connect at once.
pub const AT_ONCE: usize = 64;
/// Announcements that are published at once.
const PUBLISHED_AT_ONCE: usize = 8;
/// The people who sign up at least: the parts beside `idle` need some.
const PEOPLE_AT_LEAST: usize = 200;

/// Accounts, data, and how the program is started over them.
pub struct Stage {
    binary: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    /// Everybody.
    pub people: Vec<Person>,
    announced: AtomicUsize,
    _temporary: Option<TempDir>,
}

impl Stage {
    /// Signs people up, or fetches fresh tokens for those of the last run.
    pub async fn set(plan: &Plan) -> Outcome<Self> {
        let temporary = if plan.keep.is_some() { None } else { Some(tempfile::tempdir()?) };
        let folder = plan.keep.clone().or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()));
        let folder = folder.ok_or("no folder")?;
        std::fs::create_dir_all(&folder)?;
        let settings = plan.set.clone();
        let announced = AtomicUsize::new(0);
        let mut stage = Stage {
            binary: plan.binary.clone(),
            folder,
            settings,
            people: Vec::new(),
            announced,
            _temporary: temporary,
        };
        let program = stage.start().await?;
        let begun = Instant::now();
        stage.people = people(&program, &stage.folder.join("people.json"), plan.people.max(PEOPLE_AT_LEAST)).await?;
        eprintln!("{} people are signed in after {:.0?}", stage.people.len(), begun.elapsed());
        program.end().await?;
        Ok(stage)
    }

    /// Starts the program, with nothing in its memory that was there before.
    pub async fn start(&self) -> Outcome<Program> {
        Program::start(&self.binary, &self.folder, &self.settings).await
    }

    /// Somebody, however many are asked for.
    pub fn person(&self, number: usize) -> &Person {
        &self.people[number % self.people.len()]
    }

    /// Somebody who may publish.
    pub async fn publisher<'a>(&'a self, program: &'a Program) -> Outcome<Publisher<'a>> {
        let token = program.http.sign_in(ADMIN.0, ADMIN.1).await?.access_token;
        Ok(Publisher { stage: self, program, token })
    }

    /// A cursor in front of whatever comes next.
    pub async fn cursor(&self, program: &Program) -> Outcome<Value> {
        let token = self.person(0).access_token.as_str();
        let mut data = program.http.ask(Some(token), "{ viewer { streamCursor } }", json!({})).await?;
        Ok(data["viewer"]["streamCursor"].take())
    }

    /// A socket of somebody, with an ack.
    pub async fn open(&self, program: &Program, number: usize, line: Line) -> Outcome<GraphqlSocket> {
        let payload = json!({ "authorization": format!("Bearer {}", self.person(number).access_token) });
        GraphqlSocket::open(program.target(), line, payload).await
    }

    /// Sockets of many people, each with one subscription.
    pub async fn crowd(
        &self,
        program: &Program,
        numbers: std::ops::Range<usize>,
        document: &str,
    ) -> Outcome<Vec<GraphqlSocket>> {
        let one = |number: usize| async move {
            let mut socket = self.open(program, number, Line::default()).await?;
            socket.subscribe("1", document, json!({})).await?;
            Ok(socket)
        };
        stream::iter(numbers).map(one).buffered(AT_ONCE).try_collect().await
    }
}

/// Tells everyone.
pub struct Publisher<'a> {
    stage: &'a Stage,
    /// Where.
    pub program: &'a Program,
    token: String,
}

impl Publisher<'_> {
    /// Publishes an announcement with a text of so many bytes, and gives its title: a number of this run.
    pub async fn publish(&self, bytes: usize) -> Outcome<usize> {
        let title = self.next_title();
        self.publish_as(title, bytes).await?;
        Ok(title)
    }

    /// A title that was not used in this run.
    pub fn next_title(&self) -> usize {
        self.stage.announced.fetch_add(1, Ordering::Relaxed)
    }

    /// Publishes under a number of the caller's own.
    pub async fn publish_as(&self, title: usize, bytes: usize) -> Outcome<()> {
        let input = json!({ "title": title.to_string(), "body": "x".repeat(bytes) });
        let document = "mutation ($input: AnnouncementPublishInput!) { announcementPublish(input: $input) {
            userErrors { message } } }";
        let data = self.program.http.ask(Some(&self.token), document, json!({ "input": input })).await?;
        let errors = &data["announcementPublish"]["userErrors"];
        if errors == &json!([]) { Ok(()) } else { Err(format!("not published: {errors}").into()) }
    }

    /// Publishes many, some at once.
    pub async fn publish_many(&self, count: usize, bytes: usize) -> Outcome<()> {
        let one = |_| async { self.publish(bytes).await.map(drop) };
        stream::iter(0..count).map(one).buffer_unordered(PUBLISHED_AT_ONCE).try_collect().await
    }
}

/// Waits until memory has stopped to move: what was under way is done.
pub async fn settled(program: &Program) -> Outcome<u64> {
    sleep(Duration::from_secs(2)).await;
    let mut last = program.usage()?.memory;
    for _ in 0..20 {
        sleep(Duration::from_millis(500)).await;
        let now = program.usage()?.memory;
        if now.abs_diff(last) < 64 << 10 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

/// Everybody with fresh tokens.
async fn people(program: &Program, kept: &Path, count: usize) -> Outcome<Vec<Person>> {
    let known: Vec<Person> = match std::fs::read_to_string(kept) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    let people = if known.len() >= count {
        program.http.refresh(known).await?
    } else if known.is_empty() {
        program.http.sign_up(count).await?
    } else {
        return Err(format!("{} has {} people, {count} are needed", kept.display(), known.len()).into());
    };
    std::fs::write(kept, serde_json::to_string(&people)?)?;
    Ok(people)
}

/// The item in an answer to [`LISTEN`].
pub fn announced(data: &mut Value) -> Value {
    data["announcementPublished"].take()
}
