//! Writing, reading, refusals and pages, one thing after the other.

use serde_json::{Value, json};

use super::{InProcess, Pair, close, listing, on_both, open};
use gigwire::features::chat::queries;
use gigwire::kernel::Code;

on_both! {
    messages_are_numbered_and_counted,
    a_message_shows_how_far_it_has_come,
    wrong_messages_are_refused,
    strangers_find_nothing,
    a_closed_conversation_is_only_read,
    opening_twice_is_one_conversation,
    marks_never_go_back,
    history_is_read_both_ways,
    the_newest_conversation_comes_first,
    any_object_is_found_by_its_id,
}

async fn messages_are_numbered_and_counted(server: InProcess) {
    let chat = Pair::new(server).await;
    let first = chat.say(&chat.ada, "When can you begin?\u{7}").await;
    assert_eq!(first["content"], "When can you begin?");
    assert_eq!(chat.say(&chat.bob, "On Monday.").await["number"], 2);
    assert_eq!(chat.say(&chat.ada, "Good.").await["number"], 3);
    assert_eq!((chat.unread(&chat.ada).await, chat.unread(&chat.bob).await), (1, 2));
    let seen = chat.see(&chat.bob, "isActive participants { displayName } lastMessage { content sender { id } }").await;
    assert_eq!(seen["lastMessage"]["content"], "Good.");
    assert_eq!(seen["lastMessage"]["sender"]["id"], chat.ada.id.to_string());
    let mut names: Vec<_> = seen["participants"].as_array().unwrap().iter().map(|it| &it["displayName"]).collect();
    names.sort_by_key(|name| name.to_string());
    assert_eq!(json!(names), json!(["Ada", "Bob"]));
    let total = chat.server.data(&chat.bob.caller, "{ viewer { unreadMessageCount } }", json!({})).await;
    assert_eq!(total["viewer"]["unreadMessageCount"], 2);
}

async fn a_message_shows_how_far_it_has_come(server: InProcess) {
    let chat = Pair::new(server).await;
    let sent = chat.send(&chat.ada, "Hello", Some("key-1")).await;
    assert_eq!(sent["message"]["clientMessageId"], "key-1");
    let status = async || {
        let seen = chat.see(&chat.ada, "version lastMessage { status version }").await;
        (seen["lastMessage"]["status"].as_str().unwrap().to_owned(), seen)
    };
    let mut last = (0, 0);
    let mut grows = |seen: &Value| {
        let now = (seen["version"].as_i64().unwrap(), seen["lastMessage"]["version"].as_i64().unwrap());
        assert!(now.0 > last.0 && now.1 > last.1, "{last:?} {now:?}: caches must notice");
        last = now;
    };
    let (name, seen) = status().await;
    assert_eq!(name, "SENT");
    grows(&seen);
    let platform = chat.server.platform();
    let deliver = async |number| {
        gigwire::features::chat::commands::mark_delivered(platform, &chat.bob.caller, chat.id, number).await.unwrap()
    };
    assert!(deliver(99).await);
    assert!(!deliver(1).await && !deliver(99).await, "nothing new has arrived");
    let (name, seen) = status().await;
    assert_eq!(name, "DELIVERED");
    grows(&seen);
    chat.mark(&chat.bob, &sent["message"]).await;
    let (name, seen) = status().await;
    assert_eq!(name, "READ");
    grows(&seen);
    let others = chat.see(&chat.bob, "lastMessage { clientMessageId }").await;
    assert_eq!(others["lastMessage"]["clientMessageId"], Value::Null, "the key is the sender's own");
}

async fn wrong_messages_are_refused(server: InProcess) {
    let chat = Pair::new(server).await;
    for (content, code) in [("", "INVALID"), (" \u{1}\n ", "INVALID"), (&*"x".repeat(2_001), "TOO_LONG")] {
        let payload = chat.send(&chat.ada, content, None).await;
        assert_eq!(payload["userErrors"], json!([{ "code": code, "field": ["content"] }]));
        assert_eq!(payload["message"], Value::Null);
    }
    let payload = chat.send(&chat.ada, "x", Some("")).await;
    assert_eq!(payload["userErrors"][0]["field"], json!(["clientMessageId"]));
    assert_eq!(chat.say(&chat.ada, &"ü".repeat(2_000)).await["number"], 1, "refusals take no number");
}

