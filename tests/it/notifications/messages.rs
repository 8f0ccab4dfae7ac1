//! One notification for each conversation, as long as it is unread.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::talking;
use crate::support::app::{TestApp, on_both_engines};

on_both_engines! {
    messages_renew_one_notification,
    reading_the_conversation_reads_it_too,
    reading_a_part_leaves_it_unread,
    messages_at_once_renew_one_notification,
    reading_and_writing_at_once_keep_the_count,
}

async fn messages_renew_one_notification(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    for n in 1..=3 {
        app.say(&ada, &chat, &format!("secret {n}")).await;
        let unread = app.notifications(&bob, ", filter: { isRead: false }").await;
        assert_eq!((unread.len(), &unread[0]["version"]), (1, &json!(n)));
        assert_eq!(unread[0]["data"], json!({ "number": n }));
        assert_eq!((&unread[0]["title"], &unread[0]["body"]), (&json!("New message"), &json!("User 0 wrote to you.")));
        assert_eq!(unread[0]["subject"], json!({ "__typename": "Conversation", "id": chat }));
    }
    assert_eq!(app.news(&ada).await, Vec::<String>::new(), "own messages are no news");
    assert_eq!(app.count("select count(*) as n from notifications where data like '%secret%'").await, 0);
    let first = app.notifications(&bob, ", filter: { kinds: [MESSAGE_RECEIVED] }").await[0]["id"].clone();
    app.act(&bob, "notificationDismiss", json!({ "notificationId": first })).await.ok();
    app.say(&ada, &chat, "Are you there?").await;
    let seen = app.notifications(&bob, ", filter: { kinds: [MESSAGE_RECEIVED] }").await;
    assert_eq!((seen.len(), &seen[0]["version"]), (1, &json!(1)), "a new one, since the old one is gone");
    assert_ne!(seen[0]["id"], first);
}

async fn reading_the_conversation_reads_it_too(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    app.say(&ada, &chat, "One").await;
    let last = app.say(&ada, &chat, "Two").await;
    let others = app.notifications(&ada, "").await.len();
    app.read_up_to(&bob, &chat, &last).await;
    let seen = app.notifications(&bob, ", filter: { kinds: [MESSAGE_RECEIVED] }").await;
    assert!(seen[0]["readAt"].is_string());
    assert_eq!((seen.len(), &seen[0]["version"], app.recount(&bob).await), (1, &json!(3), 0));
    assert_eq!(app.notifications(&ada, "").await.len(), others, "the sender has nothing to read");
    app.say(&ada, &chat, "Three").await;
    let seen = app.notifications(&bob, ", filter: { kinds: [MESSAGE_RECEIVED] }").await;
    assert_eq!((seen.len(), &seen[0]["readAt"]), (2, &Value::Null));
}

async fn reading_a_part_leaves_it_unread(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    let first = app.say(&ada, &chat, "One").await;
    let second = app.say(&ada, &chat, "Two").await;
    app.read_up_to(&bob, &chat, &first).await;
    assert_eq!(app.recount(&bob).await, 1);
    app.read_up_to(&bob, &chat, &second).await;
    assert_eq!(app.recount(&bob).await, 0);
}

async fn messages_at_once_renew_one_notification(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    let chat = &chat;
    let both = (0..24).map(|n| {
        let (ada, bob) = (&ada, &bob);
        async move { app.say(if n % 2 == 0 { ada } else { bob }, chat, &n.to_string()).await }
    });
    join_all(both).await;
    for who in [&ada, &bob] {
        let seen = app.notifications(who, ", filter: { kinds: [MESSAGE_RECEIVED] }").await;
        // Messages that are written together renew it once.
        let version = seen[0]["version"].as_i64().unwrap();
        assert!(seen.len() == 1 && (1..=12).contains(&version), "{seen:?}");
    }
    app.assert_books().await;
}

async fn reading_and_writing_at_once_keep_the_count(app: &TestApp) {
    let (ada, bob, chat) = talking(app).await;
    let (job, chat) = (app.post_job(&ada).await, &chat);
    let write = (0..16).map(|n| {
        let (ada, bob) = (&ada, &bob);
        async move {
            let sent = app.say(ada, chat, &n.to_string()).await;
            if n % 3 == 0 {
                app.read_up_to(bob, chat, &sent).await;
            }
        }
    });
    let offers = (0..8).map(|n| {
        let (bob, job) = (&bob, &job);
        async move {
            let sent = app.offer(bob, job, "10.00").await;
            if n % 2 == 0 && sent.refusal().is_none() {
                app.answer(bob, "offerWithdraw", sent.payload["offer"]["id"].as_str().unwrap()).await;
            }
        }
    });
    let marks = (0..8).map(|_| {
        let bob = &bob;
        async move { app.act(bob, "notificationMarkRead", json!({ "all": true })).await.ok() }
    });
    tokio::join!(join_all(write), join_all(offers), join_all(marks));
    for who in [&ada, &bob] {
        let unread = app.notifications(who, ", filter: { isRead: false }").await;
        assert_eq!(i64::try_from(unread.len()).unwrap(), app.recount(who).await);
        assert!(unread.iter().filter(|it| it["kind"] == "MESSAGE_RECEIVED").count() <= 1);
    }
    let last = app.say(&ada, chat, "last").await;
    assert_eq!(app.notifications(&bob, ", filter: { isRead: false, kinds: [MESSAGE_RECEIVED] }").await.len(), 1);
    app.read_up_to(&bob, chat, &last).await;
    assert_eq!(app.notifications(&bob, ", filter: { isRead: false, kinds: [MESSAGE_RECEIVED] }").await.len(), 0);
    app.assert_books().await;
}
