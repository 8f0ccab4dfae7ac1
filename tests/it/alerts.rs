//! Alerts: what raises them, who hears of them, and that a storm is one line.

use gigwire::features::alerts::{self, Kind, NewAlert};
use gigwire::features::disputes;
use gigwire::features::wallet::freezing;
use gigwire::kernel::clock::{DAY, MINUTE};
use gigwire::kernel::{Caller, Role, Roles};
use gigwire::platform::db::q;
use gigwire::platform::queue::NewTask;
use gigwire::platform::streams::{Place, StreamName};
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::live::Client;
use crate::support::market::{id_of, key, usd, uuid};

on_both_engines! {
    a_stolen_token_is_an_alert,
    a_storm_is_one_row,
    money_is_for_administrators,
    an_escalated_dispute_is_one_until_it_ends,
    a_task_and_letters_that_are_given_up_are_alerts,
    a_role_gained_or_lost_changes_what_is_heard,
    dismissed_ones_are_forgotten,
}

const ALERT: &str = "id kind level title body occurrences lastRaisedAt dismissedAt version
    dismissedBy { id } subject { __typename id }";

/// The alerts that somebody sees, newest first.
async fn list(on: &Instance, who: &TestUser, filter: Value) -> Vec<Value> {
    let query = format!(
        "query ($filter: AdminAlertFilter) {{ adminAlerts(filter: $filter) {{ totalCount nodes {{ {ALERT} }} }} }}"
    );
    let mut answer = on.gql(who, &query, json!({ "filter": filter })).await;
    let Value::Array(nodes) = answer["data"]["adminAlerts"]["nodes"].take() else { panic!("{answer}") };
    assert_eq!(answer["data"]["adminAlerts"]["totalCount"], nodes.len());
    nodes
}

fn kinds(alerts: &[Value]) -> Vec<&str> {
    alerts.iter().map(|alert| alert["kind"].as_str().unwrap()).collect()
}

async fn dismiss(on: &Instance, who: &TestUser, alert: &Value) -> Value {
    let query = format!(
        "mutation ($input: AdminAlertDismissInput!) {{ done: adminAlertDismiss(input: $input) {{
            alert {{ {ALERT} }} userErrors {{ code field }} }} }}"
    );
    on.gql(who, &query, json!({ "input": { "alertId": alert["id"] } })).await["data"]["done"].take()
}

async fn raise(on: &Instance, new: NewAlert) {
    let caller = Caller::system("test");
    let raised = on
        .server
        .platform
        .work
        .run(&caller, new, |unit, new| Box::pin(async move { alerts::commands::raise(unit, new.clone()).await }));
    raised.await.unwrap();
}

/// The kinds of events in the topic of staff.
async fn told(on: &Instance) -> Vec<String> {
    let page = on.server.platform.hub.reader().page(&StreamName::staff(), Place::default()).await.unwrap().unwrap();
    page.into_iter().map(|event| event.kind).collect()
}

/// Opens a view and waits until it is there.
async fn listen(on: &Instance, who: &TestUser, field: &str) -> Client {
    let mut client = resume(on, who, field).await;
    client.run("q", "{ __typename }").await;
    client
}

/// Opens a view whose first item says that it is there.
async fn resume(on: &Instance, who: &TestUser, field: &str) -> Client {
    let mut client = on.socket(who, &Value::Null).await;
    let item =
        "__typename cursor ... on AdminAlertRaised { alert { kind } } ... on AdminAlertDismissed { alert { kind } }";
    client.start("a", &format!("subscription {{ {field} {{ {item} }} }}"), json!({})).await;
    client
}

async fn item(client: &mut Client) -> Value {
    let mut message = client.next().await;
    assert_eq!(message["type"], "next", "{message}");
    let data = message["payload"]["data"].as_object_mut().unwrap();
    data.values_mut().next().unwrap().take()
}

/// What `events` says behind a cursor: the types of its items, or the reasons of gaps, and where it ends.
async fn poll(on: &Instance, who: &TestUser, after: &str) -> (Vec<String>, String) {
    let query = "query ($after: String) { events(after: $after) { pageInfo { endCursor }
        nodes { __typename ... on StreamGap { reason } } } }";
    let answer = on.gql(who, query, json!({ "after": after })).await;
    let page = &answer["data"]["events"];
    let name = |item: &Value| item["reason"].as_str().or(item["__typename"].as_str()).unwrap().to_owned();
    let names = page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(name).collect();
    (names, page["pageInfo"]["endCursor"].as_str().unwrap().to_owned())
}