async fn strangers_find_nothing(server: InProcess) {
    let chat = Pair::new(server).await;
    let message = chat.say(&chat.ada, "Between us").await;
    let eve = chat.server.person("Eve").await;
    let refused = json!([{ "code": "NOT_FOUND", "field": ["conversationId"] }]);
    assert_eq!(chat.send(&eve, "Hi", Some("a")).await["userErrors"], refused);
    assert_eq!(chat.mark(&eve, &message).await["userErrors"], refused);
    let typing = json!({ "conversationId": chat.id.to_string(), "isTyping": true });
    let payload = chat.server.act(&eve.caller, "typingSet", typing, "userErrors { code field }").await;
    assert_eq!(payload["userErrors"], refused);
    assert_eq!(chat.see(&eve, "id").await, Value::Null);
    let both = json!({ "ids": [chat.id.to_string(), message["id"]] });
    let nodes = chat.server.data(&eve.caller, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", both).await;
    assert_eq!(nodes["nodes"], json!([null, null]));
    let gone = queries::conversation(chat.server.platform(), &eve.caller, chat.id).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
    // A message of another conversation is no place to mark up to.
    let other = open(&chat.server, listing(), &chat.bob, &eve).await.unwrap();
    let input = json!({ "conversationId": other.to_string(), "upToMessageId": message["id"] });
    let payload =
        chat.server.act(&eve.caller, "conversationMarkRead", input, "readCount userErrors { code field }").await;
    assert_eq!(payload["userErrors"], json!([{ "code": "NOT_FOUND", "field": ["upToMessageId"] }]));
}

async fn a_closed_conversation_is_only_read(server: InProcess) {
    let chat = Pair::new(server).await;
    let first = chat.send(&chat.ada, "One", Some("one")).await;
    close(&chat.server, chat.id).await;
    let refused = chat.send(&chat.ada, "Two", None).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "CONVERSATION_CLOSED", "field": ["conversationId"] }]));
    assert_eq!(chat.send(&chat.ada, "One", Some("one")).await, first, "a repetition was answered before");
    assert_eq!(chat.mark(&chat.bob, &first["message"]).await["readCount"], 1);
    assert_eq!(chat.see(&chat.bob, "isActive").await["isActive"], false);
}

async fn opening_twice_is_one_conversation(server: InProcess) {
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let subject = listing();
    let id = open(&server, subject, &ada, &bob).await.unwrap();
    close(&server, id).await;
    assert_eq!(open(&server, subject, &bob, &ada).await.unwrap(), id, "in any order of the two");
    let key = (subject, ada.id);
    let found = queries::by_subjects(server.platform(), &[key]).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].is_active), (1, id, true), "it takes messages again");
    assert_ne!(open(&server, listing(), &ada, &bob).await.unwrap(), id, "another subject, another conversation");
    assert_eq!(open(&server, subject, &ada, &ada).await.unwrap_err().code, Code::Invalid);
}

async fn marks_never_go_back(server: InProcess) {
    let chat = Pair::new(server).await;
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(chat.say(&chat.ada, &format!("{n}")).await);
    }
    let own = chat.say(&chat.bob, "mine").await;
    let marked = chat.mark(&chat.bob, &sent[2]).await;
    assert_eq!((&marked["readCount"], &marked["conversation"]["unreadCount"]), (&json!(3), &json!(1)));
    let events = chat.server.events(chat.ada.id).await.len();
    for older in [&sent[0], &sent[2]] {
        let marked = chat.mark(&chat.bob, older).await;
        assert_eq!((&marked["readCount"], &marked["conversation"]["unreadCount"]), (&json!(0), &json!(1)));
    }
    assert_eq!(chat.server.events(chat.ada.id).await.len(), events, "nothing changed, nothing is stated");
    assert_eq!(chat.mark(&chat.bob, &own).await["readCount"], 1);
    assert_eq!((chat.unread(&chat.bob).await, chat.unread(&chat.ada).await), (0, 1));
}

