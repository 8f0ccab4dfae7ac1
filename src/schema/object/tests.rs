//! Objects as a schema of their own answers for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, Interface, Object, Schema, SimpleObject,
};
use tokio::sync::Notify;

#[derive(Clone, Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex)]
struct Card {
    id: i32,
    name: String,
}

/// What a card with fields that wait was asked, and what lets them go on.
#[derive(Default)]
struct Desk {
    polls: [AtomicUsize; 2],
    bells: [Notify; 2],
}

impl Desk {
    async fn wait(&self, at: usize) -> i32 {
        let mut bell = std::pin::pin!(self.bells[at].notified());
        std::future::poll_fn(|task| {
            self.polls[at].fetch_add(1, Ordering::SeqCst);
            bell.as_mut().poll(task)
        })
        .await;
        7
    }
}

#[ComplexObject]
impl Card {
    async fn first(&self, ctx: &Context<'_>) -> i32 {
        ctx.data_unchecked::<Arc<Desk>>().wait(0).await
    }
    async fn second(&self, ctx: &Context<'_>) -> i32 {
        ctx.data_unchecked::<Arc<Desk>>().wait(1).await
    }
    async fn slow(&self) -> i32 {
        tokio::task::yield_now().await;
        1
    }
    async fn broken(&self) -> async_graphql::Result<i32> {
        tokio::task::yield_now().await;
        Err("broken".into())
    }
    async fn next(&self) -> Card {
        Card { id: self.id + 1, name: "next".into() }
    }
    async fn all(&self) -> Vec<Card> {
        vec![self.clone(), Card::default()]
    }
}

#[derive(Interface)]
#[graphql(crate = "crate::schema::object", field(name = "id", ty = "&i32"))]
enum Thing {
    Card(Card),
}

struct Query;

#[Object]
impl Query {
    async fn card(&self) -> Card {
        Card { id: 1, name: "card".into() }
    }
    async fn thing(&self) -> Thing {
        Thing::Card(Card { id: 1, name: "card".into() })
    }
}

fn schema(desk: &Arc<Desk>) -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription).data(desk.clone()).finish()
}

async fn ask(query: &str) -> String {
    let answer = schema(&Arc::default()).execute(query).await;
    assert_eq!(answer.errors, [], "{query}");
    serde_json::to_string(&answer.data).unwrap()
}

#[tokio::test]
async fn fields_come_in_the_order_of_the_document() {
    let seen = ask("{ card { slow name next { slow id } id kind: __typename } }").await;
    assert_eq!(seen, r#"{"card":{"slow":1,"name":"card","next":{"slow":1,"id":2},"id":1,"kind":"Card"}}"#);
}

#[tokio::test]
async fn fragments_apply_by_type_and_interface() {
    let query = "{ thing { __typename ...T ... on Card { name slow } ... { id } } } fragment T on Thing { id }";
    assert_eq!(ask(query).await, r#"{"thing":{"__typename":"Card","id":1,"name":"card","slow":1}}"#);
}

#[tokio::test]
async fn what_is_selected_twice_is_merged() {
    let query = "{ card { all { id } next { slow } id next { name slow id } all { slow } next { name } } }";
    let next = r#"{"slow":1,"name":"next","id":2}"#;
    let seen = format!(r#"{{"card":{{"all":[{{"id":1,"slow":1}},{{"id":0,"slow":1}}],"next":{next},"id":1}}}}"#);
    assert_eq!(ask(query).await, seen);
}

#[tokio::test]
async fn a_field_that_fails_is_told_with_its_path_and_the_others_stay() {
    let answer = schema(&Arc::default()).execute("{ card { id all { broken name } } }").await;
    let told = serde_json::to_value(&answer.errors).unwrap();
    let paths: Vec<_> = (0..2).map(|at| told[at]["path"].to_string()).collect();
    assert_eq!(paths, [r#"["card","all",0,"broken"]"#, r#"["card","all",1,"broken"]"#]);
    let data = serde_json::to_string(&answer.data).unwrap();
    let seen = r#"{"card":{"id":1,"all":[{"broken":null,"name":"card"},{"broken":null,"name":""}]}}"#;
    assert_eq!(data, seen);
}

#[tokio::test]
async fn an_answer_wakes_the_field_that_waits_for_it_alone() {
    let desk = Arc::<Desk>::default();
    let polls = || desk.polls.each_ref().map(|polls| polls.load(Ordering::SeqCst));
    let (schema, ringer) = (schema(&desk), desk.clone());
    let asked = tokio::spawn(async move { schema.execute("{ card { first second slow id } }").await });
    // Once they are asked, and once more with wakers of their own.
    while polls()[1] < 2 {
        tokio::task::yield_now().await;
    }
    let before = polls();
    ringer.bells[1].notify_one();
    while polls()[1] == before[1] {
        tokio::task::yield_now().await;
    }
    assert_eq!(polls()[0], before[0], "the other slept on");
    ringer.bells[0].notify_one();
    let seen = serde_json::to_string(&asked.await.unwrap().data).unwrap();
    assert_eq!(seen, r#"{"card":{"first":7,"second":7,"slow":1,"id":1}}"#);
}
