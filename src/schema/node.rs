//! Every object that has an id of its own, behind one interface: caches refetch by it.
//!
//! To add one: a member here, and a line in `resolvers/node.rs`.

use async_graphql::{ID, Interface};

use super::accounts::User;
use super::auth::{Access, auth};
use super::chat::{Conversation, Message};

/// An object with an id that is unique over all kinds of objects.
#[derive(Interface)]
#[graphql(
    directive = auth::apply(Access::Public),
    field(name = "id", ty = "&ID", desc = "The id. It names its kind: `user_..`, `conversation_..`.")
)]
pub enum Node {
    /// A person.
    User(User),
    /// Two people talking.
    Conversation(Conversation),
    /// Something that one of them wrote.
    Message(Message),
}
