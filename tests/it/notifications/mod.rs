//! Notifications through the API: who is told what, reading and dismissing, live, and many at once.

mod disputes;
mod live;
mod messages;
mod reading;
mod steps;

use gigwire::kernel::id::{TypedId, UserId};
use gigwire::platform::db::q;
use serde_json::{Value, json};

use crate::support::app::{Instance, TestApp, TestUser};
use crate::support::market::{id_of, uuid};

/// A customer with money, a contractor, and nothing unread.
async fn people(app: &TestApp) -> (TestUser, TestUser) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "1000.00").await;
    app.read_all(&ada).await;
    (ada, bob)
}

/// The conversation of a new booking, which nobody has to be told of any more.
async fn talking(app: &TestApp) -> (TestUser, TestUser, Value) {
    let (ada, bob) = people(app).await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "100.00").await.ok(), "offer");
    let made = app.answer(&ada, "offerAccept", &offer).await.ok();
    for who in [&ada, &bob] {
        app.read_all(who).await;
    }
    (ada, bob, made["conversation"]["id"].clone())
}

impl Instance {
    /// A user's notifications with all that can be read of them, newest first.
    async fn notifications(&self, who: &TestUser, arguments: &str) -> Vec<Value> {
        let text = format!(
            "{{ viewer {{ unreadNotificationCount notifications(first: 100{arguments}) {{ totalCount nodes {{
                id kind level title body data isDismissible displayMs readAt dismissedAt createdAt updatedAt version
                subject {{ __typename id }} }} }} }} }}"
        );
        let answer = self.gql(who, &text, json!({})).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
        let viewer = &answer["data"]["viewer"];
        let nodes = viewer["notifications"]["nodes"].as_array().unwrap();
        assert_eq!(viewer["notifications"]["totalCount"], nodes.len());
        assert_eq!(viewer["unreadNotificationCount"], self.recount(who).await);
        nodes.clone()
    }

    /// The unread rows of a user.
    async fn recount(&self, who: &TestUser) -> i64 {
        let user: UserId = uuid(&who.id);
        let sql = "select count(*) as n from notifications where user_id = $1 and read_at is null";
        q(sql).bind(user.uuid()).one(&self.server.platform.db).await.unwrap()
    }

    async fn read_all(&self, who: &TestUser) {
        let payload = self.act(who, "notificationMarkRead", json!({ "all": true })).await.ok();
        assert_eq!((&payload["unreadCount"], &payload["notification"]), (&json!(0), &Value::Null));
    }

    /// The kinds that a user was told since the last call, in alphabetical order.
    async fn news(&self, who: &TestUser) -> Vec<String> {
        let unread = self.notifications(who, ", filter: { isRead: false }").await;
        let mut kinds: Vec<_> = unread.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        self.read_all(who).await;
        kinds
    }

    async fn say(&self, who: &TestUser, conversation: &Value, content: &str) -> Value {
        let input = json!({ "conversationId": conversation, "content": content });
        self.act(who, "messageSend", input).await.ok()["message"].take()
    }

    async fn read_up_to(&self, who: &TestUser, conversation: &Value, message: &Value) {
        let text = "mutation ($input: ConversationMarkReadInput!) { conversationMarkRead(input: $input) {
            userErrors { code } } }";
        let input = json!({ "conversationId": conversation, "upToMessageId": message["id"] });
        let answer = self.gql(who, text, json!({ "input": input })).await;
        assert_eq!(answer["data"]["conversationMarkRead"]["userErrors"], json!([]), "{answer}");
    }

    /// How many events of a kind there are in a user's stream.
    async fn told(&self, who: &TestUser, kind: &str) -> i64 {
        let user: UserId = uuid(&who.id);
        let stream = gigwire::platform::streams::StreamName::user(user);
        let sql = "select count(*) as n from events where stream = $1 and kind = $2";
        q(sql).bind(stream.as_str()).bind(kind).one(&self.server.platform.db).await.unwrap()
    }
}
