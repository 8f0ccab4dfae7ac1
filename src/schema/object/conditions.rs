//! `@skip` and `@include`.

use async_graphql::parser::types::Selection;
use async_graphql::{Name, Value};

/// Whether a selection is left out, given the values of variables. What is no `true` is a `false`, as for the engine.
pub fn is_left_out(selection: &Selection, variable: impl Fn(&Name) -> Option<Value>) -> bool {
    selection.directives().iter().any(|directive| {
        let is_skip = match directive.node.name.node.as_str() {
            "skip" => true,
            "include" => false,
            _ => return false,
        };
        let Some(condition) = directive.node.get_argument("if") else { return false };
        let condition = condition.node.clone().into_const_with(|name| variable(&name).ok_or(()));
        (condition == Ok(Value::Boolean(true))) == is_skip
    })
}
