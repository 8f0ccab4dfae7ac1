//! Asking for events without a socket: the same items as the subscription's, by the same cursors.

use std::collections::BTreeMap;
use std::time::Duration;

use gigwire::features::{announcements, profiles};
use gigwire::kernel::Caller;
use gigwire::kernel::id::{AnnouncementId, EventId, UserId};
use gigwire::platform::streams::{Cursor, Draft, Place, StreamName};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{ANONYMOUS, Instance, TestApp, TestUser, on_both_engines};

const ITEM: &str =
    "__typename id cursor occurredAt ... on ProfileChanged { number } ... on AnnouncementAdded { number }
    ... on StreamGap { reason }";

on_both_engines! {
    a_page_has_what_the_subscription_delivers,
    a_bad_cursor_is_a_gap_here_too,
    a_client_changes_between_asking_and_listening,
}

/// What a poll says.
async fn poll(on: &Instance, who: &TestUser, after: Option<&str>, first: i64) -> Value {
    let query = format!(
        "query ($after: String, $first: Int) {{ events(after: $after, first: $first) {{ totalCount
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ {ITEM} }} }} }} }}"
    );
    let mut answer = on.gql(who, &query, json!({ "after": after, "first": first })).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["events"].take()
}

fn end(page: &Value) -> String {
    page["pageInfo"]["endCursor"].as_str().unwrap().to_owned()
}

fn nodes(page: &Value) -> Vec<Value> {
    page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}

/// What the subscription delivers behind a cursor, up to so many items.
async fn listen(on: &Instance, who: &TestUser, after: &str, count: usize) -> Vec<Value> {
    let mut client = on.socket(who, &Value::Null).await;
    let query = format!("subscription ($after: String) {{ eventAppended(after: $after) {{ {ITEM} }} }}");
    client.start("a", &query, json!({ "after": after })).await;
    let mut items = Vec::new();
    while items.len() < count {
        let mut message = client.next().await;
        assert_eq!(message["type"], "next", "{message}");
        items.push(message["payload"]["data"]["eventAppended"].take());
    }
    items
}

/// States one event in the user's stream, or in the announcements.
async fn state(on: &Instance, to: Option<UserId>) {
    let caller = Caller::system("test");
    let done = on.server.platform.work.run(&caller, to, |unit, to| {
        Box::pin(async move {
            let draft = match to {
                Some(user) => Draft::new(profiles::events::NOUN, profiles::events::CHANGED, *user, 1).to([*user]),
                None => {
                    let id: AnnouncementId = unit.ids.new_id();
                    Draft::new(announcements::events::NOUN, announcements::events::ADDED, id, 1)
                        .to_topic(StreamName::announcements())
                }
            };
            unit.state(draft);
            Ok(())
        })
    });
    done.await.unwrap();
}

fn user_id(user: &TestUser) -> UserId {
    user.id.parse().unwrap()
}

async fn a_page_has_what_the_subscription_delivers(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let begun = poll(app, &ada, None, 20).await;
    assert_eq!((&begun["edges"], &begun["totalCount"]), (&json!([]), &json!(0)));
    assert_eq!(begun["pageInfo"]["hasPreviousPage"], false);
    let start = end(&begun);
    assert_eq!(app.stream_cursor(&ada).await, start, "one cursor for all");
    for to in [Some(user_id(&ada)), None, None, Some(user_id(&ada)), None] {
        state(app, to).await;
        app.clock.advance(10);
    }
    let all = poll(app, &ada, Some(&start), 100).await;
    assert_eq!((&all["totalCount"], &all["pageInfo"]["hasNextPage"]), (&json!(5), &json!(false)));
    let told = nodes(&all);
    let heard = listen(app, &ada, &start, 6).await;
    assert_eq!(told[0]["__typename"], "StreamResumed");
    assert_eq!((&told[0]["cursor"], &heard[0]["cursor"]), (&json!(start), &json!(start)));
    assert_eq!(told[1..], heard[1..], "the same items, with the same ids and cursors, in the same order");
    let kinds: Vec<_> = told[1..].iter().map(|item| item["__typename"].as_str().unwrap()).collect();
    let (own, topic) = ("ProfileChanged", "AnnouncementAdded");
    assert_eq!(kinds, [own, topic, topic, own, topic], "as they happened");
    // In pages, from each place.
    let mut after = start.clone();
    for seen in 0..5 {
        let page = poll(app, &ada, Some(&after), 1).await;
        assert_eq!(nodes(&page)[1], told[seen + 1]);
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(5 - seen), &json!(seen < 4)));
        assert_eq!(page["edges"][1]["cursor"], end(&page));
        after = end(&page);
    }
    let rest = poll(app, &ada, Some(&after), 100).await;
    assert_eq!((nodes(&rest).len(), end(&rest)), (1, after));
    let none = poll(app, &ada, Some(&start), 0).await;
    assert_eq!((nodes(&none).len(), end(&none), &none["pageInfo"]["hasNextPage"]), (1, start, &json!(true)));
}

