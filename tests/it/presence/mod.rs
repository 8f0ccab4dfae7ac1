//! Who is there, and who may see it.

mod instances;
mod staff;

use std::time::Duration;

use gigwire::features::accounts::SignedIn;
use gigwire::kernel::Role;
use gigwire::platform::config::Config;
use gigwire::platform::db::q;
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};

use crate::support::live::{App, Client};

/// Opened by whoever watches.
const WATCH: &str = "subscription ($users: [ID!]!) { presenceChanged(userIds: $users) {
    __typename cursor user { id } presence { isOnline lastSeenAt } } }";

/// Who left is away after a second.
fn quick(config: &mut Config) {
    config.presence.grace_seconds = 1;
}

async fn app() -> App {
    App::with(LiveLimits::default(), quick).await
}

fn payload(who: &SignedIn) -> Value {
    json!({ "token": who.access_token })
}

/// A socket that watches users under the id `p`.
async fn watch(app: &App, who: &SignedIn, users: &[&SignedIn]) -> Client {
    let mut socket = app.open(payload(who)).await;
    let ids: Vec<_> = users.iter().map(|user| user.user.to_string()).collect();
    socket.start("p", WATCH, json!({ "users": ids })).await;
    socket
}

/// The next signal: whom it is about, and whether it is online; null where it is hidden.
async fn told(socket: &mut Client) -> (String, Value) {
    let message = socket.next().await;
    assert_eq!((&message["id"], &message["type"]), (&json!("p"), &json!("next")), "{message}");
    let signal = &message["payload"]["data"]["presenceChanged"];
    assert!(signal["cursor"].is_null() && signal["user"]["id"].is_string(), "{message}");
    // Who is online was seen now; who is not was seen some time.
    if let Some(is_online) = signal["presence"]["isOnline"].as_bool() {
        assert_eq!(signal["presence"]["lastSeenAt"].is_null(), is_online, "{message}");
    }
    (signal["user"]["id"].as_str().unwrap().to_owned(), signal["presence"]["isOnline"].clone())
}

fn about(who: &SignedIn, is_online: impl Into<Value>) -> (String, Value) {
    (who.user.to_string(), is_online.into())
}

/// `User.presence` of somebody, as somebody else sees it.
async fn seen(socket: &mut Client, user: &SignedIn) -> Value {
    let query = format!("{{ node(id: \"{}\") {{ ... on User {{ presence {{ isOnline }} }} }} }}", user.user);
    let answer = socket.run("q", &query).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["node"]["presence"].clone()
}

async fn set_hidden(socket: &mut Client, is_hidden: bool) {
    let text =
        format!("mutation {{ profileUpdate(input: {{ isPresenceHidden: {is_hidden} }}) {{ userErrors {{ code }} }} }}");
    let answer = socket.run("h", &text).await;
    assert_eq!(answer["data"]["profileUpdate"]["userErrors"], json!([]), "{answer}");
    assert_eq!(
        socket.run("v", "{ viewer { isPresenceHidden } }").await["data"]["viewer"]["isPresenceHidden"],
        is_hidden
    );
}

