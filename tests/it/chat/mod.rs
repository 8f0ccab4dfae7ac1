//! Chat, through the schema, on both engines.

mod live;
mod races;
mod story;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::inprocess::{InProcess, Person};
use gigwire::features::chat::{Subject, SubjectKind, commands};
use gigwire::kernel::id::ConversationId;
use gigwire::kernel::{Caller, Result};

/// Runs a test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::inprocess::InProcess::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::inprocess::InProcess::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Two people with a conversation.
struct Pair {
    server: InProcess,
    ada: Person,
    bob: Person,
    id: ConversationId,
}

impl Pair {
    async fn new(server: InProcess) -> Self {
        let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
        let id = open(&server, listing(), &ada, &bob).await.unwrap();
        Pair { server, ada, bob, id }
    }

    /// Sends and gives the payload.
    async fn send(&self, from: &Person, content: &str, key: Option<&str>) -> Value {
        let input = json!({ "conversationId": self.id.to_string(), "content": content, "clientMessageId": key });
        let selection = "message { id number clientMessageId content } userErrors { code field }";
        self.server.act(&from.caller, "messageSend", input, selection).await
    }

    /// Sends a message that must be taken, and gives it.
    async fn say(&self, from: &Person, content: &str) -> Value {
        let mut payload = self.send(from, content, None).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload["message"].take()
    }

    /// Marks everything up to a message as read.
    async fn mark(&self, reader: &Person, message: &Value) -> Value {
        let input = json!({ "conversationId": self.id.to_string(), "upToMessageId": message["id"] });
        let selection = "readCount conversation { unreadCount version } userErrors { code field }";
        self.server.act(&reader.caller, "conversationMarkRead", input, selection).await
    }

    /// Fields of the conversation, as somebody sees it.
    async fn see(&self, viewer: &Person, selection: &str) -> Value {
        let query = format!("query($id: ID!) {{ conversation(id: $id) {{ {selection} }} }}");
        self.server.data(&viewer.caller, &query, json!({ "id": self.id.to_string() })).await["conversation"].take()
    }

    async fn unread(&self, viewer: &Person) -> i64 {
        self.see(viewer, "unreadCount").await["unreadCount"].as_i64().unwrap()
    }
}

fn listing() -> Subject {
    Subject { kind: SubjectKind::Listing, id: Uuid::new_v4() }
}

async fn open(server: &InProcess, subject: Subject, one: &Person, two: &Person) -> Result<ConversationId> {
    let users = (one.id, two.id);
    let work = &server.platform().work;
    work.run(&Caller::system("test"), (), move |unit, ()| Box::pin(commands::open(unit, subject, users))).await
}

async fn close(server: &InProcess, id: ConversationId) {
    let work = &server.platform().work;
    work.run(&Caller::system("test"), (), move |unit, ()| Box::pin(commands::close(unit, id))).await.unwrap();
}