async fn steal(on: &Instance, user: &TestUser) {
    let text = "mutation ($input: SessionRefreshInput!) { done: sessionRefresh(input: $input) {
        session { refreshToken } userErrors { code } } }";
    let refresh = async |token: &str| {
        on.gql(ANONYMOUS, text, json!({ "input": { "refreshToken": token } })).await["data"]["done"].take()
    };
    let next = refresh(&user.refresh_token).await;
    refresh(next["session"]["refreshToken"].as_str().unwrap()).await;
    assert_eq!(refresh(&user.refresh_token).await["userErrors"][0]["code"], "BAD_REFRESH_TOKEN");
}

async fn a_stolen_token_is_an_alert(app: &TestApp) {
    let (ada, admin, moderator) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await, app.moderator().await);
    let mut live = listen(app, &moderator, "adminAlertRaised").await;
    steal(app, &ada).await;
    let raised = item(&mut live).await;
    assert_eq!(
        (&raised["__typename"], &raised["alert"]["kind"]),
        (&json!("AdminAlertRaised"), &json!("SESSION_STOLEN"))
    );
    let found = list(app, &moderator, Value::Null).await;
    let alert = &found[0];
    assert_eq!((kinds(&found), &alert["occurrences"]), (vec!["SESSION_STOLEN"], &json!(1)));
    assert_eq!((&alert["level"], &alert["subject"]["id"]), (&json!("WARNING"), &json!(ada.id)));
    assert_eq!((&alert["dismissedAt"], &alert["dismissedBy"]), (&Value::Null, &Value::Null));
    // Nobody else sees it.
    let bob = app.sign_up(&["CUSTOMER"]).await;
    for (who, code) in [(None, "UNAUTHENTICATED"), (Some(bob.token.as_str()), "FORBIDDEN")] {
        for query in [
            "{ adminAlerts { totalCount } }",
            "mutation { adminAlertDismiss(input: { alertId: \"alert_0\" }) { userErrors { code } } }",
        ] {
            let answer = app.gql(who, query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        }
    }
    let node = app.gql(&bob, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": alert["id"] }));
    assert_eq!(node.await["data"]["node"], Value::Null);
    // One dismisses it for all of them, and twice is once.
    for _ in 0..2 {
        let done = dismiss(app, &moderator, alert).await;
        assert_eq!((&done["userErrors"], &done["alert"]["version"]), (&json!([]), &json!(2)), "{done}");
        assert_eq!(done["alert"]["dismissedBy"]["id"], moderator.id);
    }
    assert_eq!(item(&mut live).await["__typename"], "AdminAlertDismissed");
    assert_eq!(list(app, &admin, Value::Null).await, Vec::<Value>::new());
    assert_eq!(kinds(&list(app, &admin, json!({ "isDismissed": true })).await), ["SESSION_STOLEN"]);
    assert_eq!(
        app.count("select count(*) as n from audit where action = 'alert.dismiss' and actor_role = 'MODERATOR'").await,
        1
    );
    // The next one is a new one.
    steal(app, &app.sign_in(&ada.email, PASSWORD).await).await;
    assert_eq!(item(&mut live).await["__typename"], "AdminAlertRaised");
    let found = list(app, &admin, json!({})).await;
    assert_eq!(found.len(), 2);
    assert_ne!(found[0]["id"], found[1]["id"]);
    app.assert_books().await;
}

async fn a_storm_is_one_row(app: &TestApp) {
    let admin = app.admin().await;
    let storm = |body: &str| NewAlert::new(Kind::TaskGivenUp, "mail.deliver", body);
    let raised = (0..40).map(|_| raise(app, storm("Once more.")));
    futures_util::future::join_all(raised).await;
    let found = list(app, &admin, Value::Null).await;
    assert_eq!((found.len(), &found[0]["occurrences"], &found[0]["version"]), (1, &json!(40), &json!(40)));
    let first = told(app).await.len();
    // Those that came within the same millisecond as the first are told as well.
    assert!(first < 20, "{first} events");
    app.clock.advance(MINUTE + 1);
    raise(app, storm("And again.")).await;
    assert_eq!(told(app).await.len(), first + 1, "staff are told again after a minute");
    let found = list(app, &admin, Value::Null).await;
    assert_eq!((&found[0]["occurrences"], &found[0]["body"]), (&json!(41), &json!("And again.")));
    raise(app, NewAlert::new(Kind::TaskGivenUp, "offer.expire", "Another cause.")).await;
    assert_eq!(list(app, &admin, Value::Null).await.len(), 2);
    app.assert_books().await;
}

async fn money_is_for_administrators(app: &TestApp) {
    let (admin, moderator) = (app.admin().await, app.moderator().await);
    let begun = [app.stream_cursor(&admin).await, app.stream_cursor(&moderator).await];
    let mut live = listen(app, &moderator, "adminAlertRaised").await;
    let mut all = listen(app, &moderator, "eventAppended").await;
    let mut heard = listen(app, &admin, "eventAppended").await;
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let freeze = platform.work.run(&caller, (), |unit, ()| Box::pin(freezing::freeze(unit, "A doubt.")));
    freeze.await.unwrap();
    let raised = item(&mut heard).await;
    assert_eq!(
        (&raised["__typename"], &raised["alert"]["kind"]),
        (&json!("AdminAlertRaised"), &json!("PAYOUTS_FROZEN"))
    );
    let found = list(app, &admin, json!({ "kinds": ["PAYOUTS_FROZEN"] })).await;
    assert_eq!((&found[0]["level"], &found[0]["body"]), (&json!("ERROR"), &json!("A doubt.")));
    // A moderator sees nothing of it, by no way.
    for filter in [Value::Null, json!({}), json!({ "kinds": ["PAYOUTS_FROZEN", "LEDGER_MISMATCH"] })] {
        assert_eq!(list(app, &moderator, filter).await, Vec::<Value>::new());
    }
    let answer =
        app.gql(&moderator, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": found[0]["id"] })).await;
    assert_eq!(answer["data"]["node"], Value::Null, "{answer}");
    let done = dismiss(app, &moderator, &found[0]).await;
    assert_eq!(done["userErrors"], json!([{ "code": "NOT_FOUND", "field": ["alertId"] }]));
    // What comes behind it is heard, so that it was passed over and not late.
    raise(app, NewAlert::new(Kind::TaskGivenUp, "one", "Gone.")).await;
    for view in [&mut live, &mut all] {
        assert_eq!(item(view).await["alert"]["kind"], "TASK_GIVEN_UP");
    }
    let resumed = "StreamResumed".to_owned();
    let (seen, _) = poll(app, &moderator, &begun[1]).await;
    assert_eq!(seen, [resumed.clone(), "AdminAlertRaised".to_owned()]);
    let (seen, _) = poll(app, &admin, &begun[0]).await;
    assert_eq!(seen, [resumed, "AdminAlertRaised".to_owned(), "AdminAlertRaised".to_owned()]);
    // The freeze is lifted, and its alert goes by itself.
    freezing::lift(platform, &caller, "All is well.").await.unwrap();
    assert_eq!(item(&mut heard).await["alert"]["kind"], "TASK_GIVEN_UP");
    assert_eq!(item(&mut heard).await["__typename"], "AdminAlertDismissed");
    let found = list(app, &admin, json!({ "isDismissed": true })).await;
    assert_eq!((kinds(&found), &found[0]["dismissedBy"]), (vec!["PAYOUTS_FROZEN"], &Value::Null));
}

async fn an_escalated_dispute_is_one_until_it_ends(app: &TestApp) {
    let (ada, bob, admin) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await, app.admin().await);
    app.deposit(&ada, "200.00").await;
    let booking = app.book(&ada, &bob).await;
    let input = json!({ "bookingId": booking, "reason": "LATE", "evidence": "It is June.", "idempotencyKey": key() });
    let dispute = id_of(&app.act(&ada, "disputeOpen", input).await.ok(), "dispute");
    assert!(list(app, &admin, Value::Null).await.is_empty());
    app.clock.advance(4 * DAY);
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    let mut live = app.socket(&admin, &Value::Null).await;
    let sealed = "subscription { adminAlertRaised { ... on AdminAlertRaised { alert { kind subject { __typename
        ... on Dispute { id booking { id conversation { id } } } } } } } }";
    live.start("a", sealed, json!({})).await;
    live.run("q", "{ __typename }").await;
    for _ in 0..2 {
        let id = uuid(&dispute);
        disputes::commands::escalate(&app.server.platform, &Caller::system("test"), id).await.unwrap();
    }
    // Staff do not follow into the conversation, which is never null: the null rises to where one may stand.
    let raised = live.next().await["payload"].take();
    assert_eq!(
        raised["data"],
        json!({ "adminAlertRaised": { "alert": { "kind": "DISPUTE_ESCALATED", "subject": null } } })
    );
    assert_eq!(raised["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let found = list(app, &admin, Value::Null).await;
    assert_eq!((kinds(&found), &found[0]["occurrences"]), (vec!["DISPUTE_ESCALATED"], &json!(1)));
    assert_eq!(found[0]["subject"], json!({ "__typename": "Dispute", "id": dispute }));
    let input = json!({ "disputeId": dispute, "toCustomer": usd("0"), "toContractor": usd("0"),
        "toPlatform": usd("100.00"), "platformFee": "KEPT", "reason": "It is July.", "idempotencyKey": key() });
    app.act(&admin, "disputeDecide", input).await.ok();
    assert!(list(app, &admin, Value::Null).await.is_empty());
    assert_eq!(told(app).await, ["AdminAlertRaised", "AdminAlertDismissed"]);
    app.assert_books().await;
}

async fn a_task_and_letters_that_are_given_up_are_alerts(app: &TestApp) {
    let admin = app.admin().await;
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let task = platform.work.run(&caller, (), |unit, ()| {
        Box::pin(async move {
            unit.enqueue(NewTask::new("nobody.handles", &json!({}), unit.now)?);
            Ok(())
        })
    });
    task.await.unwrap();
    let mut tx = platform.db.begin().await.unwrap();
    q("update tasks set attempts = 18 where kind = 'nobody.handles'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    app.work();
    let attempts = "select cast(attempts as bigint) as n from tasks where kind = 'nobody.handles'";
    eventually("the task fails once more", async || app.count(attempts).await == 19).await;
    let failed = "select count(*) as n from tasks where kind = 'nobody.handles' and leased_until is null";
    eventually("it waits", async || app.count(failed).await == 1).await;
    assert!(list(app, &admin, Value::Null).await.is_empty(), "it has one attempt left");
    app.clock.advance(61 * MINUTE);
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    eventually("it is given up", async || !list(app, &admin, Value::Null).await.is_empty()).await;
    let found = list(app, &admin, Value::Null).await;
    assert_eq!(kinds(&found), ["TASK_GIVEN_UP"]);
    assert!(found[0]["body"].as_str().unwrap().contains("nobody.handles"), "{found:?}");
    // Letters: a few are no alert, many are.
    for _ in 0..3 {
        app.sign_up(&["CUSTOMER"]).await;
    }
    let waiting = "select count(*) as n from letters where status = 'PENDING'";
    eventually("their letters have left", async || app.count(waiting).await == 0).await;
    for (count, wanted) in [(4_i64, 1), (5, 2)] {
        let mut tx = platform.db.begin().await.unwrap();
        let fail = q("update letters set status = 'FAILED' where id in (select id from letters order by id limit $1)");
        fail.bind(count).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        alerts::commands::count_letters(platform, &caller).await.unwrap();
        assert_eq!(list(app, &admin, Value::Null).await.len(), wanted);
    }
    assert_eq!(kinds(&list(app, &admin, Value::Null).await)[0], "LETTERS_FAILING");
}

/// Gives a user these roles, whatever it had.
async fn set_roles(app: &TestApp, user: &TestUser, roles: &[Role]) {
    let mut tx = app.server.platform.db.begin().await.unwrap();
    let user: gigwire::kernel::id::UserId = uuid(&user.id);
    let set = q("update users set roles = $1 where id = $2").bind(Roles::of(roles).0).bind(user);
    assert_eq!(set.execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    // Longer than the answer to who somebody is is kept.
    app.clock.advance(2_000);
}

async fn a_role_gained_or_lost_changes_what_is_heard(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let plain = app.stream_cursor(&ada).await;
    raise(app, NewAlert::new(Kind::TaskGivenUp, "one", "Before.")).await;
    assert_eq!(poll(app, &ada, &plain).await.0, ["StreamResumed"]);
    set_roles(app, &ada, &[Role::Customer, Role::Moderator]).await;
    raise(app, NewAlert::new(Kind::TaskGivenUp, "two", "Since.")).await;
    // What was said to staff meanwhile is not behind the old cursor: the client is told once to look, and goes on.
    let (told, now) = poll(app, &ada, &plain).await;
    assert_eq!(told, ["FOREIGN"]);
    assert_eq!(now, app.stream_cursor(&ada).await);
    raise(app, NewAlert::new(Kind::TaskGivenUp, "three", "Now.")).await;
    let (told, staff) = poll(app, &ada, &now).await;
    assert_eq!(told, ["StreamResumed", "AdminAlertRaised"]);
    let mut live = resume(app, &ada, &format!("eventAppended(after: \"{now}\")")).await;
    assert_eq!(item(&mut live).await["__typename"], "StreamResumed");
    assert_eq!(item(&mut live).await["alert"]["kind"], "TASK_GIVEN_UP");
    let mut live = resume(app, &ada, &format!("adminAlertRaised(after: \"{now}\")")).await;
    assert_eq!(item(&mut live).await["__typename"], "StreamResumed", "the cursor of everything is good for the topic");
    // And back: the cursor stays good, and nothing more is heard.
    set_roles(app, &ada, &[Role::Customer]).await;
    raise(app, NewAlert::new(Kind::TaskGivenUp, "four", "Too late.")).await;
    let (told, after) = poll(app, &ada, &staff).await;
    assert_eq!(told, ["StreamResumed"]);
    assert_eq!(after, app.stream_cursor(&ada).await);
    let answer = app.gql(&ada, "{ adminAlerts { totalCount } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

async fn dismissed_ones_are_forgotten(app: &TestApp) {
    let admin = app.admin().await;
    for cause in ["one", "two", "three"] {
        raise(app, NewAlert::new(Kind::TaskGivenUp, cause, cause)).await;
        app.clock.advance(1);
    }
    let listed = list(app, &admin, Value::Null).await;
    dismiss(app, &admin, &listed[0]).await;
    app.clock.advance(80 * DAY);
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    dismiss(app, &admin, &listed[1]).await;
    app.work();
    let seen = |found: &[Value]| found.iter().map(|alert| alert["body"].clone()).collect::<Vec<_>>();
    // Nothing is old enough yet, and what nobody dismissed stays for good.
    assert_eq!(seen(&list(app, &admin, json!({})).await), ["three", "two", "one"]);
    for left in [&["two", "one"][..], &["one"]] {
        app.clock.advance(20 * DAY);
        let admin = app.sign_in(&admin.email, PASSWORD).await;
        eventually("the oldest has gone", async || seen(&list(app, &admin, json!({})).await) == left).await;
        app.clock.advance(60 * DAY);
    }
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    let node = app.gql(&admin, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": listed[1]["id"] }));
    assert_eq!(node.await["data"]["node"], Value::Null);
    assert_eq!(dismiss(app, &admin, &listed[0]).await["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn alerts_cross_instances() {
    let app = TestApp::scaled(2).await;
    let admin = app.admin().await;
    let mut client = app.on(1).socket(&admin, &Value::Null).await;
    client.start("a", "subscription { adminAlertRaised { __typename cursor } }", json!({})).await;
    client.run("q", "{ __typename }").await;
    for cause in ["one", "two", "three"] {
        raise(app.on(0), NewAlert::new(Kind::TaskGivenUp, cause, "Gone.")).await;
    }
    let mut last = Value::Null;
    for _ in 0..3 {
        last = item(&mut client).await;
        assert_eq!(last["__typename"], "AdminAlertRaised");
    }
    // Its cursor is good on the other one.
    let mut client = app.on(0).socket(&admin, &last["cursor"]).await;
    client.start("a", "subscription { adminAlertRaised { __typename } }", json!({})).await;
    assert_eq!(item(&mut client).await["__typename"], "StreamResumed");
    raise(app.on(1), NewAlert::new(Kind::TaskGivenUp, "four", "Gone.")).await;
    assert_eq!(item(&mut client).await["__typename"], "AdminAlertRaised");
}
