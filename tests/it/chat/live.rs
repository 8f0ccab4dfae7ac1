//! What both people hear of, and who may hear it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{InProcess, Pair, on_both};
use crate::support::inprocess::Person;
use gigwire::features::chat::commands;
use gigwire::features::chat::events::typing_topic;
use gigwire::kernel::Timestamp;
use gigwire::platform::bus::{Listener, Note};
use gigwire::platform::streams::Signal;
use gigwire::resolvers::live::{Item, Notice, Source};

on_both! {
    both_hear_of_everything_in_order,
    a_view_of_one_conversation_is_for_its_people,
    typing_is_told_and_forgotten,
}

const CHANGED: &str = "subscription { conversationChanged { __typename id cursor
    ... on MessageCreated { message { number content } conversation { unreadCount } }
    ... on MessagesDelivered { messageNumber conversation { id } }
    ... on MessagesRead { messageNumber readCount reader { id } conversation { unreadCount } } } }";

async fn both_hear_of_everything_in_order(server: InProcess) {
    let chat = Pair::new(server).await;
    chat.say(&chat.ada, "One").await;
    let two = chat.say(&chat.ada, "Two").await;
    assert!(commands::mark_delivered(chat.server.platform(), &chat.bob.caller, chat.id, 2).await.unwrap());
    chat.mark(&chat.bob, &two).await;
    let kinds = async |person: &Person| {
        let events = chat.server.events(person.id).await;
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
        events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&chat.ada).await, ["MessageCreated", "MessageCreated", "MessagesDelivered", "MessagesRead"]);
    assert_eq!(kinds(&chat.bob).await, ["MessageCreated", "MessageCreated", "MessagesRead"]);

    let seen = async |person: &Person, index: usize| {
        let event = Arc::new(chat.server.events(person.id).await.remove(index));
        let item = Item::Event(event, "cursor".to_owned());
        let mut data = chat.server.deliver(&person.caller, CHANGED, item).await.unwrap();
        data["conversationChanged"].take()
    };
    let created = seen(&chat.bob, 1).await;
    assert_eq!(created["message"], json!({ "number": 2, "content": "Two" }));
    assert_eq!((&created["conversation"]["unreadCount"], &created["cursor"]), (&json!(0), &json!("cursor")));
    let delivered = seen(&chat.ada, 2).await;
    assert_eq!(delivered["messageNumber"], 2);
    let read = seen(&chat.ada, 3).await;
    assert_eq!((&read["messageNumber"], &read["readCount"]), (&json!(2), &json!(2)));
    assert_eq!(read["reader"]["id"], chat.bob.id.to_string());
    assert_eq!(read["id"], seen(&chat.bob, 2).await["id"], "the same fact in both streams");
    // An event that comes to the wrong person by mistake shows nothing of it.
    let eve = chat.server.person("Eve").await;
    let event = Arc::new(chat.server.events(chat.bob.id).await.remove(0));
    let data = chat.server.deliver(&eve.caller, CHANGED, Item::Event(event, String::new())).await.unwrap();
    let shown = &data["conversationChanged"];
    assert_eq!((&shown["message"], &shown["conversation"]), (&json!(null), &json!(null)));
}

async fn a_view_of_one_conversation_is_for_its_people(server: InProcess) {
    let chat = Pair::new(server).await;
    let one = format!("subscription {{ conversationChanged(conversationId: \"{}\") {{ id }} }}", chat.id);
    let view = chat.server.probe(&chat.bob.caller, &one).await.unwrap();
    let Source::Streams(streams, filter) = view.source else { panic!("a view of streams is expected") };
    assert_eq!(streams.len(), 1);
    chat.say(&chat.ada, "Hello").await;
    assert!(filter.shows(&chat.server.events(chat.bob.id).await[0]));
    let other = super::open(&chat.server, super::listing(), &chat.ada, &chat.bob).await.unwrap();
    let input = json!({ "conversationId": other.to_string(), "content": "Elsewhere" });
    chat.server.act(&chat.ada.caller, "messageSend", input, "userErrors { code }").await;
    assert!(!filter.shows(&chat.server.events(chat.bob.id).await[1]), "another conversation");

    let eve = chat.server.person("Eve").await;
    let typing = format!("subscription {{ typingChanged(conversationId: \"{}\") {{ id }} }}", chat.id);
    for query in [one, typing] {
        let refusal = chat.server.probe(&eve.caller, &query).await.unwrap_err();
        let refusal = serde_json::to_value(refusal).unwrap();
        assert_eq!(refusal["errors"][0]["extensions"]["code"], "NOT_FOUND", "{refusal}");
    }
}

async fn typing_is_told_and_forgotten(server: InProcess) {
    let chat = Pair::new(server).await;
    let mut notes = chat.server.platform().bus.subscribe();
    for is_typing in [true, true, true, false, false] {
        let input = json!({ "conversationId": chat.id.to_string(), "isTyping": is_typing });
        let payload = chat.server.act(&chat.ada.caller, "typingSet", input, "isTyping userErrors { code }").await;
        assert_eq!(payload, json!({ "isTyping": is_typing, "userErrors": [] }));
    }
    let told = [next(&mut notes).await.unwrap(), next(&mut notes).await.unwrap()];
    assert_eq!(told.iter().map(|(_, signal)| signal.state).collect::<Vec<_>>(), [true, false]);
    assert_eq!(told[0].1.reverts_after_ms, Some(6_000));
    assert!(told.iter().all(|(topic, _)| *topic == typing_topic(chat.id)));
    assert!(next(&mut notes).await.is_none(), "repetitions within two seconds are swallowed");
    assert!(chat.server.events(chat.bob.id).await.is_empty(), "nothing is stored");

    let query = format!(
        "subscription {{ typingChanged(conversationId: \"{}\") {{ cursor isTyping user {{ displayName }} }} }}",
        chat.id
    );
    let view = chat.server.probe(&chat.bob.caller, &query).await.unwrap();
    assert!(matches!(view.source, Source::Signals(topic) if topic == typing_topic(chat.id)));
    let notice = Notice { id: Uuid::new_v4(), cursor: None, at: Timestamp(0) };
    let item = Item::Signal(told[0].1.clone(), notice);
    let shown = chat.server.deliver(&chat.bob.caller, &query, item.clone()).await.unwrap();
    let expected = json!({ "cursor": null, "isTyping": true, "user": { "displayName": "Ada" } });
    assert_eq!(shown["typingChanged"], expected);
    assert!(chat.server.deliver(&chat.ada.caller, &query, item).await.is_none(), "nobody hears of the own typing");
}

/// The next signal on the bus, if one comes soon.
async fn next(notes: &mut Listener) -> Option<(String, Signal)> {
    loop {
        match tokio::time::timeout(Duration::from_millis(100), notes.next()).await.ok()?? {
            Note::Signal { topic, body } => return Some((topic.to_string(), serde_json::from_str(&body).unwrap())),
            _ => continue,
        }
    }
}
