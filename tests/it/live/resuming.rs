//! Coming back: what was missed is replayed in order, or the client is told plainly that it must reload.

use std::time::Duration;

use gigwire::platform::db::{Value as Bound, q};
use gigwire::platform::streams::{Cursor, Place, StreamName};
use gigwire::server::live::LiveLimits;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::live::{App, LISTEN};

/// Writes events of a noun that no view of announcements shows, or many that it shows, straight into the stream, and tells
/// nobody: the sweep has to find them.
async fn write(app: &App, noun: &str, count: i64) {
    let db = &app.server.platform.db;
    let mut tx = db.begin().await.unwrap();
    let stream = StreamName::announcements();
    let moved = q("insert into streams (name, head) values ($1, $2)
        on conflict (name) do update set head = streams.head + excluded.head returning head");
    let head: i64 = moved.bind(stream.as_str()).bind(count).fetch(&mut tx).await.unwrap()[0].get("head").unwrap();
    let numbers: Vec<i64> = (head - count + 1..=head).collect();
    for chunk in numbers.chunks(500) {
        let row = |seq: &i64| -> Vec<Bound> {
            let (id, object) = (Uuid::new_v4(), Uuid::new_v4());
            vec![
                stream.as_str().into(),
                (*seq).into(),
                id.into(),
                noun.into(),
                "AnnouncementAdded".into(),
                object.into(),
                object.into(),
                1_i64.into(),
                "{}".into(),
                "test".into(),
                0_i64.into(),
            ]
        };
        q("insert into events (stream, seq, id, noun, kind, object_id, subject_id, version, facts, request_id, occurred_at)
            values {rows}")
        .rows(chunk.iter().map(row).collect())
        .execute(&mut tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
}

/// The first item of a view that goes on behind a cursor.
async fn first(app: &App, after: &str) -> Value {
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({ "after": after })).await;
    client.item("a").await
}

/// A cursor at the head of the announcements.
async fn head(app: &App) -> Cursor {
    let reader = app.server.platform.hub.reader();
    let places = reader.heads(&[StreamName::announcements()]).await.unwrap();
    Cursor { epoch: reader.epoch(), places }
}

#[tokio::test]
async fn what_was_missed_comes_in_order_by_either_way() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    app.publish(&publisher, "before").await;
    let cursor = head(&app).await.encode();
    // More than a page, and more than is kept in memory.
    let mut missed: Vec<_> = (1..=150).map(|n| n.to_string()).collect();
    for title in &missed {
        app.publish(&publisher, title).await;
    }
    for (payload, after) in [(json!({}), json!(cursor)), (json!({ "resume": cursor }), Value::Null)] {
        let mut client = app.open(payload).await;
        client.start("a", LISTEN, json!({ "after": after })).await;
        let opening = client.item("a").await;
        assert_eq!((&opening["__typename"], &opening["cursor"]), (&json!("StreamResumed"), &json!(cursor)));
        assert_eq!(client.titles("a", missed.len()).await, missed);
        app.publish(&publisher, "live").await;
        assert_eq!(client.titles("a", 1).await, ["live"]);
        missed.push("live".to_owned());
    }
    let mut client = app.open(json!({ "resume": cursor })).await;
    client.start("a", LISTEN, json!({ "after": head(&app).await.encode() })).await;
    assert_eq!(client.item("a").await["__typename"], "StreamResumed");
    assert!(client.is_quiet(Duration::from_millis(300)).await, "`after` wins over `resume`");
}

#[tokio::test]
async fn every_cursor_of_an_event_can_be_gone_on_from() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({ "after": head(&app).await.encode() })).await;
    let mut cursors = vec![client.item("a").await["cursor"].clone()];
    let titles: Vec<_> = (0..10).map(|n| n.to_string()).collect();
    for title in &titles {
        app.publish(&publisher, title).await;
        cursors.push(client.item("a").await["cursor"].clone());
    }
    for (seen, cursor) in cursors.iter().enumerate() {
        let mut client = app.open(json!({ "resume": cursor })).await;
        client.start("a", LISTEN, json!({})).await;
        assert_eq!(client.item("a").await["__typename"], "StreamResumed");
        assert_eq!(client.titles("a", titles.len() - seen).await, titles[seen..]);
    }
}

