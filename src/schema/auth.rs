//! `@auth`: who may read a field, in the schema itself.
//!
//! A type names a default for its fields, a field may name its own; `gigwire schema` prints the rule on every field. What
//! depends on the viewer alone is checked before execution (`server/documents/access.rs`), what depends on the row
//! ([`Access::Party`], [`Access::SelfOnly`]) where the row is loaded.

#![expect(missing_docs, reason = "the directive's macro makes items of its own")]

use async_graphql::{Enum, TypeDirective};

/// Who may read a field or run an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enum)]
pub enum Access {
    /// Everyone, signed in or not.
    Public,
    /// Any signed-in user.
    SignedIn,
    /// The user that the object is about, and staff.
    #[graphql(name = "SELF")]
    SelfOnly,
    /// The people that the object belongs to, and staff; what two people say to each other is for them alone.
    Party,
    /// Users with the role CUSTOMER.
    Customer,
    /// Users with the role CONTRACTOR.
    Contractor,
    /// Staff: MODERATOR or ADMIN.
    Moderator,
    /// Users with the role ADMIN.
    Admin,
}

impl Access {
    /// The name in the schema.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Public => "PUBLIC",
            Access::SignedIn => "SIGNED_IN",
            Access::SelfOnly => "SELF",
            Access::Party => "PARTY",
            Access::Customer => "CUSTOMER",
            Access::Contractor => "CONTRACTOR",
            Access::Moderator => "MODERATOR",
            Access::Admin => "ADMIN",
        }
    }
}

/// Says who may read a field.
#[TypeDirective(location = "FieldDefinition", location = "Object", location = "Interface")]
pub fn auth(#[graphql(desc = "What it needs.")] requires: Access) {}
