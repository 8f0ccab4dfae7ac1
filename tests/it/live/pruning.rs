//! Old events go; whoever was away for too long is told so, and nobody else notices.

use gigwire::features::profiles;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::kernel::id::UserId;
use gigwire::platform::db::q;
use gigwire::platform::streams::{Draft, StreamName};
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, eventually};

/// States so many events in a user's stream.
async fn state(app: &TestApp, user: &TestUser, count: usize) {
    let (user, caller): (UserId, _) = (user.id.parse().unwrap(), Caller::system("test"));
    for _ in 0..count {
        let done = app.server.platform.work.run(&caller, user, |unit, user| {
            Box::pin(async move {
                unit.state(Draft::new(profiles::events::NOUN, profiles::events::CHANGED, *user, 1).to([*user]));
                Ok(())
            })
        });
        done.await.unwrap();
    }
}

/// The numbers of the events in a user's stream.
async fn kept(app: &TestApp, user: &TestUser) -> Vec<i64> {
    let stream = StreamName::user(user.id.parse().unwrap());
    let rows = q("select seq from events where stream = $1 order by seq")
        .bind(stream.as_str())
        .fetch(&app.server.platform.db)
        .await
        .unwrap();
    rows.iter().map(|row| row.get("seq").unwrap()).collect()
}

/// What a client that comes back with a cursor is told first, by asking and by listening.
async fn opening(app: &TestApp, who: &TestUser, after: &str) -> (String, usize) {
    let item = "__typename cursor ... on StreamGap { reason }";
    let query = format!("query ($after: String) {{ events(after: $after) {{ totalCount nodes {{ {item} }} }} }}");
    let page = app.gql(who, &query, json!({ "after": after })).await["data"]["events"].take();
    let mut client = app.socket(who, &Value::Null).await;
    let query = format!("subscription ($after: String) {{ eventAppended(after: $after) {{ {item} }} }}");
    client.start("a", &query, json!({ "after": after })).await;
    let heard = client.next().await["payload"]["data"]["eventAppended"].take();
    assert_eq!(page["nodes"][0], heard, "both ways");
    let told = heard["reason"].as_str().or(heard["__typename"].as_str()).unwrap();
    (told.to_owned(), page["nodes"].as_array().unwrap().len() - 1)
}

/// Lets the hourly work run once more.
async fn an_hour_later(app: &TestApp) {
    app.clock.advance(HOUR + 1);
}

async fn old_events_go(app: TestApp) {
    app.work();
    let planned = "select count(*) as n from schedules where name = 'streams.prune'";
    eventually("the schedule is there", async || app.count(planned).await == 1).await;
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CUSTOMER"]).await);
    let begin = app.stream_cursor(&ada).await;
    state(&app, &ada, 600).await;
    state(&app, &bob, 3).await;
    let (old, quiet) = (app.stream_cursor(&ada).await, app.stream_cursor(&bob).await);
    app.clock.advance(29 * DAY);
    state(&app, &ada, 2).await;
    app.clock.advance(2 * DAY);
    eventually("what is old has gone", async || kept(&app, &ada).await == [601, 602]).await;
    eventually("the newest event stays, however old", async || kept(&app, &bob).await == [3]).await;
    let (ada, bob) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&bob.email, PASSWORD).await);
    for after in [&begin, &old] {
        assert_eq!(opening(&app, &ada, after).await, ("PRUNED".to_owned(), 0));
    }
    assert_eq!(opening(&app, &bob, &quiet).await, ("StreamResumed".to_owned(), 0), "the end of a stream stays good");
    // And the streams go on with their numbers.
    let now = app.stream_cursor(&ada).await;
    state(&app, &ada, 2).await;
    assert_eq!(opening(&app, &ada, &now).await, ("StreamResumed".to_owned(), 2));
    assert_eq!(kept(&app, &ada).await, [601, 602, 603, 604]);
}

#[tokio::test]
async fn old_events_go_on_sqlite() {
    old_events_go(TestApp::sqlite().await).await;
}

#[tokio::test]
async fn old_events_go_on_postgres() {
    old_events_go(TestApp::postgres().await).await;
}

#[tokio::test]
async fn a_stream_keeps_so_many_events() {
    let app = TestApp::sqlite_with(|config| config.streams.keep_events = 5).await;
    app.work();
    let planned = "select count(*) as n from schedules where name = 'streams.prune'";
    eventually("the schedule is there", async || app.count(planned).await == 1).await;
    let ada = app.sign_up(&["CUSTOMER"]).await;
    state(&app, &ada, 3).await;
    let early = app.stream_cursor(&ada).await;
    state(&app, &ada, 1).await;
    let late = app.stream_cursor(&ada).await;
    state(&app, &ada, 4).await;
    an_hour_later(&app).await;
    eventually("the oldest have gone", async || kept(&app, &ada).await == [4, 5, 6, 7, 8]).await;
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    assert_eq!(opening(&app, &ada, &early).await, ("PRUNED".to_owned(), 0));
    assert_eq!(opening(&app, &ada, &late).await, ("StreamResumed".to_owned(), 4));
}
