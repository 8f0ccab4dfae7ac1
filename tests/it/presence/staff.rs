//! What staff see: everybody who is online, page by page, and how many connections each has.

use gigwire::kernel::Role;
use serde_json::{Value, json};

use super::{app, payload};
use crate::support::live::{App, Client};

const PAGE: &str = "query ($first: Int, $after: String, $last: Int, $before: String) {
    onlineUsers(first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor } nodes { id connectionCount } } }";

/// A page of the users who are online.
pub async fn page(socket: &mut Client, arguments: Value) -> Value {
    socket.start("o", PAGE, arguments).await;
    let answer = socket.next().await;
    assert!(answer["payload"]["errors"].is_null(), "{answer}");
    assert_eq!(socket.next().await["type"], "complete");
    answer["payload"]["data"]["onlineUsers"].clone()
}

/// The users of a page, each with its connections.
pub fn users(page: &Value) -> Vec<(String, i64)> {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| (node["id"].as_str().unwrap().to_owned(), node["connectionCount"].as_i64().unwrap())).collect()
}

async fn open_many(app: &App, count: usize) -> (Vec<Client>, Vec<(String, i64)>) {
    let (mut open, mut wanted) = (Vec::new(), Vec::new());
    for n in 0..count {
        let who = app.sign_in(&[Role::Customer]).await;
        for _ in 0..=n % 2 {
            open.push(app.open(payload(&who)).await);
        }
        wanted.push((who.user.to_string(), i64::try_from(n % 2).unwrap() + 1));
    }
    (open, wanted)
}

#[tokio::test]
async fn staff_turn_the_pages_of_who_is_online() {
    let app = app().await;
    let boss = app.sign_in(&[Role::Moderator]).await;
    let mut staff = app.open(payload(&boss)).await;
    let (open, mut wanted) = open_many(&app, 5).await;
    wanted.push((boss.user.to_string(), 1));
    wanted.sort();
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(&mut staff, json!({ "first": 2, "after": after })).await;
        assert_eq!(page["totalCount"], 6);
        seen.extend(users(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, wanted);
    let last = page(&mut staff, json!({ "last": 2 })).await;
    assert_eq!(users(&last), wanted[4..]);
    let before = page(&mut staff, json!({ "last": 3, "before": last["pageInfo"]["startCursor"] })).await;
    assert_eq!(users(&before), wanted[1..4]);
    drop(open);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(users(&page(&mut staff, json!({})).await), [(boss.user.to_string(), 1)]);
}

#[tokio::test]
async fn nobody_else_sees_it() {
    let app = app().await;
    let ada = app.sign_in(&[Role::Customer, Role::Contractor]).await;
    for query in ["{ onlineUsers { totalCount } }", "{ viewer { user { connectionCount } } }"] {
        let mut socket = app.open(payload(&ada)).await;
        socket.start("q", query, json!({})).await;
        assert_eq!(socket.next().await["payload"][0]["extensions"]["code"], "FORBIDDEN", "{query}");
        let mut nobody = app.open(json!({})).await;
        nobody.start("q", query, json!({})).await;
        assert_eq!(nobody.next().await["payload"][0]["extensions"]["code"], "UNAUTHENTICATED", "{query}");
    }
}
