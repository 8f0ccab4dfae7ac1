//! Whether variables fit the types that an operation declares for them.
//!
//! The engine looks at a variable only where it is used, and at some mistakes only while it executes: by then a mutation
//! may have begun. Here they are refused before anything runs, with the place in the variables.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use async_graphql::parser::types::{
    BaseType, InputValueDefinition, OperationDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Value, Variables};

use super::{Refusal, RefusalCode};

/// The enums and input objects of a schema.
#[derive(Debug)]
pub struct InputIndex(HashMap<String, Shape>);

#[derive(Debug)]
enum Shape {
    Enum(Vec<String>),
    Object { fields: Vec<InputField>, is_one_of: bool },
}

#[derive(Debug)]
struct InputField {
    name: String,
    ty: Type,
    has_default: bool,
}

/// Why a value does not fit, and where, from the innermost step outwards.
struct Misfit {
    why: String,
    path: Vec<String>,
}

impl Misfit {
    fn new(why: impl Into<String>) -> Self {
        Misfit { why: why.into(), path: Vec::new() }
    }

    fn inside(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }
}

impl InputIndex {
    /// Of a schema.
    pub fn of(document: &ServiceDocument) -> Self {
        let mut shapes = HashMap::new();
        for definition in &document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let shape = match &ty.node.kind {
                TypeKind::Enum(values) => {
                    Shape::Enum(values.values.iter().map(|value| value.node.value.to_string()).collect())
                }
                TypeKind::InputObject(input) => Shape::Object {
                    fields: input.fields.iter().map(|field| input_field(&field.node)).collect(),
                    is_one_of: ty.node.directives.iter().any(|directive| directive.node.name.node == "oneOf"),
                },
                _ => continue,
            };
            shapes.insert(ty.node.name.node.to_string(), shape);
        }
        InputIndex(shapes)
    }

    /// Refuses variables that are missing or do not fit. Scalars of the API's own are left to validation, which knows
    /// their forms.
    pub fn check(&self, operation: &OperationDefinition, variables: &Variables) -> Result<(), Refusal> {
        for definition in &operation.variable_definitions {
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
            let outcome = match variables.get(name) {
                Some(value) => self.fits(value, ty),
                None if ty.nullable || definition.node.default_value.is_some() => Ok(()),
                None => Err(Misfit::new(format!("a value of the type `{ty}` is required"))),
            };
            if let Err(misfit) = outcome {
                let mut place = format!("${name}");
                for step in misfit.path.iter().rev() {
                    let _ = write!(place, ".{step}");
                }
                let message = format!("The variable `{place}` does not fit: {}.", misfit.why);
                return Err(Refusal::new(RefusalCode::Input, message).at(definition.pos));
            }
        }
        Ok(())
    }

    /// Whether [`InputIndex::check`] says all that there is to say about values of a type: no scalar of the API's own is
    /// in it.
    pub fn is_plain(&self, ty: &Type) -> bool {
        self.is_plain_inside(ty, &mut HashSet::new())
    }

    fn is_plain_inside<'a>(&'a self, ty: &'a Type, seen: &mut HashSet<&'a str>) -> bool {
        let name = match &ty.base {
            BaseType::List(inner) => return self.is_plain_inside(inner, seen),
            BaseType::Named(name) => name.as_str(),
        };
        match self.0.get(name) {
            Some(Shape::Enum(_)) => true,
            Some(Shape::Object { .. }) if !seen.insert(name) => true,
            Some(Shape::Object { fields, .. }) => fields.iter().all(|field| self.is_plain_inside(&field.ty, seen)),
            None => matches!(name, "ID" | "String" | "Int" | "Float" | "Boolean"),
        }
    }

    fn fits(&self, value: &Value, ty: &Type) -> Result<(), Misfit> {
        if matches!(value, Value::Null) {
            return if ty.nullable { Ok(()) } else { Err(Misfit::new(format!("null is not allowed for `{ty}`"))) };
        }
        match (&ty.base, value) {
            (BaseType::List(inner), Value::List(items)) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(n, item)| self.fits(item, inner).map_err(|misfit| misfit.inside(n.to_string())))
            }
            // One value stands for a list of one.
            (BaseType::List(inner), single) => self.fits(single, inner),
            (BaseType::Named(name), value) => self.fits_named(value, name),
        }
    }

    fn fits_named(&self, value: &Value, name: &str) -> Result<(), Misfit> {
        let wanted = || Misfit::new(format!("a value of the type `{name}` is wanted"));
        match self.0.get(name) {
            Some(Shape::Enum(values)) => {
                let is_one = matches!(value, Value::String(text) if values.contains(text));
                is_one.then_some(()).ok_or_else(|| Misfit::new(format!("one of {} is wanted", values.join(", "))))
            }
            Some(Shape::Object { fields, is_one_of }) => match value {
                Value::Object(_) => self.fits_object(value, name, fields, *is_one_of),
                _ => Err(wanted()),
            },
            None => fits_scalar(value, name).then_some(()).ok_or_else(wanted),
        }
    }

    fn fits_object(&self, value: &Value, name: &str, fields: &[InputField], one_of: bool) -> Result<(), Misfit> {
        let Value::Object(given) = value else { return Ok(()) };
        if given.keys().any(|key| fields.iter().all(|field| field.name != **key)) {
            return Err(Misfit::new(format!("`{name}` has no field of one of these names")));
        }
        if one_of && (given.len() != 1 || given.values().any(|value| matches!(value, Value::Null))) {
            return Err(Misfit::new(format!("exactly one field of `{name}` is wanted")));
        }
        for field in fields {
            let outcome = match given.get(field.name.as_str()) {
                Some(value) => self.fits(value, &field.ty),
                None if field.ty.nullable || field.has_default => Ok(()),
                None => Err(Misfit::new(format!("a value of the type `{}` is required", field.ty))),
            };
            outcome.map_err(|misfit| misfit.inside(field.name.as_str()))?;
        }
        Ok(())
    }
}

