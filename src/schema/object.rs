//! How an object answers what is selected from it.
//!
//! The engine puts each field of each object into a box and a task of its own, and into the answer when it is done. Nearly
//! all fields are values at hand, and GraphQL wants them in the order of the document. So objects and interfaces are
//! derived against this module, which is the engine with another way through the fields: each is asked in turn, in one room
//! that the fields of an object share, and only one that has to wait keeps the room and lets the others have a new one.
//!
//! To use it: `crate = "crate::schema::object"` in the `graphql` attribute of what is derived.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{self, Poll, Waker};

pub use async_graphql::*;
use futures_util::stream::{FuturesUnordered, StreamExt};
use indexmap::IndexMap;
use parser::types::{Field, Selection, SelectionSet};

/// What derived code looks for under this name.
pub mod resolver_utils {
    pub use super::{ContainerType, Fields, resolve_container};
}

/// Something with fields: an object or an interface.
pub trait ContainerType: OutputType {
    /// The value of one field; nothing if there is no such field.
    fn resolve_field(&self, ctx: &Context<'_>) -> impl Future<Output = ServerResult<Option<Value>>> + Send;

    /// Asks for all fields that are selected; interfaces let the object inside do it.
    fn collect_all_fields<'a>(&'a self, ctx: &ContextSelectionSet<'a>, fields: &mut Fields<'a>) -> ServerResult<()> {
        fields.add_set(ctx, self)
    }
}

/// An object.
pub trait ObjectType: ContainerType {}

/// An interface.
pub trait InterfaceType: ContainerType {}

type Named = ServerResult<(Name, Value)>;
type Waiting<'a> = Pin<Box<dyn Future<Output = Named> + Send + 'a>>;

/// The fields of one object, in the order of the document.
pub struct Fields<'a> {
    waker: Waker,
    list: Vec<Asked<'a>>,
}

enum Asked<'a> {
    Done(Named),
    Waits(Waiting<'a>),
}

impl Asked<'_> {
    async fn wait(&mut self) {
        if let Asked::Waits(field) = self {
            *self = Asked::Done(field.await);
        }
    }
}

/// The answer of an object or interface to what is selected from it.
pub async fn resolve_container<'a, T>(ctx: &ContextSelectionSet<'a>, root: &'a T) -> ServerResult<Value>
where
    T: ContainerType + ?Sized,
{
    let waker = poll_fn(|task| Poll::Ready(task.waker().clone())).await;
    let mut fields = Fields { waker, list: Vec::with_capacity(ctx.item.node.items.len()) };
    root.collect_all_fields(ctx, &mut fields)?;
    fields.wait().await;
    Ok(fields.object(ctx))
}

async fn field_of<'a, T>(ctx: ContextSelectionSet<'a>, field: &'a Positioned<Field>, root: &'a T) -> Named
where
    T: ContainerType + ?Sized,
{
    let ctx = ctx.with_field(field);
    let value = root.resolve_field(&ctx).await?;
    Ok((field.node.response_key().node.clone(), value.unwrap_or_default()))
}