#[tokio::test]
async fn two_views_go_on_from_the_oldest_cursor_of_both() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    let stalled = head(&app).await.encode();
    for title in ["1", "2"] {
        app.publish(&publisher, title).await;
    }
    let quick = head(&app).await.encode();
    app.publish(&publisher, "3").await;
    // Each by its own cursor: exactly what it missed.
    let mut own = app.open(json!({ "resume": "rubbish" })).await;
    own.start("stalled", LISTEN, json!({ "after": stalled })).await;
    assert_eq!(own.item("stalled").await["__typename"], "StreamResumed");
    assert_eq!(own.titles("stalled", 3).await, ["1", "2", "3"]);
    own.start("quick", LISTEN, json!({ "after": quick })).await;
    assert_eq!(own.item("quick").await["__typename"], "StreamResumed");
    assert_eq!(own.titles("quick", 1).await, ["3"]);
    // Both by the older one: nothing is lost, and what is repeated has the ids that it had.
    let mut both = app.open(json!({ "resume": stalled })).await;
    for id in ["a", "b"] {
        both.start(id, LISTEN, json!({})).await;
        assert_eq!(both.item(id).await["__typename"], "StreamResumed");
        assert_eq!(both.titles(id, 3).await, ["1", "2", "3"]);
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_gone_on_from_is_a_gap_with_its_reason() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    for title in ["1", "2"] {
        app.publish(&publisher, title).await;
    }
    let here = head(&app).await;
    let (stream, at) = (StreamName::announcements(), here.places[0].1);
    let cursor = |epoch, stream: &StreamName, place| Cursor::at(epoch, stream.clone(), place).encode();
    let cases = [
        ("INVALID", "rubbish".to_owned()),
        ("EPOCH", cursor(Uuid::new_v4(), &stream, at)),
        ("FOREIGN", cursor(here.epoch, &StreamName::from_text("user:1"), at)),
        ("AHEAD", cursor(here.epoch, &stream, Place { seq: at.seq + 1, ..at })),
        ("DIVERGED", cursor(here.epoch, &stream, Place { mark: at.mark ^ 1, ..at })),
        ("DIVERGED", cursor(here.epoch, &stream, Place { seq: at.seq - 1, ..at })),
    ];
    for (reason, after) in cases {
        let mut client = app.open(json!({})).await;
        client.start("a", LISTEN, json!({ "after": after })).await;
        let gap = client.item("a").await;
        assert_eq!((&gap["__typename"], &gap["reason"]), (&json!("StreamGap"), &json!(reason)));
        assert_eq!(gap["cursor"], here.encode(), "a gap goes on from the head");
    }
    // And the view lives on behind the gap.
    let mut client = app.open(json!({ "resume": "rubbish" })).await;
    client.start("a", LISTEN, json!({})).await;
    client.item("a").await;
    app.publish(&publisher, "3").await;
    assert_eq!(client.titles("a", 1).await, ["3"]);
}

#[tokio::test]
async fn so_much_was_missed_that_reloading_is_cheaper() {
    let app = App::start().await;
    write(&app, "other", 1).await;
    let cursor = head(&app).await.encode();
    write(&app, "other", 5_000).await;
    assert_eq!(first(&app, &cursor).await["__typename"], "StreamResumed");
    write(&app, "other", 1).await;
    assert_eq!(first(&app, &cursor).await["reason"], "BACKLOG");
}

#[tokio::test]
async fn a_place_that_was_pruned_is_a_gap() {
    let app = App::start().await;
    write(&app, "other", 1).await;
    let cursor = head(&app).await.encode();
    write(&app, "other", 3).await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    q("delete from events where seq <= 2").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(first(&app, &cursor).await["reason"], "PRUNED");
}

#[tokio::test]
async fn a_database_that_took_another_course_is_a_gap_for_open_views() {
    let app = App::start().await;
    let publisher = app.publisher().await;
    for title in ["1", "2", "3"] {
        app.publish(&publisher, title).await;
    }
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({ "after": head(&app).await.encode() })).await;
    client.item("a").await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    q("delete from events where seq > 1").execute(&mut tx).await.unwrap();
    q("update streams set head = 1").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let gap = client.item("a").await;
    assert_eq!((&gap["reason"], &gap["cursor"]), (&json!("DIVERGED"), &json!(head(&app).await.encode())));
    app.publish(&publisher, "another 2").await;
    assert_eq!(client.titles("a", 1).await, ["another 2"]);
}

#[tokio::test]
async fn a_quiet_view_gets_a_young_cursor() {
    let second = Duration::from_secs(1);
    let limits = LiveLimits { checkpoint: second, sweep: second / 2, ..LiveLimits::default() };
    let app = App::with(limits, |_| ()).await;
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    assert!(client.is_quiet(second * 2).await, "a stream that stands still needs none");
    write(&app, "other", 3).await;
    let item = client.item("a").await;
    let here = head(&app).await.encode();
    assert_eq!((&item["__typename"], &item["cursor"]), (&json!("StreamCheckpoint"), &json!(here)));
    assert!(client.is_quiet(second * 2).await, "one is enough");
    // And at once when many are passed over.
    let begun = std::time::Instant::now();
    write(&app, "other", 250).await;
    for _ in 0..2 {
        assert_eq!(client.item("a").await["__typename"], "StreamCheckpoint");
    }
    assert!(begun.elapsed() < Duration::from_secs(7), "after {:?}", begun.elapsed());
    assert_eq!(first(&app, &here).await["__typename"], "StreamResumed");
}

#[tokio::test]
async fn a_lost_wake_is_healed_by_the_sweep() {
    let app = App::start().await;
    let mut client = app.open(json!({})).await;
    client.start("a", LISTEN, json!({})).await;
    client.run("q", "{ __typename }").await;
    let begun = std::time::Instant::now();
    write(&app, "announcement", 3).await;
    for number in 1..=3 {
        let item = client.item("a").await;
        assert_eq!((&item["number"], &item["announcement"]), (&json!(number.to_string()), &Value::Null));
    }
    assert!(begun.elapsed() < Duration::from_secs(6), "after {:?}", begun.elapsed());
}
