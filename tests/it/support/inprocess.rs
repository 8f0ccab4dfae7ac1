//! The schema in this process, without HTTP: on SQLite in a folder of its own, or on a fresh PostgreSQL database.

use std::path::Path;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::{Data, Response, Variables};
use futures_util::StreamExt;
use gigwire::features::{PROJECTIONS, accounts};
use gigwire::kernel::id::{TypedId, UserId};
use gigwire::kernel::{Caller, Role, Roles, Viewer};
use gigwire::loaders::Loaders;
use gigwire::platform::config::{Config, Secret};
use gigwire::platform::streams::{Event, Place, StreamName};
use gigwire::platform::{Platform, host};
use gigwire::resolvers::live::{Item, Probe, View};
use gigwire::server::execute::Asked;
use gigwire::server::state::Server;
use serde_json::Value;
use tempfile::TempDir;

use super::postgres::FreshDatabase;

/// A server without a network.
pub struct InProcess {
    pub server: Server,
    _folder: TempDir,
    _database: Option<FreshDatabase>,
}

impl InProcess {
    /// On SQLite.
    pub async fn sqlite() -> Self {
        Self::open("", |_| {}).await
    }

    /// On SQLite, over a platform of which something is replaced.
    pub async fn sqlite_with(change: impl FnOnce(&mut Platform)) -> Self {
        Self::open("", change).await
    }

    /// On a fresh PostgreSQL database.
    pub async fn postgres() -> Self {
        let database = FreshDatabase::create().await;
        let opened = Self::open(&database.url(), |_| {}).await;
        InProcess { _database: Some(database), ..opened }
    }

    async fn open(url: &str, change: impl FnOnce(&mut Platform)) -> Self {
        let folder = in_memory();
        let config = config(url, folder.path());
        let mut platform = Platform::open(config, host::clock(), host::entropy(), PROJECTIONS).await.unwrap();
        change(Arc::get_mut(&mut platform).unwrap());
        InProcess { server: Server::new(platform).unwrap(), _folder: folder, _database: None }
    }

    /// Everything outside.
    pub fn platform(&self) -> &Arc<Platform> {
        &self.server.platform
    }

    /// A new customer, signed in.
    pub async fn person(&self, name: &str) -> Person {
        self.person_as(name, Roles::of(&[Role::Customer])).await
    }

    /// A new user with these roles, signed in.
    pub async fn person_as(&self, name: &str, roles: Roles) -> Person {
        let user: UserId = self.platform().ids.new_id();
        let caller = Caller::system("sign-up");
        let input = accounts::SignUp {
            email: format!("{}@example.org", user.uuid().simple()),
            password: "a good password".to_owned(),
            display_name: name.to_owned(),
            roles,
        };
        let signed_in = accounts::commands::sign_up(self.platform(), &caller, input).await.unwrap();
        let viewer = Viewer { user: signed_in.user, session: signed_in.session, roles, disconnections: 0 };
        Person { id: signed_in.user, caller: Caller { viewer: Some(viewer), ..Caller::system("test") } }
    }

    /// Runs a query or a mutation and gives the whole answer.
    pub async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        serde_json::to_value(self.response(caller, query, variables).await).unwrap()
    }

    /// Runs a query that must not fail and gives its data as text, in which order shows.
    pub async fn text(&self, caller: &Caller, query: &str, variables: Value) -> String {
        let response = self.response(caller, query, variables).await;
        assert_eq!(response.errors, []);
        serde_json::to_string(&response.data).unwrap()
    }

    async fn response(&self, caller: &Caller, query: &str, variables: Value) -> Response {
        let asked = Asked {
            query: Some(query.to_owned()),
            variables: Some(serde_json::value::to_raw_value(&variables).unwrap()),
            ..Asked::default()
        };
        match self.server.prepare(caller.viewer, asked) {
            Ok(prepared) => self.server.run(caller, prepared).await,
            Err(declined) => declined.response(),
        }
    }

    /// Runs a query or a mutation that must not fail and gives its data.
    pub async fn data(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(caller, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// Runs a mutation with this input and gives its payload.
    pub async fn act(&self, caller: &Caller, mutation: &str, input: Value, selection: &str) -> Value {
        let ty = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!("mutation($input: {ty}!) {{ done: {mutation}(input: $input) {{ {selection} }} }}");
        self.data(caller, &query, serde_json::json!({ "input": input })).await["done"].take()
    }

    /// Subscribes as far as the probe goes: the view, or the refusal.
    pub async fn probe(&self, caller: &Caller, query: &str) -> Result<View, Response> {
        let probe = Probe::default();
        let document = parse_query(query).unwrap();
        let request = self.server.request(caller, document, None, Variables::default()).data(probe.clone());
        match self.server.strict.execute_stream(request).next().await {
            Some(refusal) => Err(refusal),
            None => Ok(probe.take().unwrap().0),
        }
    }

    /// What a subscription makes of an item.
    pub async fn deliver(&self, caller: &Caller, query: &str, item: Item) -> Option<Value> {
        let view = self.probe(caller, query).await.unwrap_or_else(|refusal| panic!("{:?}", refusal.errors));
        self.show(caller, query, &view, &item).await
    }

    /// What an open subscription makes of an item.
    pub async fn show(&self, caller: &Caller, query: &str, view: &View, item: &Item) -> Option<Value> {
        let mut data = Data::default();
        data.insert(caller.clone());
        data.insert(Arc::new(Loaders::new(self.server.readers.clone())));
        let (document, shown) = (parse_query(query).unwrap(), (view.shape, item));
        let response = self.server.engine.show(&document, Variables::default(), data, shown).await?;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        Some(response.data.into_json().unwrap())
    }

    /// Everything in a user's stream.
    pub async fn events(&self, user: UserId) -> Vec<Event> {
        let reader = self.platform().hub.reader();
        let stream = StreamName::user(user);
        let mut events: Vec<Event> = Vec::new();
        loop {
            let place = events.last().map_or_else(Place::default, |last| Place { seq: last.seq, mark: last.mark() });
            let page = reader.page(&stream, place).await.unwrap().unwrap();
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }
}

/// A folder in memory where the machine has such a place: nothing here has to survive it.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// A signed-in user.
pub struct Person {
    pub id: UserId,
    pub caller: Caller,
}

fn config(url: &str, folder: &Path) -> Config {
    let defaults = include_str!("../../../src/platform/config/default.toml");
    let mut config: Config =
        figment::Figment::from(<figment::providers::Toml as figment::providers::Format>::string(defaults))
            .extract()
            .unwrap();
    config.app.data_dir = folder.to_path_buf();
    config.database.url = Secret::new(url);
    config
}
