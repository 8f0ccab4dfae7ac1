//! Many at once: numbers, counts and keys hold, and the hot write keeps to its budget.

use futures_util::future::join_all;
use serde_json::json;

use super::{InProcess, Pair, listing, on_both, open};
use gigwire::platform::db::q;

on_both! {
    counts_do_not_drift_under_load,
    twins_are_one_message,
    marks_at_once_count_each_message_once,
    a_message_costs_six_round_trips,
    a_list_costs_the_same_however_long_it_is,
}

async fn counts_do_not_drift_under_load(server: InProcess) {
    let chat = Pair::new(server).await;
    let chat = &chat;
    let act = async move |n: usize| {
        let (me, other) = if n.is_multiple_of(2) { (&chat.ada, &chat.bob) } else { (&chat.bob, &chat.ada) };
        let message = chat.say(me, &format!("{n}")).await;
        if n.is_multiple_of(3) {
            assert_eq!(chat.mark(other, &message).await["userErrors"], json!([]));
        }
        message["number"].as_i64().unwrap()
    };
    let mut numbers = join_all((0..50).map(act)).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<i64>>(), "without gaps or repeats");
    for (me, other) in [(&chat.ada, &chat.bob), (&chat.bob, &chat.ada)] {
        let unread = chat.unread(me).await;
        let counted: i64 = q("select count(*) as n from messages m join participants p
                on p.conversation_id = m.conversation_id and p.user_id = $1
            where m.sender_id = $2 and m.number > p.read_number")
        .bind(me.id)
        .bind(other.id)
        .one(&chat.server.platform().db)
        .await
        .unwrap();
        assert_eq!(unread, counted, "the subtraction agrees with a count");
    }
    for person in [&chat.ada, &chat.bob] {
        let events = chat.server.events(person.id).await;
        let gapless = events.iter().zip(1..).all(|(event, seq)| event.seq == seq);
        assert!(gapless, "the stream has no gaps");
        assert_eq!(events.iter().filter(|event| event.kind == "MessageCreated").count(), 50);
    }
}

async fn twins_are_one_message(server: InProcess) {
    let chat = Pair::new(server).await;
    let first = chat.send(&chat.ada, "Once", Some("twin")).await;
    assert_eq!(chat.send(&chat.ada, "Twice", Some("twin")).await, first, "the first message, not the second text");
    assert_eq!(chat.send(&chat.bob, "Mine", Some("twin")).await["message"]["number"], 2, "keys are each sender's own");
    let sent = join_all((0..16).map(|_| chat.send(&chat.ada, "At once", Some("sixteen")))).await;
    assert!(sent.iter().all(|payload| *payload == sent[0]), "{sent:#?}");
    assert_eq!(sent[0]["message"]["number"], 3);
    assert_eq!(chat.say(&chat.ada, "Next").await["number"], 4, "no number was lost");
    assert_eq!(chat.unread(&chat.bob).await, 3);
    let events = chat.server.events(chat.bob.id).await;
    assert_eq!(events.len(), 4, "one event each");
}

async fn marks_at_once_count_each_message_once(server: InProcess) {
    let chat = Pair::new(server).await;
    let mut sent = Vec::new();
    for n in 0..12 {
        sent.push(chat.say(&chat.ada, &format!("{n}")).await);
    }
    let marked = join_all(sent.iter().map(|message| chat.mark(&chat.bob, message))).await;
    let total: i64 = marked.iter().map(|payload| payload["readCount"].as_i64().unwrap()).sum();
    assert_eq!(total, 12, "{marked:?}");
    assert_eq!(chat.unread(&chat.bob).await, 0);
}

async fn a_message_costs_six_round_trips(server: InProcess) {
    let chat = Pair::new(server).await;
    let spent = async |key| {
        let before = chat.server.platform().db.meter().read();
        chat.send(&chat.ada, "Hello", Some(key)).await;
        chat.server.platform().db.meter().read() - before
    };
    // Opening, the conversation, what has the key, the heads, the events, the commit; the answer reads nothing. Message,
    // conversation and the other's notification travel with the heads, but on SQLite, where nothing travels.
    let notified = u64::from(!chat.server.platform().db.is_postgres());
    assert_eq!(spent("one").await, 6 + 3 * notified);
    assert_eq!(spent("two").await, 6 + 3 * notified);
    assert!(spent("two").await <= 4, "a repetition writes nothing");
    let read = chat.say(&chat.ada, "Last").await;
    let before = chat.server.platform().db.meter().read();
    chat.mark(&chat.bob, &read).await;
    // Opening, the place, the mark, the heads, the events, the commit, and the answer's conversation.
    assert_eq!(chat.server.platform().db.meter().read() - before, 7 + notified);
}

async fn a_list_costs_the_same_however_long_it_is(server: InProcess) {
    let chat = Pair::new(server).await;
    chat.say(&chat.bob, "Hello").await;
    for _ in 0..29 {
        let id = open(&chat.server, listing(), &chat.ada, &chat.bob).await.unwrap();
        let input = json!({ "conversationId": id.to_string(), "content": "Hello" });
        chat.server.act(&chat.bob.caller, "messageSend", input, "userErrors { code }").await;
    }
    let spent = async |size: usize| {
        let query = "query($n: Int) { viewer { conversations(first: $n) { nodes { id unreadCount
            participants { displayName } lastMessage { content status sender { displayName } } } } } }";
        let before = chat.server.platform().db.meter().read();
        let data = chat.server.data(&chat.ada.caller, query, json!({ "n": size })).await;
        assert_eq!(data["viewer"]["conversations"]["nodes"].as_array().unwrap().len(), size);
        chat.server.platform().db.meter().read() - before
    };
    // The viewer, the page, its people, its messages, and the conversations of those for their status.
    assert_eq!((spent(1).await, spent(30).await), (5, 5));
}
