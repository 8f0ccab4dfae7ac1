//! `notificationReceived`: what comes while somebody listens, and what is made up for afterwards.

use std::time::Duration;

use serde_json::{Value, json};

use super::talking;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::live::Client;

on_both_engines! {
    notifications_arrive_and_are_made_up_for,
    other_devices_hear_what_was_read,
    strangers_hear_nothing,
}

const LISTEN: &str = "subscription ($after: String) { notificationReceived(after: $after) { __typename id cursor
    ... on NotificationReceived { unreadCount notification { id kind version subject { __typename id } body } }
    ... on NotificationRead { unreadCount notification { id kind readAt } }
    ... on NotificationsRead { unreadCount } ... on NotificationDismissed { unreadCount notification { dismissedAt } }
    ... on StreamGap { reason } } }";
const ALL: &str = "subscription { eventAppended { __typename ... on NotificationReceived { notification { kind } } } }";

async fn next(client: &mut Client) -> Value {
    let mut message = client.next().await;
    assert_eq!(message["type"], "next", "{message}");
    assert!(message["payload"]["errors"].is_null(), "{message}");
    message["payload"]["data"]["notificationReceived"].take()
}

/// A socket that listens from now on.
async fn listen(app: &TestApp, who: &TestUser) -> Client {
    let mut client = app.socket(who, &Value::Null).await;
    client.start("n", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    client
}

#[track_caller]
fn is(item: &Value, member: &str, kind: &str, unread: i64) {
    assert_eq!((&item["__typename"], &item["notification"]["kind"]), (&json!(member), &json!(kind)), "{item}");
    assert_eq!(item["unreadCount"], unread, "{item}");
}

async fn notifications_arrive_and_are_made_up_for(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    let mut socket = listen(app, &bob).await;
    let job = app.post_job(&ada).await;
    app.offer_to(&ada, &job, &bob, "50.00").await.ok();
    let item = next(&mut socket).await;
    is(&item, "NotificationReceived", "OFFER_RECEIVED", 1);
    assert_eq!(item["notification"]["body"], "User 0 offers 50.00 USD for “Paint a wall”.");
    app.say(&bob, &chat, "mine").await;
    app.say(&ada, &chat, "One").await;
    let first = next(&mut socket).await;
    is(&first, "NotificationReceived", "MESSAGE_RECEIVED", 2);
    app.say(&ada, &chat, "Two").await;
    let second = next(&mut socket).await;
    is(&second, "NotificationReceived", "MESSAGE_RECEIVED", 2);
    assert_eq!(second["notification"]["id"], first["notification"]["id"], "the same one, renewed");
    assert_eq!(second["notification"]["version"], 2);
    drop(socket);
    let last = app.say(&ada, &chat, "Three").await;
    app.read_up_to(&bob, &chat, &last).await;
    let other = app.post_job(&ada).await;
    app.offer_to(&ada, &other, &bob, "60.00").await.ok();
    let mut socket = app.socket(&bob, &second["cursor"]).await;
    socket.start("n", LISTEN, json!({})).await;
    assert_eq!(next(&mut socket).await["__typename"], "StreamResumed");
    is(&next(&mut socket).await, "NotificationReceived", "MESSAGE_RECEIVED", 2);
    let read = next(&mut socket).await;
    is(&read, "NotificationRead", "MESSAGE_RECEIVED", 2);
    assert!(read["notification"]["readAt"].is_string());
    is(&next(&mut socket).await, "NotificationReceived", "OFFER_RECEIVED", 2);
    assert!(socket.is_quiet(Duration::from_millis(300)).await);
}

async fn other_devices_hear_what_was_read(app: &TestApp) {
    let (ada, bob, _) = talking(app).await;
    for _ in 0..3 {
        let job = app.post_job(&ada).await;
        app.offer(&bob, &job, "50.00").await.ok();
    }
    let ids: Vec<_> = app.notifications(&ada, ", filter: { isRead: false }").await;
    let mut socket = listen(app, &ada).await;
    app.act(&ada, "notificationMarkRead", json!({ "notificationId": ids[0]["id"] })).await.ok();
    let item = next(&mut socket).await;
    is(&item, "NotificationRead", "OFFER_RECEIVED", 2);
    assert_eq!(item["notification"]["id"], ids[0]["id"]);
    app.act(&ada, "notificationDismiss", json!({ "notificationId": ids[1]["id"] })).await.ok();
    let item = next(&mut socket).await;
    assert_eq!((&item["__typename"], &item["unreadCount"]), (&json!("NotificationDismissed"), &json!(1)));
    assert!(item["notification"]["dismissedAt"].is_string());
    app.read_all(&ada).await;
    let item = next(&mut socket).await;
    assert_eq!((&item["__typename"], &item["unreadCount"]), (&json!("NotificationsRead"), &json!(0)));
    assert!(item["cursor"].is_string());
}

async fn strangers_hear_nothing(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    let eve = app.sign_up(&["CUSTOMER"]).await;
    let mut stranger = listen(app, &eve).await;
    let mut sender = listen(app, &ada).await;
    let mut everything = app.socket(&bob, &Value::Null).await;
    everything.start("e", ALL, json!({})).await;
    everything.run("q", "{ __typename }").await;
    app.say(&ada, &chat, "Hello").await;
    let job = app.post_job(&ada).await;
    app.offer_to(&ada, &job, &bob, "50.00").await.ok();
    is(&next(&mut sender).await, "NotificationReceived", "OFFER_SENT", 1);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let item = everything.next().await["payload"]["data"]["eventAppended"].take();
        kinds.push(item["__typename"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["MessageCreated", "OfferSent", "NotificationReceived"]);
    for quiet in [&mut stranger, &mut sender] {
        assert!(quiet.is_quiet(Duration::from_millis(300)).await);
    }
    let mut anonymous =
        Client::dial(app.url("").trim_start_matches("http://"), "graphql-transport-ws", &[]).await.unwrap();
    anonymous.init(json!({})).await;
    anonymous.start("n", LISTEN, json!({})).await;
    let refusal = anonymous.next().await;
    assert_eq!(refusal["payload"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refusal}");
}
