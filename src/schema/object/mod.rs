//! How an object answers what is selected from it.
//!
//! The engine puts each field of each object into a box and a task of its own, and into the answer when it is done. Nearly
//! all fields are values at hand, and GraphQL wants them in the order of the document. So objects and interfaces are
//! derived against this module, which is the engine with another way through the fields: each is asked in turn, in one room
//! that the fields of an object share, and only one that has to wait keeps the room and lets the others have a new one.
//!
//! To use it: `crate = "crate::schema::object"` in the `graphql` attribute of what is derived.

mod conditions;
mod fields;
#[cfg(test)]
mod tests;
mod waiting;

use std::future::poll_fn;
use std::task::{Context as Task, Poll};

pub use async_graphql::*;

pub use self::conditions::{fill_in_defaults, is_left_out};
pub use self::fields::Fields;

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

/// What came of a field.
type Answer = ServerResult<Option<Value>>;

/// The answer of an object or interface to what is selected from it.
pub async fn resolve_container<'a, T>(ctx: &ContextSelectionSet<'a>, root: &'a T) -> ServerResult<Value>
where
    T: ContainerType + ?Sized,
{
    let waker = poll_fn(|task| Poll::Ready(task.waker().clone())).await;
    let mut fields = Fields::new(ctx, waker);
    root.collect_all_fields(ctx, &mut fields)?;
    if fields.must_wait() {
        // They were asked in this very turn, and wake whoever has it.
        let mut is_asked = true;
        let wait = |task: &mut Task<'_>| {
            if std::mem::take(&mut is_asked) { Poll::Pending } else { fields.poll_waiting(task) }
        };
        poll_fn(wait).await;
    }
    Ok(fields.into_value())
}
