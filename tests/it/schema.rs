//! The rules of the schema, read from `schema.graphql` itself, so that no other linter is needed.
//!
//! To add one: a function from a schema to what is wrong with it in `words.rs`, `shapes.rs` or `values.rs`, a line in a
//! test there, and a made-up schema that it refuses.

mod core;
mod file;
mod shapes;
mod values;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, DirectiveDefinition, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// The three types that operations start from.
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// A parsed schema.
pub struct Sdl {
    types: BTreeMap<String, TypeDefinition>,
    directives: Vec<DirectiveDefinition>,
}

/// The text of `schema.graphql`.
pub fn text() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql")).unwrap()
}

impl Sdl {
    /// The schema of the API.
    pub fn api() -> Self {
        Sdl::of(&text())
    }

    /// Any schema.
    pub fn of(text: &str) -> Self {
        let mut sdl = Sdl { types: BTreeMap::new(), directives: Vec::new() };
        for definition in parse_schema(text).unwrap().definitions {
            match definition {
                TypeSystemDefinition::Type(ty) => {
                    sdl.types.insert(ty.node.name.node.to_string(), ty.node);
                }
                TypeSystemDefinition::Directive(directive) => sdl.directives.push(directive.node),
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        sdl
    }

    /// All fields of objects and interfaces, each with the name of its type.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldDefinition)> {
        self.types.iter().flat_map(|(name, ty)| fields_of(ty).map(move |field| (name.as_str(), field)))
    }

    /// The fields of one type.
    pub fn fields_of(&self, ty: &str) -> impl Iterator<Item = &FieldDefinition> {
        self.types.get(ty).into_iter().flat_map(fields_of)
    }

    /// One field.
    pub fn field(&self, ty: &str, name: &str) -> Option<&FieldDefinition> {
        self.fields_of(ty).find(|field| field.name.node == name)
    }

    /// Everything that takes a value from a client, as (place, argument or input field).
    pub fn inputs(&self) -> Vec<(String, &InputValueDefinition)> {
        let mut inputs = Vec::new();
        for (ty, field) in self.fields() {
            let place = |argument: &str| format!("{ty}.{}({argument}:)", field.name);
            inputs.extend(field.arguments.iter().map(|it| (place(&it.node.name.node), &it.node)));
        }
        for (name, ty) in &self.types {
            if let TypeKind::InputObject(input) = &ty.kind {
                inputs.extend(input.fields.iter().map(|it| (format!("{name}.{}", it.node.name), &it.node)));
            }
        }
        for directive in &self.directives {
            let place = |argument: &str| format!("@{}({argument}:)", directive.name);
            inputs.extend(directive.arguments.iter().map(|it| (place(&it.node.name.node), &it.node)));
        }
        inputs
    }

    /// The fields of one input.
    pub fn inputs_of(&self, ty: &str) -> Vec<&InputValueDefinition> {
        match self.types.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::InputObject(input)) => input.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// All values of enums, as (enum, value, description).
    pub fn values(&self) -> Vec<(&str, &str, Option<&str>)> {
        let mut values = Vec::new();
        for (name, ty) in &self.types {
            if let TypeKind::Enum(all) = &ty.kind {
                let each = all.values.iter().map(|it| &it.node);
                values.extend(each.map(|it| (name.as_str(), it.value.node.as_str(), said(&it.description))));
            }
        }
        values
    }

    /// The names of all types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// Whether a type implements an interface.
    pub fn implements(&self, ty: &str, interface: &str) -> bool {
        self.types.get(ty).is_some_and(|ty| interfaces_of(ty).any(|name| name == interface))
    }

    /// Whether this is the name of a type of this kind.
    pub fn is(&self, name: &str, kind: impl Fn(&TypeKind) -> bool) -> bool {
        self.types.get(name).is_some_and(|ty| kind(&ty.kind))
    }

    fn is_enum(&self, name: &str) -> bool {
        self.is(name, |kind| matches!(kind, TypeKind::Enum(_)))
    }
}

fn fields_of(ty: &TypeDefinition) -> impl Iterator<Item = &FieldDefinition> {
    let fields = match &ty.kind {
        TypeKind::Object(object) => &object.fields[..],
        TypeKind::Interface(interface) => &interface.fields[..],
        _ => &[],
    };
    fields.iter().map(|field| &field.node)
}

/// The interfaces that a type says it implements.
pub fn interfaces_of(ty: &TypeDefinition) -> impl Iterator<Item = &str> {
    let names = match &ty.kind {
        TypeKind::Object(object) => &object.implements[..],
        TypeKind::Interface(interface) => &interface.implements[..],
        _ => &[],
    };
    names.iter().map(|name| name.node.as_str())
}

/// A description, unless it is empty.
fn said(description: &Option<Positioned<String>>) -> Option<&str> {
    description.as_ref().map(|text| text.node.trim()).filter(|text| !text.is_empty())
}

/// The name inside lists and `!`.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// Whether a type is a list.
pub fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}

/// A rule: what is wrong with a schema.
pub type Rule = fn(&Sdl) -> Vec<String>;

/// Holds the API to a rule.
#[track_caller]
fn keeps(rule: Rule) {
    let wrong = rule(&Sdl::api());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A rule lets one schema pass, and finds these places in another.
#[track_caller]
fn tells(rule: Rule, good: &str, bad: &str, places: &[&str]) {
    assert_eq!(rule(&Sdl::of(good)), Vec::<String>::new());
    let wrong = rule(&Sdl::of(bad));
    let found: Vec<_> = wrong.iter().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(found, places, "{wrong:#?}");
}
