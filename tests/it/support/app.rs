//! The whole program inside a test, spoken to over real connections.
//!
//! ```ignore
//! let app = TestApp::sqlite().await;
//! let ada = app.sign_up(&["CUSTOMER"]).await;
//! let answer = app.gql(&ada, "{ viewer { user { displayName } } }", json!({})).await;
//! ```
//!
//! A case that must hold on both engines takes `&TestApp` and stands in `on_both_engines!`.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gigwire::features::PROJECTIONS;
use gigwire::features::accounts::{SignUp, commands};
use gigwire::kernel::{Caller, Clock, Role};
use gigwire::platform::config::{Config, Sources, load};
use gigwire::platform::db::q;
use gigwire::platform::{Platform, host};
use gigwire::server::{lifecycle, state::Server};
use gigwire::tasks;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::books;
use super::live::Client;
use super::postgres::FreshDatabase;
use super::redis::{prefix, shared_url};

/// The password of all test users.
pub const PASSWORD: &str = "correct horse battery";

/// One database with one or more servers on it.
pub struct TestApp {
    servers: Vec<Instance>,
    /// Moves the time of all servers.
    pub clock: Hand,
    users: AtomicU64,
    // Dropped last, in this order: the servers are gone by then.
    _folder: TempDir,
    _database: Option<FreshDatabase>,
}

/// One running server.
pub struct Instance {
    /// What it stands on.
    pub server: Server,
    address: String,
    client: reqwest::Client,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

/// Moves a clock that otherwise goes like the system's.
#[derive(Clone, Default)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    /// Moves the time forward.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let (offset, system) = (self.0.clone(), host::clock());
        Clock::new(move || system.now().plus(offset.load(Ordering::SeqCst)))
    }
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// Its id.
    pub id: String,
    /// Its address, for signing in with [`PASSWORD`].
    pub email: String,
    /// Its access token.
    pub token: String,
    /// Its refresh token.
    pub refresh_token: String,
}

impl<'a> From<&'a TestUser> for Option<&'a str> {
    fn from(user: &'a TestUser) -> Self {
        Some(&user.token)
    }
}

/// Nobody is signed in.
pub const ANONYMOUS: Option<&str> = None;

impl TestApp {
    /// One server on SQLite.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(|_| {}).await
    }

    /// One server on SQLite, with other settings.
    pub async fn sqlite_with(change: impl Fn(&mut Config)) -> Self {
        Self::start(1, None, &[], change).await
    }

    /// One server on a fresh PostgreSQL database.
    pub async fn postgres() -> Self {
        Self::postgres_with(|_| {}).await
    }

    /// One server on a fresh PostgreSQL database, with other settings.
    pub async fn postgres_with(change: impl Fn(&mut Config)) -> Self {
        Self::start(1, Some(FreshDatabase::create().await), &[], change).await
    }

    /// Several servers on one fresh PostgreSQL database and Redis.
    pub async fn scaled(servers: usize) -> Self {
        Self::scaled_with(servers, |_| {}).await
    }

    /// The same, with other settings.
    pub async fn scaled_with(servers: usize, change: impl Fn(&mut Config)) -> Self {
        let redis = [("REDIS_URL", shared_url()), ("REDIS_PREFIX", prefix())];
        Self::start(servers, Some(FreshDatabase::create().await), &redis, change).await
    }

    async fn start(
        servers: usize,
        database: Option<FreshDatabase>,
        settings: &[(&str, String)],
        change: impl Fn(&mut Config),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = settings_of(folder.path(), database.as_ref(), settings);
        change(&mut config);
        let clock = Hand::default();
        let mut running = Vec::new();
        for _ in 0..servers {
            running.push(Instance::start(config.clone(), clock.clock()).await);
        }
        TestApp { servers: running, clock, users: AtomicU64::new(0), _folder: folder, _database: database }
    }

    /// Stops one of the servers in good order, and waits until it is gone.
    pub async fn leave(&mut self, server: usize) {
        let instance = &mut self.servers[server];
        instance.stop.cancel();
        if let Some(serving) = instance.serving.take() {
            serving.await.unwrap();
        }
    }

    /// One of the servers; all methods of the first are those of the app itself.
    pub fn on(&self, server: usize) -> &Instance {
        &self.servers[server]
    }

    /// Opens an account with these roles and signs it in.
    pub async fn sign_up(&self, roles: &[&str]) -> TestUser {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let email = format!("user{number}@example.org");
        let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) {
            session { accessToken refreshToken } viewer { user { id } } userErrors { message } } }";
        let input =
            json!({ "email": email, "password": PASSWORD, "displayName": format!("User {number}"), "roles": roles });
        let answer = self.gql(ANONYMOUS, text, json!({ "input": input })).await;
        user(email, &answer["data"]["accountSignUp"], &answer)
    }

    /// Opens an account with the role ADMIN and signs it in.
    pub async fn admin(&self) -> TestUser {
        self.staff(&[Role::Admin]).await
    }

    /// Opens an account with the role MODERATOR and signs it in: staff, and no administrator.
    pub async fn moderator(&self) -> TestUser {
        self.staff(&[Role::Moderator]).await
    }

    /// Opens an account with any roles and signs it in.
    pub async fn staff(&self, roles: &[Role]) -> TestUser {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let email = format!("staff{number}@example.org");
        let input = SignUp::new(&email, PASSWORD, &format!("Staff {number}"), roles).unwrap();
        commands::create_staff(&self.server.platform, &Caller::system("test"), input).await.unwrap();
        self.sign_in(&email, PASSWORD).await
    }
}