fn input_field(field: &InputValueDefinition) -> InputField {
    let (name, ty) = (field.name.node.to_string(), field.ty.node.clone());
    InputField { name, ty, has_default: field.default_value.is_some() }
}

fn fits_scalar(value: &Value, name: &str) -> bool {
    match (name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::documents::{Limits, check, hoist::choose, read_schema};

    const SDL: &str = "
        enum Role { A B }
        input Deep { list: [Deep!] role: Role n: Int! = 3 }
        input One @oneOf { a: Int b: Int }
        scalar Date
        type Query { a: Int }
    ";

    fn checked(declared: &str, variables: serde_json::Value) -> Result<(), String> {
        let document = check(&format!("query({declared}) {{ a }}"), &Limits::default()).unwrap();
        let operation = &choose(&document, None).unwrap().operation.node;
        let index = InputIndex::of(&read_schema(SDL).unwrap());
        index.check(operation, &Variables::from_json(variables)).map_err(|refusal| refusal.message)
    }

    #[test]
    fn what_fits_passes() {
        for (declared, variables) in [
            ("$a: Int!, $b: Int = 1, $c: Int", json!({ "a": 1 })),
            ("$a: [Int!]!", json!({ "a": 1 })),
            ("$a: [[Int]]", json!({ "a": [[1, null], null] })),
            ("$a: ID!, $b: ID!, $c: Float!, $d: Date", json!({ "a": 1, "b": "x", "c": 1, "d": { "any": 1 } })),
            ("$a: Deep!", json!({ "a": { "role": "A", "list": [{ "role": null }, { "n": 5 }] } })),
            ("$a: One", json!({ "a": { "a": 1 }, "more": 1 })),
        ] {
            assert_eq!(checked(declared, variables), Ok(()), "{declared}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        for (declared, variables, place) in [
            ("$a: Int!", json!({}), "$a"),
            ("$a: Int!", json!({ "a": null }), "$a"),
            ("$a: Int", json!({ "a": "1" }), "$a"),
            ("$a: Int", json!({ "a": 3_000_000_000_u64 }), "$a"),
            ("$a: Int", json!({ "a": 1.5 }), "$a"),
            ("$a: String, $b: Boolean", json!({ "a": "", "b": 1 }), "$b"),
            ("$a: [Int!]", json!({ "a": [1, null] }), "$a.1"),
            ("$a: Role", json!({ "a": "C" }), "$a"),
            ("$a: Deep", json!({ "a": 1 }), "$a"),
            ("$a: Deep", json!({ "a": { "list": [{ "role": "A" }, { "n": null }] } }), "$a.list.1.n"),
            ("$a: Deep", json!({ "a": { "list": { "x": 1 } } }), "$a.list"),
            ("$a: One", json!({ "a": {} }), "$a"),
            ("$a: One", json!({ "a": { "a": 1, "b": 1 } }), "$a"),
            ("$a: One", json!({ "a": { "a": null } }), "$a"),
        ] {
            let message = checked(declared, variables).unwrap_err();
            assert!(message.starts_with(&format!("The variable `{place}` does not fit")), "{declared}: {message}");
        }
    }
}
