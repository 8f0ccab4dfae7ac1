//! A server with a real port, and a client without a library on top.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format, Toml};
use futures_util::{SinkExt, StreamExt};
use gigwire::features::accounts::{self, SignIn, SignUp, SignedIn};
use gigwire::features::announcements::{self, Level, NewAnnouncement};
use gigwire::features::chat::{self, Subject, SubjectKind};
use gigwire::kernel::{Caller, Clock, Role, Roles};
use gigwire::platform::config::{Config, Secret};
use gigwire::platform::{Platform, host};
use gigwire::server::lifecycle;
use gigwire::server::live::LiveLimits;
use gigwire::server::state::Server;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::redis;

/// How long anything may take before it counts as never.
pub const PATIENCE: Duration = Duration::from_secs(12);
/// The subscription that most tests open.
pub const LISTEN: &str = "subscription ($after: String) { announcementPublished(after: $after) { __typename id cursor \
    ... on AnnouncementAdded { number announcement { title } } ... on StreamGap { reason } } }";

/// A subscription whose answers are 25 times as large as the text of the announcement, so that they soon fill what the
/// buffers of a connection hold.
pub fn listen_largely() -> String {
    let bodies: String = (0..25).map(|n| format!("b{n}: body ")).collect();
    format!("subscription {{ announcementPublished {{ ... on AnnouncementAdded {{ announcement {{ {bodies} }} }} }} }}")
}

/// One running instance.
pub struct App {
    /// The server itself.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
    _folder: TempDir,
}

/// The defaults, with everything in a folder of this test.
pub fn config(folder: &Path) -> Config {
    let mut config: Config =
        Figment::from(Toml::string(include_str!("../../../src/platform/config/default.toml"))).extract().unwrap();
    config.app.data_dir = folder.to_owned();
    config.server.drain_seconds = 1;
    config
}

impl App {
    /// An instance on SQLite.
    pub async fn start() -> Self {
        App::with(LiveLimits::default(), |_| ()).await
    }

    /// An instance on SQLite, with limits and settings of its own.
    pub async fn with(limits: LiveLimits, edit: impl FnOnce(&mut Config)) -> Self {
        App::at(host::clock(), limits, edit).await
    }

    /// The same with a clock of its own.
    pub async fn at(clock: Clock, limits: LiveLimits, edit: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        edit(&mut config);
        let platform = Platform::open(config, clock, host::entropy(), &[]).await.unwrap();
        let server = Server::with_limits(platform, limits).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(lifecycle::serve(server.clone(), listener, CancellationToken::new()));
        App { server, address, _folder: folder }
    }

    /// Two instances on one PostgreSQL database and the Redis of this address.
    pub async fn pair(redis_url: &str) -> (Self, Self) {
        App::pair_with(redis_url, |_| ()).await
    }

    /// The same with settings of their own.
    pub async fn pair_with(redis_url: &str, change: impl Fn(&mut Config)) -> (Self, Self) {
        App::pair_over([redis_url; 2], change).await
    }

    /// Two instances on one PostgreSQL database, each with a Redis of its own address.
    pub async fn pair_over(redis_urls: [&str; 2], change: impl Fn(&mut Config)) -> (Self, Self) {
        let (database, prefix) = (database().await, redis::prefix());
        let edit = |config: &mut Config, redis_url: &str| {
            change(config);
            config.database.url = Secret::new(database.clone());
            config.redis.url = Secret::new(redis_url);
            config.redis.prefix = prefix.clone();
        };
        let [one, two] = redis_urls;
        let one = App::with(LiveLimits::default(), |config| edit(config, one)).await;
        (one, App::with(LiveLimits::default(), |config| edit(config, two)).await)
    }

    /// An account with these roles, signed in.
    pub async fn sign_in(&self, roles: &[Role]) -> SignedIn {
        self.sign_in_with_password(roles).await.0
    }

    /// The same, and what to sign in with again.
    pub async fn sign_in_with_password(&self, roles: &[Role]) -> (SignedIn, SignIn) {
        let name = Uuid::new_v4().simple().to_string();
        let input = SignUp {
            email: format!("{name}@example.org"),
            password: "correct horse".to_owned(),
            display_name: name,
            roles: Roles::of(roles),
        };
        let again = SignIn { email: input.email.clone(), password: input.password.clone() };
        let caller = Caller::system("test");
        accounts::commands::create_staff(&self.server.platform, &caller, input).await.unwrap();
        (self.sign_in_again(again.clone()).await, again)
    }

    /// One more session of an account.
    pub async fn sign_in_again(&self, input: SignIn) -> SignedIn {
        accounts::commands::sign_in(&self.server.platform, &Caller::system("test"), input).await.unwrap()
    }

    /// Somebody as the caller of commands.
    pub async fn caller(&self, who: &SignedIn) -> Caller {
        let pass = self.server.sessions.authenticate(&who.access_token).await.unwrap();
        Caller { viewer: Some(pass.viewer), ..Caller::system("test") }
    }

