//! Who sees what: every field of the schema, for everybody, on a market with a history.
//!
//! The documents and the expectations come from the schema and its `@auth`: a new type or field is tested as soon as it is
//! there. What remains by hand is the story (`support/story.rs`), which needs an object of each new kind.

mod doors;
mod errors;
mod logs;
mod objects;

use std::collections::BTreeSet;

use async_graphql::parser::types::{FieldDefinition, TypeKind};
use gigwire::schema::auth::Access;
use gigwire::server::documents::access::SchemaIndex;
use serde_json::Value;

use crate::schema::{self, Sdl, named};
use crate::support::story::{Object, Someone, Story};

/// What two people say to each other: staff are no party to it.
const PRIVATE: [&str; 2] = ["Conversation", "Message"];

/// What fields are asked with that need it.
const ARGUMENTS: [(&str, &str); 1] = [("Wallet.balanceAt", "(at: \"2026-01-01T00:00:00Z\")")];

/// The schema, twice: its shapes, and its rules.
struct Rules {
    sdl: Sdl,
    index: SchemaIndex,
}

impl Rules {
    fn new() -> Self {
        Rules { sdl: Sdl::api(), index: SchemaIndex::from_sdl(&schema::text()).unwrap() }
    }

    /// The rule of a field. One without a rule fails the test.
    fn of(&self, ty: &str, field: &str) -> Access {
        let rule = self.index.field(ty, field).unwrap_or_else(|| panic!("{ty}.{field} is no field"));
        rule.access.unwrap_or_else(|| panic!("{ty}.{field} has no rule"))
    }

    /// The rule of an object as a whole: that of a field which all of them have, beside the id.
    fn of_object(&self, ty: &str) -> Access {
        self.of(ty, "createdAt")
    }

    fn is_node(&self, ty: &str) -> bool {
        ty == "Node" || self.sdl.implements(ty, "Node")
    }

    /// The names of all types that have an id.
    fn nodes(&self) -> Vec<&str> {
        self.sdl.names().filter(|name| self.sdl.implements(name, "Node")).collect()
    }

    fn is_composite(&self, ty: &str) -> bool {
        self.sdl.is(ty, |kind| matches!(kind, TypeKind::Object(_) | TypeKind::Interface(_)))
    }

    /// A selection of everything that a type has, up to the next objects with ids: of those, which ones they are.
    fn select(&self, ty: &str, skip: &[&str]) -> String {
        let mut text = "{ __typename".to_owned();
        let needs_input = |field: &FieldDefinition| {
            field.arguments.iter().any(|it| !it.node.ty.node.nullable && it.node.default_value.is_none())
        };
        for field in self.sdl.fields_of(ty) {
            let (name, inner) = (&field.name.node, named(&field.ty.node));
            let place = format!("{ty}.{name}");
            let given = ARGUMENTS.iter().find(|(known, _)| *known == place).map(|(_, given)| *given);
            if needs_input(field) && given.is_none() {
                continue;
            }
            let given = given.unwrap_or_default();
            if skip.contains(&place.as_str()) {
                continue;
            }
            let selection = match inner {
                inner if self.is_node(inner) => " { __typename id }".to_owned(),
                inner if self.is_composite(inner) => format!(" {}", self.select(inner, skip)),
                _ => String::new(),
            };
            text += &format!(" {name}{given}{selection}");
        }
        text + " }"
    }
}

/// Whether a rule about rows lets somebody see an object.
fn meets(who: &Someone, object: &Object, rule: Access) -> bool {
    let is_concerned = object.concerned.contains(&who.name);
    match rule {
        Access::Public => !object.is_private || is_concerned || who.is_staff(),
        Access::SignedIn => who.is_signed_in() && (object.is_open || is_concerned || who.is_staff()),
        Access::Party => is_concerned || (who.is_staff() && !PRIVATE.contains(&object.ty)),
        Access::SelfOnly => object.owner == who.name || who.is_staff(),
        // Of alerts, those about money are not for all of them.
        Access::Moderator => who.is_staff() && (is_concerned || object.ty != "AdminAlert"),
        rule => panic!("{rule:?} is no rule about objects"),
    }
}

/// What somebody was shown.
#[derive(Default)]
struct Shown {
    /// The fields that had a value, as `Type.field`.
    fields: BTreeSet<String>,
    /// The objects with ids, as (type, id).
    objects: BTreeSet<(String, String)>,
    /// The cursors.
    cursors: BTreeSet<String>,
}

impl Shown {
    /// Looks through an answer whose objects all say their type.
    fn look(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Object(map) => {
                let Some(ty) = map.get("__typename").and_then(Value::as_str) else {
                    map.values().for_each(|inner| self.look(inner));
                    return;
                };
                if let Some(id) = map.get("id").and_then(Value::as_str) {
                    self.objects.insert((ty.to_owned(), id.to_owned()));
                }
                for (name, inner) in map.iter().filter(|(_, inner)| !inner.is_null()) {
                    self.fields.insert(format!("{ty}.{name}"));
                    if let ("cursor" | "endCursor", Some(cursor)) = (name.as_str(), inner.as_str()) {
                        self.cursors.insert(cursor.to_owned());
                    }
                    self.look(inner);
                }
            }
            _ => {}
        }
    }

    /// Everything with an id that somebody was shown is for this person.
    fn is_for(&self, who: &Someone, story: &Story, rules: &Rules, from: &str) {
        for (ty, id) in self.objects.iter().filter(|(ty, _)| rules.is_node(ty)) {
            let object = story.objects.iter().find(|object| object.id == *id);
            let object = object.unwrap_or_else(|| panic!("{ty} {id} is no part of the story"));
            assert!(meets(who, object, rules.of_object(ty)), "{}: {ty} {id} through {from}", who.name);
        }
    }
}

/// The codes of an answer's top-level errors.
fn codes(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none")).collect()
}
