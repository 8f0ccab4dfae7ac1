//! The list, marking one or all as read, dismissing, and what is refused; and what is forgotten.

use gigwire::features::notifications::commands;
use gigwire::kernel::clock::DAY;
use gigwire::kernel::id::NotificationId;
use serde_json::{Value, json};

use super::people;
use crate::support::app::{ANONYMOUS, TestApp, TestUser, on_both_engines};

on_both_engines! {
    one_is_marked_once,
    all_are_marked_at_once,
    dismissed_ones_leave_the_list,
    the_list_is_paged_and_filtered,
    those_of_others_are_not_there,
    wrong_inputs_are_refused,
    old_ones_are_forgotten,
}

/// The ids of three unread notifications of the customer, newest first.
async fn three(app: &TestApp) -> (TestUser, TestUser, Vec<Value>) {
    let (ada, bob) = people(app).await;
    for _ in 0..3 {
        let job = app.post_job(&ada).await;
        app.offer(&bob, &job, "100.00").await.ok();
    }
    let unread = app.notifications(&ada, ", filter: { isRead: false }").await;
    (ada, bob, unread.iter().map(|it| it["id"].clone()).collect())
}

async fn one_is_marked_once(app: &TestApp) {
    let (ada, _, ids) = three(app).await;
    let input = json!({ "notificationId": ids[1] });
    let done = app.act(&ada, "notificationMarkRead", input.clone()).await.ok();
    assert_eq!((&done["notification"]["id"], &done["notification"]["version"]), (&ids[1], &json!(2)));
    assert!(done["notification"]["readAt"].is_string());
    assert_eq!(done["unreadCount"], 2);
    assert_eq!(app.act(&ada, "notificationMarkRead", input).await.ok(), done, "nothing changes a second time");
    assert_eq!(app.told(&ada, "NotificationRead").await, 1);
    app.assert_books().await;
}

async fn all_are_marked_at_once(app: &TestApp) {
    let (ada, bob, _) = three(app).await;
    let told = app.told(&ada, "NotificationsRead").await;
    app.read_all(&ada).await;
    app.read_all(&ada).await;
    assert_eq!(app.told(&ada, "NotificationsRead").await, told + 1, "nothing was unread the second time");
    assert_eq!(app.recount(&bob).await, 3, "others keep theirs");
    app.assert_books().await;
}