impl<'a> Fields<'a> {
    /// Asks for the fields of `root` that are selected.
    pub fn add_set<T>(&mut self, ctx: &ContextSelectionSet<'a>, root: &'a T) -> ServerResult<()>
    where
        T: ContainerType + ?Sized,
    {
        let mut room = None;
        for selection in &ctx.item.node.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {
                    let name = root.introspection_type_name().into_owned();
                    self.list.push(Asked::Done(Ok((field.node.response_key().node.clone(), Value::String(name)))));
                }
                Selection::Field(field) => self.ask(&mut room, field_of(ctx.clone(), field, root)),
                Selection::InlineFragment(inline) => {
                    let ty = inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    self.add_fragment(ctx, root, ty, &inline.node.selection_set)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = ctx.query_env.fragments.get(name);
                    let unknown = || ServerError::new(format!("Unknown fragment \"{name}\"."), Some(spread.pos));
                    let fragment = &fragment.ok_or_else(unknown)?.node;
                    self.add_fragment(ctx, root, Some(&fragment.type_condition.node.on.node), &fragment.selection_set)?;
                }
            }
        }
        Ok(())
    }

    /// Asks for the fields of a fragment, if `root` is of its type.
    fn add_fragment<T>(
        &mut self,
        ctx: &ContextSelectionSet<'a>,
        root: &'a T,
        ty: Option<&Name>,
        set: &'a Positioned<SelectionSet>,
    ) -> ServerResult<()>
    where
        T: ContainerType + ?Sized,
    {
        let own = root.introspection_type_name();
        let is_of = |ty: &Name| {
            let implements = &ctx.schema_env.registry.implements;
            own == ty.as_str() || implements.get(&*own).is_some_and(|interfaces| interfaces.contains(ty.as_str()))
        };
        if ty.is_none_or(is_of) { root.collect_all_fields(&ctx.with_selection_set(set), self) } else { Ok(()) }
    }

    /// Asks one field. A field that waits keeps the room.
    fn ask<F>(&mut self, room: &mut Option<Pin<Box<F>>>, field: F)
    where
        F: Future<Output = Named> + Send + 'a,
    {
        let mut asked = match room.take() {
            Some(mut asked) => {
                asked.set(field);
                asked
            }
            None => Box::pin(field),
        };
        match asked.as_mut().poll(&mut task::Context::from_waker(&self.waker)) {
            Poll::Ready(done) => {
                self.list.push(Asked::Done(done));
                *room = Some(asked);
            }
            Poll::Pending => self.list.push(Asked::Waits(asked)),
        }
    }

    /// Waits for all that have to. Each has a waker of its own, so that an answer wakes one field, not all around it.
    async fn wait(&mut self) {
        let waiting = self.list.iter_mut().filter(|asked| matches!(asked, Asked::Waits(_)));
        let mut open: FuturesUnordered<_> = waiting.map(Asked::wait).collect();
        while open.next().await.is_some() {}
    }

    /// The object of all that was answered. A failed field is left out, to be nulled where the schema allows it.
    fn object(self, ctx: &ContextSelectionSet<'a>) -> Value {
        let mut object = IndexMap::with_capacity(self.list.len());
        for asked in self.list {
            match asked {
                Asked::Done(Ok((name, value))) => insert(&mut object, name, value),
                Asked::Done(Err(error)) => ctx.add_error(error),
                Asked::Waits(_) => {}
            }
        }
        if object.is_empty() { Value::Null } else { Value::Object(object) }
    }
}

/// Puts a value in. What was selected twice is answered twice, and merged.
fn insert(object: &mut IndexMap<Name, Value>, name: Name, value: Value) {
    match object.entry(name) {
        indexmap::map::Entry::Vacant(place) => {
            place.insert(value);
        }
        indexmap::map::Entry::Occupied(mut known) => merge(known.get_mut(), value),
    }
}

fn merge(known: &mut Value, value: Value) {
    match (known, value) {
        (Value::Object(known), Value::Object(value)) => {
            value.into_iter().for_each(|(name, value)| insert(known, name, value));
        }
        (Value::List(known), Value::List(values)) => {
            known.iter_mut().zip(values).for_each(|(known, value)| merge(known, value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
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
        let query = "{ card { all { id } next { id } id next { name id } all { slow } } }";
        let seen = r#"{"card":{"all":[{"id":1,"slow":1},{"id":0,"slow":1}],"next":{"id":2,"name":"next"},"id":1}}"#;
        assert_eq!(ask(query).await, seen);
    }

    #[tokio::test]
    async fn a_field_that_fails_is_told_with_its_path_and_the_others_stay() {
        let answer = schema(&Arc::default()).execute("{ card { id all { broken name } } }").await;
        let told = serde_json::to_value(&answer.errors).unwrap();
        let paths: Vec<_> = (0..2).map(|at| told[at]["path"].to_string()).collect();
        assert_eq!(paths, [r#"["card","all",0,"broken"]"#, r#"["card","all",1,"broken"]"#]);
        let data = serde_json::to_string(&answer.data).unwrap();
        assert_eq!(data, r#"{"card":{"id":1,"all":[{"name":"card"},{"name":""}]}}"#);
    }

    #[tokio::test]
    async fn an_answer_wakes_the_field_that_waits_for_it_alone() {
        let desk = Arc::<Desk>::default();
        let polls = || desk.polls.each_ref().map(|polls| polls.load(Ordering::SeqCst));
        let (schema, ringer) = (schema(&desk), desk.clone());
        let asked = tokio::spawn(async move { schema.execute("{ card { first second id } }").await });
        while polls()[1] == 0 {
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
        assert_eq!(seen, r#"{"card":{"first":7,"second":7,"id":1}}"#);
    }
}