async fn history_is_read_both_ways(server: InProcess) {
    let chat = Pair::new(server).await;
    for n in 1..=11 {
        chat.say(if n % 3 == 0 { &chat.bob } else { &chat.ada }, &format!("message {n}")).await;
    }
    let turn = async |size: &str, cursor: &str, end: &str, more: &str| {
        let (mut numbers, mut place) = (Vec::new(), String::new());
        loop {
            let at = if place.is_empty() { String::new() } else { format!(", {cursor}: {place}") };
            let seen = chat
                .see(&chat.bob, &format!("messages({size}: 4{at}) {{ totalCount nodes {{ number }} edges {{ node {{ number }} }} pageInfo {{ {end} {more} }} }}"))
                .await;
            let page = &seen["messages"];
            assert_eq!(page["totalCount"], 11);
            let read: Vec<i64> =
                page["nodes"].as_array().unwrap().iter().map(|it| it["number"].as_i64().unwrap()).collect();
            assert_eq!(page["edges"].as_array().unwrap().len(), read.len());
            if size == "first" {
                numbers.extend(read)
            } else {
                numbers.splice(0..0, read).for_each(drop)
            }
            place = page["pageInfo"][end].to_string();
            if page["pageInfo"][more] == false {
                return numbers;
            }
            assert!(numbers.len() < 12, "the pages come to an end");
        }
    };
    let all: Vec<i64> = (1..=11).collect();
    assert_eq!(turn("first", "after", "endCursor", "hasNextPage").await, all);
    assert_eq!(turn("last", "before", "startCursor", "hasPreviousPage").await, all);
}

async fn the_newest_conversation_comes_first(server: InProcess) {
    let chat = Pair::new(server).await;
    let mut ids = vec![chat.id];
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        ids.push(open(&chat.server, listing(), &chat.ada, &chat.bob).await.unwrap());
    }
    let mut wanted: Vec<String> = ids.iter().rev().map(ToString::to_string).collect();
    let read = async |after: Value| {
        let query = "query($after: String) { viewer { conversations(first: 2, after: $after) {
            nodes { id } totalCount pageInfo { endCursor hasNextPage } } } }";
        let mut data = chat.server.data(&chat.ada.caller, query, json!({ "after": after })).await;
        data["viewer"]["conversations"].take()
    };
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = read(after).await;
        assert_eq!(page["totalCount"], 5);
        found.extend(page["nodes"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        // A message in one that was read already: it moves to the top, and the rest stays as it is.
        let input = json!({ "conversationId": found[0], "content": "hi" });
        chat.server.act(&chat.bob.caller, "messageSend", input, "userErrors { code }").await;
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(found, wanted);
    let input = json!({ "conversationId": chat.id.to_string(), "content": "up" });
    chat.server.act(&chat.bob.caller, "messageSend", input, "userErrors { code }").await;
    wanted.rotate_right(1);
    assert_eq!(read(Value::Null).await["nodes"][0]["id"], wanted[0]);
}

async fn any_object_is_found_by_its_id(server: InProcess) {
    let chat = Pair::new(server).await;
    let message = chat.say(&chat.ada, "Hello").await;
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let ids = json!([chat.ada.id.to_string(), message["id"], chat.id.to_string()]);
    let data = chat.server.data(&chat.bob.caller, query, json!({ "ids": ids })).await;
    let kinds: Vec<_> = data["nodes"].as_array().unwrap().iter().map(|node| &node["__typename"]).collect();
    assert_eq!(json!(kinds), json!(["User", "Message", "Conversation"]));
    let anyone = gigwire::kernel::Caller::system("nobody");
    let data = chat.server.data(&anyone, query, json!({ "ids": ids })).await;
    assert_eq!(data["nodes"], json!([{ "__typename": "User", "id": chat.ada.id.to_string() }, null, null]));
    for bad in [json!("nonsense"), json!("thing_01h455vb4pex5vsknk084sn02q")] {
        let answer = chat.server.ask(&anyone, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": bad })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
    let many = json!({ "ids": vec![chat.ada.id.to_string(); 101] });
    let answer = chat.server.ask(&anyone, query, many).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
}
