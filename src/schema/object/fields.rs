//! The fields that are selected from one object, asked and put together.

use std::pin::Pin;
use std::task::{Context as Task, Poll, Waker};

use async_graphql::indexmap::{IndexMap, map::Entry};
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{ContextSelectionSet, Name, Positioned, ServerError, ServerResult, Value};

use super::conditions::is_left_out;
use super::waiting::Waiting;
use super::{Answer, ContainerType};

/// The fields of one object, in the order of the document.
pub struct Fields<'a> {
    ctx: ContextSelectionSet<'a>,
    waker: Waker,
    object: IndexMap<Name, Value>,
    /// What was selected once more, and which place of the object that adds to.
    again: Vec<(usize, Value)>,
    waiting: Vec<Waiting<'a>>,
}

/// Keys of an object for which there is room before any is there. A document may say the same one a thousand times.
const KEYS: usize = 16;

/// Where an answer goes.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Into the object.
    Object(usize),
    /// To what was selected once more.
    Again(usize),
}

impl<'a> Fields<'a> {
    pub(super) fn new(ctx: &ContextSelectionSet<'a>, waker: Waker) -> Self {
        let object = IndexMap::with_capacity(ctx.item.node.items.len().min(KEYS));
        Fields { ctx: ctx.clone(), waker, object, again: Vec::new(), waiting: Vec::new() }
    }

    /// Asks for the fields of `root` that are selected.
    pub fn add_set<T>(&mut self, ctx: &ContextSelectionSet<'a>, root: &'a T) -> ServerResult<()>
    where
        T: ContainerType + ?Sized,
    {
        let mut room = None;
        for selection in &ctx.item.node.items {
            match &selection.node {
                it if is_left_out(it, &ctx.query_env.variables) => {}
                Selection::Field(field) if field.node.name.node == "__typename" => {
                    let name = root.introspection_type_name().into_owned();
                    self.put(&field.node.response_key().node, Value::String(name));
                }
                Selection::Field(field) => {
                    self.ask(&field.node.response_key().node, &mut room, field_of(ctx.clone(), field, root));
                }
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
    fn ask<F>(&mut self, key: &Name, room: &mut Option<Pin<Box<F>>>, field: F)
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        let mut asked = match room.take() {
            Some(mut asked) => {
                asked.set(field);
                asked
            }
            None => Box::pin(field),
        };
        match asked.as_mut().poll(&mut Task::from_waker(&self.waker)) {
            Poll::Ready(answer) => {
                let value = self.value(answer);
                self.put(key, value);
                *room = Some(asked);
            }
            Poll::Pending => {
                let place = self.put(key, Value::Null);
                self.waiting.push(Waiting::new(place, asked));
            }
        }
    }

    /// What stands in the answer. A failed field is null, and whoever reads the errors nulls more where the schema wants it.
    fn value(&self, answer: Answer) -> Value {
        answer
            .unwrap_or_else(|error| {
                self.ctx.add_error(error);
                None
            })
            .unwrap_or_default()
    }

    /// Puts an answer where its field belongs, and tells where that is.
    fn put(&mut self, key: &Name, value: Value) -> Place {
        match self.object.entry(key.clone()) {
            Entry::Vacant(place) => {
                let at = place.index();
                place.insert(value);
                Place::Object(at)
            }
            Entry::Occupied(known) => {
                self.again.push((known.index(), value));
                Place::Again(self.again.len() - 1)
            }
        }
    }

    /// Whether there is something to wait for.
    pub(super) fn must_wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Asks those again that were woken.
    pub(super) fn poll_waiting(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let mut at = 0;
        while let Some(field) = self.waiting.get_mut(at) {
            let Poll::Ready(answer) = field.poll(task) else {
                at += 1;
                continue;
            };
            let place = self.waiting.remove(at).place;
            let value = self.value(answer);
            let known = match place {
                Place::Object(at) => self.object.get_index_mut(at).map(|(_, known)| known),
                Place::Again(at) => self.again.get_mut(at).map(|(_, known)| known),
            };
            if let Some(known) = known {
                *known = value;
            }
        }
        if self.waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The object that they are.
    pub(super) fn into_value(mut self) -> Value {
        for (at, value) in self.again {
            merge(&mut self.object[at], value);
        }
        Value::Object(self.object)
    }
}

async fn field_of<'a, T>(ctx: ContextSelectionSet<'a>, field: &'a Positioned<Field>, root: &'a T) -> Answer
where
    T: ContainerType + ?Sized,
{
    root.resolve_field(&ctx.with_field(field)).await
}

/// Puts together what was answered to two selections of one field.
fn merge(known: &mut Value, value: Value) {
    match (known, value) {
        (known @ Value::Null, value) => *known = value,
        (Value::Object(known), Value::Object(value)) => {
            value.into_iter().for_each(|(key, value)| merge(known.entry(key).or_default(), value));
        }
        (Value::List(known), Value::List(values)) => {
            known.iter_mut().zip(values).for_each(|(known, value)| merge(known, value));
        }
        _ => {}
    }
}
