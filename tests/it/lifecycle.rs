//! The program itself: it starts on nothing, says where it is, and leaves in good order.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{ANONYMOUS, TestApp};

/// The program with nothing of this shell's environment but what is given.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigwire"));
    command.env_clear().current_dir(folder).env("PORT", "0");
    command
}

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    program(folder).args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server in an own folder, killed when the test ends.
struct Running {
    child: Child,
    banner: String,
    folder: TempDir,
}

impl Running {
    fn start(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(folder.path());
        let mut child = command.envs(environment.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("REAL MONEY") {
            assert_ne!(lines.read_line(&mut banner).unwrap(), 0, "ended before it was ready: {banner}");
        }
        // Somebody must read on, or the program waits.
        std::thread::spawn(move || lines.read_to_string(&mut String::new()));
        Running { child, banner, folder }
    }

    fn origin(&self) -> String {
        let begin = self.banner.find("http://").unwrap();
        self.banner[begin..].split("/graphql").next().unwrap().to_owned()
    }

    async fn gql(&self, query: &str) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.origin()));
        let request = request.header("content-type", "application/json").body(json!({ "query": query }).to_string());
        request.send().await.unwrap().json().await.unwrap()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_starts_on_an_empty_folder_and_says_where_it_is() {
    let begun = Instant::now();
    let running = Running::start(&[]);
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    for part in
        ["GraphQL", "WebSocket", "Playground", "/healthz", "/metrics", "SQLite", "the folder", "captured in", "SANDBOX"]
    {
        assert!(running.banner.contains(part), "{part}: {}", running.banner);
    }
    assert!(!running.banner.contains(":0/"), "the real port: {}", running.banner);
    assert_eq!(running.gql("{ __typename }").await["data"]["__typename"], "Query");
    assert!(running.folder.path().join("data/gigwire.db").exists());
}

#[tokio::test]
async fn asked_to_stop_it_ends_content() {
    for signal in ["-TERM", "-INT"] {
        let mut running = Running::start(&[]);
        running.gql("{ __typename }").await;
        running.signal(signal);
        assert!(running.child.wait().unwrap().success(), "{signal}");
    }
}

#[tokio::test]
async fn half_a_request_keeps_nobody_from_leaving() {
    let mut running = Running::start(&[]);
    let mut half = std::net::TcpStream::connect(running.origin().trim_start_matches("http://")).unwrap();
    half.write_all(b"POST /graphql HTTP/1.1\r\nHost: here\r\n").unwrap();
    running.gql("{ __typename }").await;
    let asked = Instant::now();
    running.signal("-TERM");
    assert!(running.child.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(8), "it took {:?}", asked.elapsed());
}

#[tokio::test]
async fn the_first_administrator_is_opened_once() {
    let running = Running::start(&[("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", "correct horse battery")]);
    let sign_in =
        "mutation { accountSignIn(input: { email: \"root@example.org\", password: \"correct horse battery\" }) {
        session { accessToken } viewer { user { id } } userErrors { message } } }";
    let answer = running.gql(sign_in).await;
    assert!(answer["data"]["accountSignIn"]["session"]["accessToken"].is_string(), "{answer}");
    let folder = running.folder.path();
    let create = ["admin", "create", "--email", "two@example.org", "--display-name", "Two"];
    let created = run(folder, &create, &[("ADMIN_PASSWORD", "correct horse battery")]);
    assert!(created.status.success() && text(&created.stdout).starts_with("user_"), "{created:?}");
    let again = run(folder, &create, &[("ADMIN_PASSWORD", "correct horse battery")]);
    assert!(!again.status.success() && text(&again.stderr).contains("has an account already"), "{again:?}");
}

#[tokio::test]
async fn one_instance_may_leave_while_others_serve() {
    let mut app = TestApp::scaled(2).await;
    let ada = app.sign_up(&[]).await;
    app.on(0).work();
    app.leave(0).await;
    let who = "{ viewer { user { id } } }";
    assert_eq!(app.on(1).gql(&ada, who, json!({})).await["data"]["viewer"]["user"]["id"], ada.id.as_str());
    assert!(app.request(reqwest::Method::GET, "/healthz").send().await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_needs_no_row_asks_for_none() {
    let app = TestApp::sqlite().await;
    // Background work looks at the database now and then, so one quiet moment out of several is enough.
    let mut costs = Vec::new();
    for _ in 0..10 {
        let before = app.round_trips();
        app.gql(ANONYMOUS, "{ __typename __schema { queryType { name } } }", json!({})).await;
        costs.push(app.round_trips() - before);
    }
    assert!(costs.contains(&0), "{costs:?}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.toml"), "[server]\nprot = 1").unwrap();
    let output =
        run(folder.path(), &["serve", "--config", "own.toml"], &[("GIGWIRE_TYPO", "1"), ("ACCESS_MINUTES", "1")]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    for part in ["`server.prot` in own.toml", "GIGWIRE_TYPO", "ACCESS_MINUTES"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn other_commands_do_one_thing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let shown = run(path, &["config", "--port", "8080"], &[("ACCESS_SECRET", "not for others")]);
    let shown = text(&shown.stdout);
    assert!(shown.contains("port = 8080 # flag --port") && !shown.contains("not for others"), "{shown}");
    assert!(shown.contains("# access_secret is hidden (environment variable ACCESS_SECRET)"), "{shown}");
    std::fs::write(path.join("shown.toml"), &shown).unwrap();
    let again = run(path, &["config", "--config", "shown.toml"], &[]);
    assert!(again.status.success(), "what it prints can be read: {again:?}");
    let migrated = run(path, &["migrate"], &[]);
    assert!(text(&migrated.stdout).contains("up to date") && path.join("data/gigwire.db").exists(), "{migrated:?}");
    assert!(text(&run(path, &["schema"], &[]).stdout).contains("type Mutation"));
}

#[test]
fn a_database_that_is_not_there_is_not_proved() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["proof"], &[("DATA_DIR", "mistyped")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nothing is proved"), "{output:?}");
    assert!(!folder.path().join("mistyped").exists(), "nothing is made");
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--port", &port], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&format!("cannot listen on 127.0.0.1:{port}")), "{output:?}");
}