/// Settings as a person would give them: through the environment.
fn settings_of(folder: &Path, database: Option<&FreshDatabase>, settings: &[(&str, String)]) -> Config {
    let mut environment =
        BTreeMap::from([("PORT".to_owned(), "0".to_owned()), ("DATA_DIR".to_owned(), folder.display().to_string())]);
    environment.extend(database.map(|database| ("DATABASE_URL".to_owned(), database.url())));
    environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut config = load(&Sources { environment, ..Sources::default() }).unwrap().config;
    config.database.connections = 8;
    config
}

impl Deref for TestApp {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.servers[0]
    }
}

impl Instance {
    async fn start(config: Config, clock: Clock) -> Self {
        let platform = Platform::open(config, clock, host::entropy(), PROJECTIONS).await.unwrap();
        let listener = lifecycle::bind(&platform.config).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server::new(platform).unwrap();
        let stop = CancellationToken::new();
        let (served, told) = (server.clone(), stop.clone());
        let serving = tokio::spawn(async move { lifecycle::serve(served, listener, told).await.unwrap() });
        Instance { server, address, client: reqwest::Client::new(), stop, serving: Some(serving) }
    }

    /// An address of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request to this server, to be completed.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A POST of a body to `/graphql`, to be completed.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.request(reqwest::Method::POST, "/graphql").header("content-type", "application/json").body(body)
    }

    /// A socket of a user, with an ack.
    pub async fn socket(&self, who: &TestUser, resume: &Value) -> Client {
        let mut client = Client::dial(&self.address, "graphql-transport-ws", &[]).await.unwrap();
        client.init(json!({ "authorization": who.token, "resume": resume })).await;
        client
    }

    /// The whole answer to a document, for a user or [`ANONYMOUS`].
    pub async fn gql<'a>(&self, who: impl Into<Option<&'a str>>, document: &str, variables: Value) -> Value {
        let mut request = self.post(json!({ "query": document, "variables": variables }).to_string());
        if let Some(token) = who.into() {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Where a user's streams end now.
    pub async fn stream_cursor(&self, who: &TestUser) -> String {
        let mut answer = self.gql(who, "{ viewer { streamCursor } }", json!({})).await;
        let Value::String(cursor) = answer["data"]["viewer"]["streamCursor"].take() else { panic!("{answer}") };
        cursor
    }

    /// Signs in a user that exists.
    pub async fn sign_in(&self, email: &str, password: &str) -> TestUser {
        let text = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) {
            session { accessToken refreshToken } viewer { user { id } } userErrors { message } } }";
        let input = json!({ "email": email, "password": password });
        let answer = self.gql(ANONYMOUS, text, json!({ "input": input })).await;
        user(email.to_owned(), &answer["data"]["accountSignIn"], &answer)
    }

    /// Runs background tasks from now on. Without this none runs, so that round trips can be counted.
    pub fn work(&self) {
        tokio::spawn(tasks::work(self.server.platform.clone()));
    }

    /// Round trips to the database so far.
    pub fn round_trips(&self) -> u64 {
        self.server.platform.db.meter().read()
    }

    /// The rows that a `select count(*) as n ..` counts.
    pub async fn count(&self, sql: &'static str) -> i64 {
        q(sql).one(&self.server.platform.db).await.unwrap()
    }

    /// Figures that any change of a deal or of money moves.
    pub async fn traces(&self) -> Vec<i64> {
        books::traces(&self.server.platform).await
    }

    /// Proves the books and the streams. Nobody may be at work meanwhile.
    pub async fn assert_books(&self) {
        books::assert_books(&self.server.platform).await;
        books::assert_streams(&self.server.platform).await;
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.server.platform.stop.cancel();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// Waits until something holds that a task brings about.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn user(email: String, payload: &Value, answer: &Value) -> TestUser {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no tokens: {answer}")).to_owned();
    TestUser {
        email,
        id: text(&payload["viewer"]["user"]["id"]),
        token: text(&payload["session"]["accessToken"]),
        refresh_token: text(&payload["session"]["refreshToken"]),
    }
}

/// Runs each case, a function of `&TestApp`, on SQLite and on PostgreSQL; with other settings than the defaults, if a
/// function that changes them comes first.
macro_rules! on_both_engines {
    (with $change:ident: $($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::sqlite_with(super::$change).await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::postgres_with(super::$change).await).await;
                }
            )*
        }
    };
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::sqlite().await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::postgres().await).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_engines;
