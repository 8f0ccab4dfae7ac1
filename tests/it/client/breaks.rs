//! Connections that break: the client comes back by itself, and every subscription goes on where it was.

use serde_json::json;

use super::{Pair, Road, Talk, login};
use crate::support::app::{Instance, TestApp, TestUser};

/// Sixteen minutes: a token ends after fifteen.
const LATER_MS: i64 = 16 * 60_000;

impl Pair {
    /// A message of the contractor, past this client.
    async fn write(&self, server: &Instance, content: &str) {
        let input = json!({ "conversationId": self.conversation, "content": content });
        server.act(&self.contractor, "messageSend", input).await.ok();
    }
}

/// A client that follows a conversation and everything, as its customer.
async fn follower(road: &Road, pair: &Pair) -> Talk {
    let mut talk = Talk::open(&road.url);
    talk.enter(&login(&pair.customer));
    talk.enter(&format!("join conversation {}", pair.conversation));
    talk.enter("watch eventAppended");
    talk.until("watching eventAppended").await;
    talk
}

/// The lines of a message, as each subscription tells it.
fn told(lines: &[String], content: &str) -> usize {
    lines.iter().filter(|line| line.contains("MessageCreated") && line.contains(&format!("content={content} "))).count()
}

#[tokio::test]
async fn a_cut_line_resumes_without_loss_and_without_repeats() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let road = Road::to(&app).await;
    let mut talk = follower(&road, &pair).await;
    pair.write(&app, "one").await;
    let mut said = talk.until("content=one").await;
    road.cut();
    said.extend(talk.until("trying again in").await);
    pair.write(&app, "two").await;
    pair.write(&app, "three").await;
    // What is said meanwhile waits, and is sent once.
    talk.enter("say four");
    road.lead_to(&app);
    talk.enter("expect content=four");
    talk.enter("expect content=four");
    talk.enter("ping");
    said.extend(talk.until("pong after").await);
    pair.write(&app, "five").await;
    talk.enter("expect content=five");
    talk.enter("expect content=five");
    talk.enter("ping");
    said.extend(talk.until("pong after").await);
    for content in ["one", "two", "three", "four", "five"] {
        assert_eq!(told(&said, content), 2, "{content}, once in each subscription: {said:#?}");
    }
    let order: Vec<_> = said.iter().filter(|line| line.contains("conversationChanged MessageCreated")).collect();
    let place = |content: &str| order.iter().position(|line| line.contains(&format!("content={content} "))).unwrap();
    assert!(
        place("one") < place("two") && place("two") < place("three") && place("three") < place("five"),
        "{order:#?}"
    );
    assert!(
        said.iter().any(|line| line.contains("connected again") && line.contains("3 subscriptions go on")),
        "{said:#?}"
    );
    assert_eq!(talk.end().await, (Some(0), String::new()));
}

#[tokio::test]
async fn a_server_that_stops_is_left_for_the_next_one() {
    let mut app = TestApp::scaled(2).await;
    let pair = Pair::new(&app).await;
    let road = Road::to(&app).await;
    let mut talk = follower(&road, &pair).await;
    road.lead_to(app.on(1));
    talk.until("connected again").await;
    road.lead_to(app.on(0));
    talk.until("connected again").await;
    app.leave(0).await;
    let said = talk.until("trying again in").await;
    assert!(said.last().unwrap().contains("1012"), "it is told why: {said:#?}");
    pair.write(app.on(1), "meanwhile").await;
    road.lead_to(app.on(1));
    let mut said = talk.until("connected again").await;
    talk.enter("expect content=meanwhile");
    talk.enter("expect content=meanwhile");
    talk.enter("ping");
    said.extend(talk.until("pong after").await);
    assert_eq!(told(&said, "meanwhile"), 2, "{said:#?}");
    assert_eq!(talk.end().await, (Some(0), String::new()));
}

#[tokio::test]
async fn an_old_token_is_replaced_by_a_fresh_one() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let road = Road::to(&app).await;
    let mut talk = follower(&road, &pair).await;
    road.cut();
    talk.until("trying again in").await;
    let writer = app.sign_in(&pair.contractor.email, crate::support::app::PASSWORD).await;
    let pair = Pair { contractor: writer, ..pair };
    pair.write(&app, "meanwhile").await;
    app.clock.advance(LATER_MS);
    road.lead_to(&app);
    let said = talk.until("connected again").await;
    assert!(said.iter().any(|line| line.contains("4403")), "the old one is refused first: {said:#?}");
    talk.enter("expect content=meanwhile");
    talk.enter("whoami");
    talk.until(&pair.customer.email).await;
    assert_eq!(talk.end().await, (Some(0), String::new()));
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_is_told() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let road = Road::to(&app).await;
    let mut talk = follower(&road, &pair).await;
    end_sessions(&app, &pair.customer).await;
    talk.until("signed out: the session has ended").await;
    talk.until("eventAppended has ended: UNAUTHENTICATED").await;
    talk.enter("whoami");
    talk.until("nobody is signed in").await;
    let (status, complaint) = talk.end().await;
    assert_eq!(status, Some(1), "bad news that nobody expected: {complaint}");
    assert!(complaint.contains("the session has ended"), "{complaint}");
}

async fn end_sessions(app: &TestApp, who: &TestUser) {
    let text = "mutation { sessionSignOut(input: { all: true }) { endedCount } }";
    let answer = app.gql(who, text, json!({})).await;
    assert!(answer["data"]["sessionSignOut"]["endedCount"].as_i64().unwrap() >= 2, "{answer}");
}