    /// A conversation of two people.
    pub async fn introduce(&self, one: &SignedIn, two: &SignedIn) {
        let (users, subject) = ((one.user, two.user), Subject { kind: SubjectKind::Listing, id: Uuid::new_v4() });
        let (work, caller) = (&self.server.platform.work, Caller::system("test"));
        let opened = work.run(&caller, (), move |unit, ()| Box::pin(chat::commands::open(unit, subject, users)));
        opened.await.unwrap();
    }

    /// Publishes an announcement.
    pub async fn publish(&self, publisher: &Publisher, title: &str) {
        self.publish_text(publisher, title, "Text.").await;
    }

    /// Publishes an announcement with this text.
    pub async fn publish_text(&self, publisher: &Publisher, title: &str, body: &str) {
        let input = NewAnnouncement::new(title, body, Level::Info).unwrap();
        announcements::commands::publish(&self.server.platform, &publisher.0, input).await.unwrap();
    }

    /// Somebody who may publish.
    pub async fn publisher(&self) -> Publisher {
        let signed_in = self.sign_in(&[Role::Admin]).await;
        Publisher(self.caller(&signed_in).await)
    }

    /// A socket that has said nothing yet.
    pub async fn connect(&self, protocol: &str) -> Client {
        self.connect_with(protocol, &[]).await.unwrap()
    }

    /// The same with further headers; the status of the answer if the upgrade is refused.
    pub async fn connect_with(&self, protocol: &str, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        Client::dial(&self.address.to_string(), protocol, headers).await
    }

    /// A socket of the current subprotocol with an ack.
    pub async fn open(&self, payload: Value) -> Client {
        let mut client = self.connect("graphql-transport-ws").await;
        client.init(payload).await;
        client
    }
}

/// Somebody who may publish.
pub struct Publisher(Caller);

/// A fresh database on the server that all tests share.
async fn database() -> String {
    let url = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL is not set: run the tests by `scripts/servers run -- cargo nextest run`");
    let name = format!("live_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let mut fresh = url::Url::parse(&url).unwrap();
    fresh.set_path(&name);
    fresh.into()
}

/// A socket.
pub struct Client {
    /// The bare socket.
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    is_legacy: bool,
}

impl Client {
    /// A socket to this address that has said nothing yet; the status of the answer if the upgrade is refused.
    pub async fn dial(address: &str, protocol: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Client { socket, is_legacy: protocol == "graphql-ws" }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends a text as it is.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Opens the conversation.
    pub async fn init(&mut self, payload: Value) {
        self.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.next().await["type"], "connection_ack");
    }

    /// Starts an operation.
    pub async fn start(&mut self, id: &str, query: &str, variables: Value) {
        let kind = if self.is_legacy { "start" } else { "subscribe" };
        self.send(json!({ "id": id, "type": kind, "payload": { "query": query, "variables": variables } })).await;
    }

    /// The next message that is no sign of life.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] != "ping" {
                        return message;
                    }
                }
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next item of an operation, whose root is `announcementPublished`.
    pub async fn item(&mut self, id: &str) -> Value {
        let message = self.next().await;
        assert_eq!((&message["id"], &message["type"]), (&json!(id), &json!("next")), "{message}");
        let item = &message["payload"]["data"]["announcementPublished"];
        assert!(item.is_object(), "{message}");
        item.clone()
    }

    /// The titles of the next announcements of an operation.
    pub async fn titles(&mut self, id: &str, count: usize) -> Vec<String> {
        let mut titles = Vec::new();
        while titles.len() < count {
            let item = self.item(id).await;
            let title = item["announcement"]["title"].as_str();
            titles.push(title.unwrap_or_else(|| panic!("{item}")).to_owned());
        }
        titles
    }

    /// Runs a query or mutation and gives its answer.
    pub async fn run(&mut self, id: &str, query: &str) -> Value {
        self.start(id, query, json!({})).await;
        let answer = self.next().await;
        assert_eq!((&answer["id"], &answer["type"]), (&json!(id), &json!("next")), "{answer}");
        assert_eq!(self.next().await["type"], "complete");
        answer["payload"].clone()
    }

    /// The code with which the server closes, whatever it says before.
    pub async fn closed(&mut self) -> u16 {
        self.closed_because().await.0
    }

    /// The same with the reason.
    pub async fn closed_because(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.frame().await {
                let told = |frame: CloseFrame| (frame.code.into(), frame.reason.to_string());
                return frame.map_or((1005, String::new()), told);
            }
        }
    }

    /// Whether the connection breaks, without a close frame, whatever comes before.
    pub async fn is_cut(&mut self) -> bool {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the connection holds") {
                Some(Ok(Message::Close(_))) => return false,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return true,
            }
        }
    }

    /// Whether nothing but signs of life comes for a while.
    pub async fn is_quiet(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.next()).await.is_err()
    }

    /// Is gone with a reset, as if its machine had lost its power.
    pub fn vanish(self) {
        if let MaybeTlsStream::Plain(stream) = self.socket.get_ref() {
            stream.set_zero_linger().unwrap();
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("nothing comes");
        frame.expect("the connection broke").unwrap()
    }
}
