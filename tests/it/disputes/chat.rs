//! Staff in a conversation: only in a dispute, only to read, and not unseen.

use serde_json::{Value, json};

use super::Deal;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::key;

on_both_engines! {
    staff_read_along_while_the_dispute_goes_on,
}

const READ: &str = "query ($id: ID!) { booking(id: $id) { conversation {
    id staffCount unreadCount participants { id } messages { nodes { content status sender { id } } } } } }";

async fn read(app: &TestApp, who: &TestUser, booking: &str) -> Value {
    app.gql(who, READ, json!({ "id": booking })).await
}

async fn staff_read_along_while_the_dispute_goes_on(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    let own = read(app, &deal.ada, &deal.booking).await["data"]["booking"]["conversation"].take();
    let conversation = own["id"].as_str().unwrap();
    assert_eq!(own["staffCount"], 0);
    let write = |content: &str| json!({ "conversationId": conversation, "content": content, "clientMessageId": key() });
    app.act(&deal.ada, "messageSend", write("It is green.")).await.ok();
    for staff in [&moderator, &admin] {
        let seen = read(app, staff, &deal.booking).await;
        assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN", "nobody has joined yet: {seen}");
    }
    app.act(&deal.ada, "disputeJoin", json!({ "disputeId": deal.dispute })).await.refused("FORBIDDEN");
    for _ in 0..2 {
        app.act(&moderator, "disputeJoin", json!({ "disputeId": deal.dispute })).await.ok();
    }
    assert_eq!(app.count("select count(*) as n from events where kind = 'ConversationStaffJoined'").await, 2);
    let seen = read(app, &moderator, &deal.booking).await["data"]["booking"]["conversation"].take();
    assert_eq!((&seen["staffCount"], &seen["unreadCount"]), (&json!(1), &json!(0)));
    assert_eq!(seen["participants"].as_array().unwrap().len(), 2);
    let message = json!({ "content": "It is green.", "status": "SENT", "sender": { "id": deal.ada.id } });
    assert_eq!(seen["messages"]["nodes"], json!([message]));
    let own = read(app, &deal.bob, &deal.booking).await;
    assert_eq!(own["data"]["booking"]["conversation"]["staffCount"], 1, "both see that staff are there");
    assert_eq!(own["data"]["booking"]["conversation"]["unreadCount"], 1);
    app.act(&moderator, "messageSend", write("Hello.")).await.refused("NOT_FOUND");
    let seen = read(app, &admin, &deal.booking).await;
    assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN", "another one has not joined");
    // Who proposes is in it too.
    deal.propose(app, &admin, "50.00").await.ok();
    assert_eq!(read(app, &admin, &deal.booking).await["data"]["booking"]["conversation"]["staffCount"], 2);
    deal.accept(app, &deal.ada, 1).await.ok();
    deal.accept(app, &deal.bob, 1).await.ok();
    for staff in [&moderator, &admin] {
        let seen = read(app, staff, &deal.booking).await;
        assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN", "the dispute is over: {seen}");
    }
    app.act(&admin, "disputeJoin", json!({ "disputeId": deal.dispute })).await.refused("CONFLICT");
    assert_eq!(read(app, &deal.ada, &deal.booking).await["data"]["booking"]["conversation"]["staffCount"], 0);
    app.assert_books().await;
}