async fn dismissed_ones_leave_the_list(app: &TestApp) {
    let (ada, _, ids) = three(app).await;
    let before = app.notifications(&ada, "").await.len();
    let input = json!({ "notificationId": ids[0] });
    let done = app.act(&ada, "notificationDismiss", input.clone()).await.ok();
    assert!(done["notification"]["dismissedAt"].is_string());
    assert_eq!(done["notification"]["readAt"], done["notification"]["dismissedAt"], "who dismisses has read");
    assert_eq!((&done["unreadCount"], &done["notification"]["version"]), (&json!(2), &json!(2)));
    assert_eq!(app.act(&ada, "notificationDismiss", input).await.ok(), done);
    assert_eq!(app.notifications(&ada, "").await.len(), before - 1);
    assert_eq!(app.told(&ada, "NotificationDismissed").await, 1);
    let found = app.gql(&ada, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": ids[0] })).await;
    assert_eq!(found["data"]["node"]["id"], ids[0], "it is still there for who knows its id");
}

async fn the_list_is_paged_and_filtered(app: &TestApp) {
    let (ada, _, ids) = three(app).await;
    app.act(&ada, "notificationMarkRead", json!({ "notificationId": ids[0] })).await.ok();
    let text =
        "query ($first: Int, $after: String, $last: Int, $before: String, $filter: NotificationFilter) { viewer {
        notifications(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
            totalCount nodes { id } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } } }";
    let page = async |variables: Value| {
        let mut answer = app.gql(&ada, text, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["viewer"]["notifications"].take()
    };
    let offers = json!({ "kinds": ["OFFER_RECEIVED"] });
    let first = page(json!({ "first": 2, "filter": offers })).await;
    assert_eq!((&first["nodes"], &first["totalCount"]), (&json!([{ "id": ids[0] }, { "id": ids[1] }]), &json!(3)));
    let next = page(json!({ "first": 2, "after": first["pageInfo"]["endCursor"], "filter": offers })).await;
    assert_eq!((&next["nodes"], &next["pageInfo"]["hasNextPage"]), (&json!([{ "id": ids[2] }]), &json!(false)));
    let back = page(json!({ "last": 2, "before": next["pageInfo"]["startCursor"], "filter": offers })).await;
    assert_eq!(back["nodes"], first["nodes"]);
    let read = page(json!({ "filter": { "kinds": ["OFFER_RECEIVED"], "isRead": true } })).await;
    assert_eq!(read["nodes"], json!([{ "id": ids[0] }]));
    let unread = page(json!({ "filter": { "isRead": false, "kinds": [] } })).await;
    assert_eq!((&unread["nodes"], &unread["totalCount"]), (&json!([{ "id": ids[1] }, { "id": ids[2] }]), &json!(2)));
    let none = page(json!({ "filter": { "kinds": ["JOB_COMPLETED", "JOB_CANCELLED"] } })).await;
    assert_eq!((&none["nodes"], &none["totalCount"]), (&json!([]), &json!(0)));
    let wrong = app.gql(&ada, text, json!({ "first": 101 })).await;
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

async fn those_of_others_are_not_there(app: &TestApp) {
    let (ada, bob, ids) = three(app).await;
    let unknown = app.server.platform.ids.new_id::<NotificationId>().to_string();
    for id in [&ids[0], &json!(unknown)] {
        for mutation in ["notificationMarkRead", "notificationDismiss"] {
            let done = app.act(&bob, mutation, json!({ "notificationId": id })).await;
            done.refused_at("NOT_FOUND", &["notificationId"]);
            assert_eq!((&done.payload["notification"], &done.payload["unreadCount"]), (&Value::Null, &Value::Null));
        }
        let found = app.gql(&bob, "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(found["data"]["node"], Value::Null, "{found}");
        assert!(found["errors"].is_null());
    }
    assert_eq!(app.recount(&ada).await, 3);
    let admin = app.admin().await;
    app.act(&admin, "notificationMarkRead", json!({ "notificationId": ids[0] })).await.refused("NOT_FOUND");
    app.act(&admin, "notificationDismiss", json!({ "notificationId": ids[0] })).await.refused("NOT_FOUND");
}

async fn wrong_inputs_are_refused(app: &TestApp) {
    let (ada, _, ids) = three(app).await;
    let job = app.post_job(&ada).await;
    app.act(&ada, "notificationMarkRead", json!({ "all": false })).await.refused_at("INVALID", &["all"]);
    for wrong in [
        json!({}),
        json!({ "notificationId": ids[0], "all": true }),
        json!({ "notificationId": null }),
        json!({ "all": null }),
        json!({ "notificationId": "nonsense" }),
        json!({ "notificationId": job }),
    ] {
        let done = app.act(&ada, "notificationMarkRead", wrong.clone()).await;
        assert_eq!(done.refusal(), Some("BAD_USER_INPUT"), "{wrong}");
    }
    assert_eq!(app.recount(&ada).await, 3);
    let text = "mutation { notificationMarkRead(input: { all: true }) { unreadCount } }";
    let answer = app.gql(ANONYMOUS, text, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

async fn old_ones_are_forgotten(app: &TestApp) {
    let (ada, _, ids) = three(app).await;
    app.act(&ada, "notificationDismiss", json!({ "notificationId": ids[0] })).await.ok();
    let platform = &app.server.platform;
    let total = app.count("select count(*) as n from notifications").await;
    let unread = app.count("select count(*) as n from notifications where read_at is null").await;
    assert!(unread > 0 && unread < total);
    let in_days = |days| platform.clock.now().plus(days * DAY);
    for (days, left) in [(89, total), (91, unread), (364, unread), (366, 0)] {
        assert!(!commands::forget(platform, in_days(days)).await.unwrap());
        assert_eq!(app.count("select count(*) as n from notifications").await, left, "after {days} days");
    }
    assert_eq!(app.notifications(&ada, "").await, Vec::<Value>::new());
    app.act(&ada, "notificationMarkRead", json!({ "notificationId": ids[1] })).await.refused("NOT_FOUND");
}