#[tokio::test]
async fn a_view_begins_with_how_it_stands_and_tells_what_changes() {
    let app = app().await;
    let (ada, bob, eve) = (
        app.sign_in(&[Role::Customer]).await,
        app.sign_in(&[Role::Contractor]).await,
        app.sign_in(&[Role::Customer]).await,
    );
    app.introduce(&ada, &bob).await;
    let _eve_is_there = app.open(payload(&eve)).await;
    // Of somebody without a shared conversation nothing is told, and nobody is told twice.
    let mut watcher = watch(&app, &ada, &[&bob, &eve, &bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    let (one, two) = (app.open(payload(&bob)).await, app.open(payload(&bob)).await);
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    drop(one);
    assert!(watcher.is_quiet(Duration::from_secs(2)).await, "one connection is enough");
    drop(two);
    assert_eq!(told(&mut watcher).await, about(&bob, false));
    assert!(watcher.is_quiet(Duration::from_millis(300)).await);
    assert_eq!(seen(&mut watcher, &bob).await, json!({ "isOnline": false }));
    assert_eq!(seen(&mut watcher, &ada).await, json!({ "isOnline": true }));
    assert_eq!(seen(&mut watcher, &eve).await, Value::Null);
}

/// Signals are kept nowhere but in the view: what does not fit into a page must wait there for the next one.
#[tokio::test]
async fn a_view_larger_than_a_page_leaves_nobody_out() {
    let app = app().await;
    let boss = app.sign_in(&[Role::Admin]).await;
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(app.sign_in(&[Role::Customer]).await.user.to_string());
    }
    let names: String = (0..28).map(|n| format!("{}{n}: displayName ", "a".repeat(150))).collect();
    let text =
        format!("subscription ($users: [ID!]!) {{ presenceChanged(userIds: $users) {{ user {{ id {names} }} }} }}");
    let mut watcher = app.open(payload(&boss)).await;
    watcher.start("p", &text, json!({ "users": users })).await;
    let (mut told, mut bytes) = (Vec::new(), 0);
    for _ in &users {
        let message = watcher.next().await;
        bytes += message.to_string().len();
        let id = message["payload"]["data"]["presenceChanged"]["user"]["id"].as_str();
        told.push(id.unwrap_or_else(|| panic!("{message}")).to_owned());
    }
    assert!(bytes > 65_536, "{bytes} bytes fit into one page");
    assert!(watcher.is_quiet(Duration::from_millis(300)).await);
    told.sort();
    users.sort();
    assert_eq!(told, users);
}

#[tokio::test]
async fn a_reconnect_is_no_absence() {
    let app = app().await;
    let (ada, bob) = (app.sign_in(&[Role::Customer]).await, app.sign_in(&[Role::Contractor]).await);
    app.introduce(&ada, &bob).await;
    let mut there = app.open(payload(&bob)).await;
    let mut watcher = watch(&app, &ada, &[&bob]).await;
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    for _ in 0..4 {
        drop(there);
        tokio::time::sleep(Duration::from_millis(300)).await;
        there = app.open(payload(&bob)).await;
    }
    assert!(watcher.is_quiet(Duration::from_millis(1_500)).await);
}

#[tokio::test]
async fn who_hides_is_seen_by_itself_and_staff_alone() {
    let app = app().await;
    let (ada, bob, boss) = (
        app.sign_in(&[Role::Customer]).await,
        app.sign_in(&[Role::Contractor]).await,
        app.sign_in(&[Role::Moderator]).await,
    );
    app.introduce(&ada, &bob).await;
    let mut own = app.open(payload(&bob)).await;
    let (mut watcher, mut staff) = (watch(&app, &ada, &[&bob]).await, watch(&app, &boss, &[&bob]).await);
    assert_eq!(told(&mut watcher).await, about(&bob, true));
    assert_eq!(told(&mut staff).await, about(&bob, true));
    set_hidden(&mut own, true).await;
    assert_eq!(told(&mut watcher).await, about(&bob, Value::Null));
    assert_eq!(told(&mut staff).await, about(&bob, true));
    assert_eq!(seen(&mut watcher, &bob).await, Value::Null);
    for socket in [&mut staff, &mut own] {
        assert_eq!(seen(socket, &bob).await, json!({ "isOnline": true }));
    }
    // It leaves and comes back: staff hear of it, and nobody else.
    drop(own);
    assert_eq!(told(&mut staff).await, about(&bob, false));
    let mut own = app.open(payload(&bob)).await;
    assert_eq!(told(&mut staff).await, about(&bob, true));
    let mut late = watch(&app, &ada, &[&bob]).await;
    assert!(watcher.is_quiet(Duration::from_millis(300)).await && late.is_quiet(Duration::from_millis(300)).await);
    set_hidden(&mut own, false).await;
    for socket in [&mut watcher, &mut late] {
        assert_eq!(told(socket).await, about(&bob, true));
    }
}

#[tokio::test]
async fn a_view_is_bounded_and_for_the_signed_in() {
    let app = app().await;
    let ada = app.sign_in(&[Role::Customer]).await;
    let mut socket = app.open(payload(&ada)).await;
    let ids = vec![ada.user.to_string(); 101];
    socket.start("p", WATCH, json!({ "users": ids })).await;
    let refused = socket.next().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    socket.start("p", WATCH, json!({ "users": &ids[..100] })).await;
    assert_eq!(told(&mut socket).await, about(&ada, true));
    let mut nobody = app.open(json!({})).await;
    nobody.start("p", WATCH, json!({ "users": &ids[..1] })).await;
    assert_eq!(nobody.next().await["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn presence_is_no_event() {
    let app = app().await;
    let (ada, bob) = (app.sign_in(&[Role::Customer]).await, app.sign_in(&[Role::Contractor]).await);
    app.introduce(&ada, &bob).await;
    let mut watcher = watch(&app, &ada, &[&bob]).await;
    told(&mut watcher).await;
    let rows = "select count(*) as n from events";
    let before: i64 = q(rows).one(&app.server.platform.db).await.unwrap();
    let _there = app.open(payload(&bob)).await;
    told(&mut watcher).await;
    let after: i64 = q(rows).one(&app.server.platform.db).await.unwrap();
    assert_eq!(before, after);
}
