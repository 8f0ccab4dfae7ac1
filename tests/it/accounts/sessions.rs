//! The sessions of a user: listed with what is known of each, and ended one by one.

use std::time::Duration;

use gigwire::kernel::clock::MINUTE;
use serde_json::{Value, json};

use super::is_let_in;
use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::live::Client;

on_both_engines! {
    sessions_are_listed,
    a_session_is_ended_by_its_user_alone,
    use_is_noted_once_a_minute,
}

const LIST: &str = "{ viewer { sessions { id clientName ipAddress createdAt lastSeenAt isCurrent } } }";

async fn list(app: &Instance, who: &TestUser) -> Vec<Value> {
    let answer = app.gql(who, LIST, json!({})).await;
    let sessions = &answer["data"]["viewer"]["sessions"];
    sessions.as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

async fn sign_in_as(app: &Instance, who: &TestUser, agent: &str) -> TestUser {
    let text = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { session { accessToken } } }";
    let input = json!({ "email": who.email, "password": PASSWORD });
    let request = app.post(json!({ "query": text, "variables": { "input": input } }).to_string());
    let answer: Value = request.header("user-agent", agent).send().await.unwrap().json().await.unwrap();
    let token = answer["data"]["accountSignIn"]["session"]["accessToken"].as_str().unwrap().to_owned();
    TestUser { token, ..who.clone() }
}

async fn sessions_are_listed(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let second = sign_in_as(app, &ada, agent).await;
    let bob = app.sign_up(&[]).await;
    assert_eq!(list(app, &bob).await.len(), 1, "everybody sees the own ones");
    let listed = list(app, &second).await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    let own = listed.iter().find(|session| session["isCurrent"] == true).unwrap();
    assert_eq!(own["clientName"], "Firefox on Linux");
    assert_eq!(own["ipAddress"], "127.0.0.1");
    let other = listed.iter().find(|session| session["isCurrent"] == false).unwrap();
    assert!(other["clientName"].is_null() && other["createdAt"].is_string(), "{other}");
    // A client that says its name on a socket is called by it.
    let mut socket = Client::dial(&app.url("")[7..], "graphql-transport-ws", &[]).await.unwrap();
    socket.init(json!({ "authorization": ada.token, "clientName": "Kiosk 7" })).await;
    app.server.sessions.write_used().await.unwrap();
    assert!(list(app, &ada).await.iter().any(|session| session["clientName"] == "Kiosk 7"));
    assert!(app.gql(ANONYMOUS, LIST, json!({})).await["data"]["viewer"].is_null());
}

async fn a_session_is_ended_by_its_user_alone(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let (second, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_up(&[]).await);
    let listed = list(app, &ada).await;
    let id = |is_current: bool| listed.iter().find(|session| session["isCurrent"] == is_current).unwrap()["id"].clone();
    let end = async |who: &TestUser, id: Value| app.act(who, "sessionEnd", json!({ "sessionId": id })).await;
    end(&bob, id(false)).await.refused_at("NOT_FOUND", &["sessionId"]);
    let mut socket = app.socket(&second, &Value::Null).await;
    let left = end(&ada, id(false)).await.ok();
    assert_eq!(left["viewer"]["sessions"], json!([{ "id": id(true) }]));
    assert_eq!(socket.closed().await, 4403);
    assert!(!is_let_in(app, &second.token).await && is_let_in(app, &ada.token).await);
    end(&ada, id(false)).await.refused("NOT_FOUND");
    let mut own = app.socket(&ada, &Value::Null).await;
    end(&ada, id(true)).await.ok();
    assert_eq!(own.closed().await, 4403);
    assert!(!is_let_in(app, &ada.token).await);
}

async fn use_is_noted_once_a_minute(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let seen = async || list(app, &ada).await[0]["lastSeenAt"].clone();
    let write = async || app.server.sessions.write_used().await.unwrap();
    let first = seen().await;
    write().await;
    assert_eq!(seen().await, first, "the sign-in is less than a minute ago");
    app.clock.advance(MINUTE);
    assert!(is_let_in(app, &ada.token).await);
    write().await;
    let second = seen().await;
    assert_ne!(second, first);
    write().await;
    assert_eq!(seen().await, second);
    // A socket uses its session too, when it opens and when it closes.
    app.clock.advance(MINUTE);
    let socket = app.socket(&ada, &Value::Null).await;
    write().await;
    app.clock.advance(MINUTE);
    drop(socket);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = seen().await;
    app.server.sessions.write_used().await.unwrap();
    eventually("the use is written", async || seen().await != before).await;
}