async fn a_bad_cursor_is_a_gap_here_too(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CUSTOMER"]).await);
    for to in [Some(user_id(&ada)), None, Some(user_id(&ada))] {
        state(app, to).await;
    }
    let reader = app.server.platform.hub.reader();
    let streams = [StreamName::user(user_id(&ada)), StreamName::announcements()];
    let here = Cursor { epoch: reader.epoch(), places: reader.heads(&streams).await.unwrap() };
    let with = |place: &dyn Fn(Place) -> Place| {
        let mut cursor = here.clone();
        cursor.places[0].1 = place(cursor.places[0].1);
        cursor.encode()
    };
    let cases = [
        ("INVALID", "rubbish".to_owned()),
        ("EPOCH", Cursor { epoch: Uuid::new_v4(), ..here.clone() }.encode()),
        ("FOREIGN", end(&poll(app, &bob, None, 1).await)),
        ("FOREIGN", Cursor { places: here.places[..1].to_vec(), ..here.clone() }.encode()),
        ("AHEAD", with(&|at| Place { seq: at.seq + 1, ..at })),
        ("DIVERGED", with(&|at| Place { mark: at.mark ^ 1, ..at })),
        ("DIVERGED", with(&|at| Place { seq: at.seq - 1, ..at })),
    ];
    for (reason, after) in cases {
        let page = poll(app, &ada, Some(&after), 20).await;
        let told = nodes(&page);
        assert_eq!((told.len(), &told[0]["reason"]), (1, &json!(reason)));
        assert_eq!(told[0]["cursor"], listen(app, &ada, &after, 1).await[0]["cursor"]);
        assert_eq!((end(&page), &page["pageInfo"]["hasNextPage"]), (here.encode(), &json!(false)));
        // And from there it goes on.
        assert_eq!(nodes(&poll(app, &ada, Some(&end(&page)), 20).await)[0]["__typename"], "StreamResumed");
    }
    let answer = app.gql(ANONYMOUS, "{ events { totalCount } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let answer = app.gql(&ada, "{ events(first: 101) { totalCount } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

/// Reads everything behind a cursor, by turns with and without a socket, while others write; gives the ids by kind.
async fn follow(servers: &[&Instance], who: &TestUser, start: String, wanted: usize) -> BTreeMap<String, Vec<i64>> {
    let (mut seen, mut ids): (BTreeMap<String, Vec<i64>>, Vec<EventId>) = Default::default();
    let (mut after, mut turn) = (start, 0);
    while ids.len() < wanted {
        let on = servers[turn % servers.len()];
        let left = wanted - ids.len();
        let items = match turn % 3 {
            0 => nodes(&poll(on, who, Some(&after), 1 + turn as i64 % 7).await),
            1 => nodes(&poll(on, who, Some(&after), 100).await),
            _ => listen(on, who, &after, 1 + left.min(1 + turn % 11)).await,
        };
        assert_eq!(items[0]["__typename"], "StreamResumed", "{items:?}");
        for item in &items[1..] {
            let number: i64 = item["number"].as_str().unwrap().parse().unwrap();
            seen.entry(item["__typename"].as_str().unwrap().to_owned()).or_default().push(number);
            ids.push(item["id"].as_str().unwrap().parse().unwrap());
        }
        after = items.last().unwrap()["cursor"].as_str().unwrap().to_owned();
        turn += 1;
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "something came twice");
    seen
}

async fn change_over(servers: &[&Instance], ada: &TestUser) {
    const EACH: usize = 60;
    let start = end(&poll(servers[0], ada, None, 1).await);
    let user = user_id(ada);
    let write = |on: usize, to: Option<UserId>| async move {
        for _ in 0..EACH {
            state(servers[on % servers.len()], to).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let all = async {
        tokio::join!(write(0, Some(user)), write(1, Some(user)), write(0, None), write(1, None));
    };
    let (seen, ()) = tokio::join!(follow(servers, ada, start, 4 * EACH), all);
    let numbers: Vec<i64> = (1..=2 * EACH as i64).collect();
    assert_eq!(seen.len(), 2);
    for (kind, found) in seen {
        assert_eq!(found, numbers, "{kind}");
    }
}

async fn a_client_changes_between_asking_and_listening(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    change_over(&[app], &ada).await;
}

#[tokio::test]
async fn a_client_changes_between_instances_too() {
    let app = TestApp::scaled(2).await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    change_over(&[app.on(0), app.on(1)], &ada).await;
}

#[tokio::test]
async fn a_look_that_finds_nothing_is_cheap() {
    let app = TestApp::postgres().await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    for to in [Some(user_id(&ada)), None] {
        state(&app, to).await;
    }
    let start = end(&poll(&app, &ada, None, 1).await);
    // The least of some: what the server does beside it counts too, and the session is looked up once a second.
    let least = async || {
        let mut least = u64::MAX;
        for _ in 0..8 {
            let before = app.round_trips();
            poll(&app, &ada, Some(&start), 100).await;
            least = least.min(app.round_trips() - before);
        }
        least
    };
    assert_eq!(least().await, 1, "the heads");
    state(&app, None).await;
    assert_eq!(least().await, 3, "and the place and the page of the one stream that grew");
}
