//! What must never leave the process by a side door: people's data in logs and metrics, and the inside in answers.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::errors;
use crate::support::postgres::FreshDatabase;

const EMAIL: &str = "canary-mail-7f3a@example.org";
const PASSWORD: &str = "canary-password-7f3a";
const NAME: &str = "Canary Name 7f3a";
const TEXT: &str = "canary text 7f3a: ring me at noon";

/// The program as people run it, and everything that it says.
struct Program {
    child: Child,
    base: String,
    said: Vec<JoinHandle<String>>,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Program {
    fn start(database_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gigwire"))
            .env_clear()
            .envs([("PORT", "0"), ("RUST_LOG", "debug"), ("DATABASE_URL", database_url)])
            .env("DATA_DIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = mpsc::channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let listen = move || {
            let (mut all, mut line) = (String::new(), String::new());
            while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
                if let Some(address) = line.trim().strip_prefix("GraphQL") {
                    let _ = tell.send(address.trim().to_owned());
                }
                all += &line;
                line.clear();
            }
            all
        };
        let complaints = move || {
            let mut all = String::new();
            let _ = stderr.read_to_string(&mut all);
            all
        };
        let said = vec![std::thread::spawn(listen), std::thread::spawn(complaints)];
        let address = told.recv_timeout(Duration::from_secs(30)).expect("the program does not say where it listens");
        let base = address.trim_end_matches("/graphql").to_owned();
        Program { child, base, said, http: reqwest::Client::new(), _folder: folder }
    }

    async fn post(&self, token: Option<&str>, body: String) -> String {
        let mut request = self.http.post(format!("{}/graphql", self.base)).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.body(body).send().await.unwrap().text().await.unwrap()
    }

    /// Runs a mutation and gives its payload.
    async fn act(&self, token: Option<&str>, mutation: &str, input: Value, selection: &str) -> Value {
        let ty = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!("mutation Act($input: {ty}!) {{ done: {mutation}(input: $input) {{ {selection} }} }}");
        let body = json!({ "query": query, "operationName": "Act", "variables": { "input": input } });
        let mut answer: Value = serde_json::from_str(&self.post(token, body.to_string()).await).unwrap();
        assert!(answer["data"]["done"].is_object(), "{mutation}: {answer}");
        answer["data"]["done"].take()
    }

    /// Opens a socket with a token in its first message, and listens for a moment.
    async fn listen(&self, token: &str) {
        let address = format!("{}/graphql", self.base.replace("http:", "ws:"));
        let mut request = address.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let subscribe = json!({ "query": "subscription { eventAppended { id } }" });
        for message in [
            json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }),
            json!({ "type": "subscribe", "id": "1", "payload": subscribe }),
            json!({ "type": "subscribe", "id": "2", "payload": { "query": format!("{{ \"{TEXT}\"") } }),
        ] {
            socket.send(Message::text(message.to_string())).await.unwrap();
        }
        for _ in 0..2 {
            tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
        }
        socket.close(None).await.unwrap();
    }

    /// Stops it and gives everything that it said.
    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.drain(..).map(|said| said.join().unwrap()).collect()
    }
}

/// Does what people do, also wrongly, and gives all tokens that were handed out.
async fn live(program: &Program) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut keep = |session: &Value| {
        let [access, refresh] = ["accessToken", "refreshToken"].map(|name| session[name].as_str().unwrap().to_owned());
        tokens.extend([access.clone(), refresh.clone()]);
        (access, refresh)
    };
    let pair = "session { accessToken refreshToken } viewer { user { id } } userErrors { code }";
    let all = json!(["CUSTOMER", "CONTRACTOR"]);
    let me = json!({ "email": EMAIL, "password": PASSWORD, "displayName": NAME, "roles": all });
    let mine = program.act(None, "accountSignUp", me.clone(), pair).await;
    let (token, refresh) = keep(&mine["session"]);
    let taken = program.act(None, "accountSignUp", me, pair).await;
    assert_eq!(taken["userErrors"][0]["code"], "EMAIL_TAKEN");
    let other = json!({ "email": format!("x{EMAIL}"), "password": PASSWORD, "displayName": NAME, "roles": all });
    let (hand, _) = keep(&program.act(None, "accountSignUp", other, pair).await["session"]);
    for password in [PASSWORD.to_owned(), format!("{PASSWORD}!")] {
        let input = json!({ "email": EMAIL, "password": password });
        program.act(None, "accountSignIn", input, "userErrors { code }").await;
    }
    let next =
        program.act(None, "sessionRefresh", json!({ "refreshToken": refresh }), pair.split(" viewer").next().unwrap());
    keep(&next.await["session"]);
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let me = Some(token.as_str());
    let input = json!({ "amount": usd("500.00"), "idempotencyKey": TEXT });
    program.act(me, "depositCreate", input, "payment { id }").await;
    let input = json!({ "title": TEXT, "description": TEXT, "budget": usd("100.00") });
    let job = program.act(me, "jobPost", input, "job { id }").await["job"]["id"].take();
    let input = json!({ "jobId": job, "amount": usd("90.00"), "message": TEXT, "idempotencyKey": "1" });
    let offer = program.act(Some(&hand), "offerSend", input, "offer { id }").await["offer"]["id"].take();
    let input = json!({ "offerId": offer, "idempotencyKey": "1" });
    let made = program.act(me, "offerAccept", input, "conversation { id } booking { id }").await;
    let input = json!({ "conversationId": made["conversation"]["id"], "content": TEXT, "clientMessageId": TEXT });
    for _ in 0..2 {
        program.act(me, "messageSend", input.clone(), "message { content }").await;
    }
    let input = json!({ "bookingId": made["booking"]["id"], "reason": TEXT, "idempotencyKey": "1" });
    program.act(me, "bookingCancel", input, "userErrors { code }").await;
    program.listen(&token).await;
    tokens
}

async fn nothing_leaks_beside_the_answers(database_url: &str) {
    let program = Program::start(database_url);
    let tokens = live(&program).await;
    for body in errors::nonsense() {
        for token in [None, Some(tokens[0].as_str()), Some("nonsense")] {
            let answer = program.post(token, body.clone()).await;
            let slips = errors::slips(&answer);
            assert!(slips.is_empty(), "{slips:?} in the answer to {body}: {answer}");
        }
    }
    let metrics = program.http.get(format!("{}/metrics", program.base)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("gigwire_request_seconds"), "{metrics}");
    let log = program.stop();
    assert!(log.lines().filter(|line| line.contains("DEBUG")).count() > 50, "the log is loud enough to tell");
    assert!(log.contains("user_") && log.contains("Act"), "requests are logged by their operation and user");
    let secrets = [EMAIL, PASSWORD, NAME, TEXT].map(str::to_owned).into_iter().chain(tokens);
    for secret in secrets {
        for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "{place} holds {secret}: {line:?}");
        }
    }
}

#[tokio::test]
async fn nothing_leaks_beside_the_answers_on_sqlite() {
    nothing_leaks_beside_the_answers("").await;
}

#[tokio::test]
async fn nothing_leaks_beside_the_answers_on_postgres() {
    let database = FreshDatabase::create().await;
    nothing_leaks_beside_the_answers(&database.url()).await;
}
