//! `@skip` and `@include`, and the variables that they ask.

use async_graphql::parser::types::{OperationDefinition, Selection};
use async_graphql::{Value, Variables};

/// Whether a selection is left out. What is no `true` is a `false`, as for the engine.
pub fn is_left_out(selection: &Selection, variables: &Variables) -> bool {
    selection.directives().iter().any(|directive| {
        let is_skip = match directive.node.name.node.as_str() {
            "skip" => true,
            "include" => false,
            _ => return false,
        };
        let Some(condition) = directive.node.get_argument("if") else { return false };
        let variable = |name| variables.get(&name).cloned().ok_or(());
        (condition.node.clone().into_const_with(variable) == Ok(Value::Boolean(true))) == is_skip
    })
}

/// Variables that were not sent have their defaults. The engine forgets that where it judges conditions.
pub fn fill_in_defaults(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        if let Some(default) = definition.default_value() {
            variables.entry(definition.name.node.clone()).or_insert_with(|| default.clone());
        }
    }
}
