//! The figures of the house: right, live, split by power, and counted once for all who look.

use std::time::{Duration, Instant as Clock};

use gigwire::features::alerts::{self, Kind, NewAlert};
use gigwire::kernel::Caller;
use serde_json::{Value, json};

use crate::support::app::{Instance, TestApp, TestUser, eventually, on_both_engines};
use crate::support::live::Client;

on_both_engines! {
    the_figures_are_right,
    whoever_watches_hears_of_changes,
}

const FIGURES: &str =
    "usersOnline jobsOpen offersPending bookingsActive disputesOpen disputesEscalated tasksFailed alertsOpen";

async fn stats(on: &Instance, who: &TestUser, fields: &str) -> Value {
    let mut answer = on.gql(who, &format!("{{ adminStats {{ {fields} }} }}"), json!({})).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["adminStats"].take()
}

async fn watch(on: &Instance, who: &TestUser) -> Client {
    let mut client = on.socket(who, &Value::Null).await;
    let query = "subscription { adminStatsChanged { id cursor usersOnline jobsOpen alertsOpen } }";
    client.start("a", query, json!({})).await;
    client
}

async fn item(client: &mut Client) -> Value {
    let mut message = client.next().await;
    assert_eq!(message["type"], "next", "{message}");
    message["payload"]["data"]["adminStatsChanged"].take()
}

async fn raise(on: &Instance, kind: Kind) {
    let caller = Caller::system("test");
    let raised = on.server.platform.work.run(&caller, kind, |unit, kind| {
        Box::pin(async move { alerts::commands::raise(unit, NewAlert::new(*kind, "test", "Look.")).await })
    });
    raised.await.unwrap();
}

async fn the_figures_are_right(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let (admin, moderator) = (app.admin().await, app.moderator().await);
    let nothing = json!({ "usersOnline": 0, "jobsOpen": 0, "offersPending": 0, "bookingsActive": 0, "disputesOpen": 0,
        "disputesEscalated": 0, "tasksFailed": 0, "alertsOpen": 0 });
    assert_eq!(stats(app, &admin, FIGURES).await, nothing);
    app.deposit(&ada, "500.00").await;
    for _ in 0..3 {
        app.post_job(&ada).await;
    }
    let job = app.post_job(&ada).await;
    app.offer_to(&ada, &job, &bob, "10.00").await.ok();
    app.book(&ada, &bob).await;
    let booking = app.book(&ada, &bob).await;
    let input = json!({ "bookingId": booking, "reason": "LATE", "evidence": "So.", "idempotencyKey": "one" });
    app.act(&ada, "disputeOpen", input).await.ok();
    raise(app, Kind::TaskGivenUp).await;
    raise(app, Kind::LedgerMismatch).await;
    let _socket = app.socket(&ada, &Value::Null).await;
    // They stand for a while.
    assert_eq!(stats(app, &admin, FIGURES).await, nothing);
    app.clock.advance(2_001);
    let mut now = json!({ "usersOnline": 1, "jobsOpen": 4, "offersPending": 1, "bookingsActive": 1, "disputesOpen": 1,
        "disputesEscalated": 0, "tasksFailed": 0, "alertsOpen": 2 });
    assert_eq!(stats(app, &admin, FIGURES).await, now);
    // A moderator knows nothing of the alerts about money, and may not ask for payments.
    now["alertsOpen"] = json!(1);
    assert_eq!(stats(app, &moderator, FIGURES).await, now);
    let money = "paymentsCompletedToday paymentsFailedToday";
    assert_eq!(stats(app, &admin, money).await, json!({ "paymentsCompletedToday": 1, "paymentsFailedToday": 0 }));
    for (who, query) in
        [(&moderator, "{ adminStats { paymentsCompletedToday } }"), (&ada, "{ adminStats { jobsOpen } }")]
    {
        let answer = app.gql(who, query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
}

async fn whoever_watches_hears_of_changes(app: &TestApp) {
    let (ada, admin) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await);
    let mut client = watch(app, &admin).await;
    let first = item(&mut client).await;
    assert_eq!((&first["id"], &first["cursor"], &first["jobsOpen"]), (&json!("stats"), &Value::Null, &json!(0)));
    // A burst is one or two items, the last of which is right.
    for _ in 0..10 {
        app.post_job(&ada).await;
    }
    let begun = Clock::now();
    let mut items = 0;
    while item(&mut client).await["jobsOpen"] != 10 {
        items += 1;
    }
    assert!(items <= 3 && begun.elapsed() < Duration::from_secs(8), "{items} items in {:?}", begun.elapsed());
    assert!(client.is_quiet(Duration::from_secs(5)).await, "what stands still is not told");
}

#[tokio::test]
async fn many_watchers_cost_as_much_as_one() {
    let app = TestApp::postgres().await;
    let admin = app.admin().await;
    let mut watching = Vec::new();
    for _ in 0..8 {
        let mut client = watch(&app, &admin).await;
        item(&mut client).await;
        watching.push(client);
    }
    // The last of them is a change for the others.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = app.round_trips();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let spent = app.round_trips() - before;
    drop(watching);
    eventually("they have left", async || app.server.platform.hub.signals.watched("admin:").is_empty()).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let before = app.round_trips();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let idle = app.round_trips() - before;
    // Three counts of at most twelve statements, beside what a quiet server does.
    println!("{spent} round trips in 6 s with 8 watchers, {idle} without");
    assert!(spent > idle && spent - idle <= 4 * 12, "{spent} with watchers, {idle} without");
}

#[tokio::test]
async fn figures_cross_instances() {
    let app = TestApp::scaled(2).await;
    let (ada, admin) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await);
    let mut client = watch(app.on(0), &admin).await;
    item(&mut client).await;
    let _socket = app.on(1).socket(&ada, &Value::Null).await;
    app.post_job(&ada).await;
    let both = async |client: &mut Client| loop {
        let now = item(client).await;
        if now["usersOnline"] == 2 && now["jobsOpen"] == 1 {
            return;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), both(&mut client)).await.expect("the other instance is counted");
}
