//! What a live operation does not need any more once it is open: where to begin.
//!
//! The cursor that a client begins with is in the root's argument `after`, mostly as a variable. Without it the operations
//! of all clients are alike, so that they share a document and their answers.

use std::convert::Infallible;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

/// The argument that names a cursor.
const AFTER: &str = "after";

/// Takes the cursor out of a hoisted document. Gives the variable that held it, if nothing else uses it.
pub fn take_cursor(document: &mut ExecutableDocument) -> Option<Name> {
    let mut variable = None;
    for operation in operations(document) {
        for item in &mut operation.items {
            if let Selection::Field(field) = &mut item.node {
                let arguments = &mut field.node.arguments;
                let index = arguments.iter().position(|(name, _)| name.node == AFTER)?;
                let value = arguments.remove(index).1.node;
                let _: Result<_, Infallible> = value.into_const_with(|name| {
                    variable = Some(name);
                    Ok(Value::Null)
                });
            }
        }
    }
    let sets = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let is_used = |name: &Name| sets.chain(fragments).any(|set| uses(set, name));
    variable.filter(|name| !is_used(name))
}

fn operations(document: &mut ExecutableDocument) -> impl Iterator<Item = &mut SelectionSet> {
    let all: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    all.into_iter().map(|operation| &mut operation.node.selection_set.node)
}

/// Whether a selection uses a variable, in itself: fragments are looked at one by one.
fn uses(set: &SelectionSet, name: &Name) -> bool {
    let mut pending: Vec<&Positioned<Selection>> = set.items.iter().collect();
    while let Some(selection) = pending.pop() {
        let mut arguments: Vec<_> =
            selection.node.directives().iter().flat_map(|directive| &directive.node.arguments).collect();
        match &selection.node {
            Selection::Field(field) => {
                arguments.extend(&field.node.arguments);
                pending.extend(&field.node.selection_set.node.items);
            }
            Selection::InlineFragment(inline) => pending.extend(&inline.node.selection_set.node.items),
            Selection::FragmentSpread(_) => {}
        }
        // Making a value constant asks for each variable in it.
        let ask = |used| if used == *name { Err(()) } else { Ok(Value::Null) };
        if arguments.into_iter().any(|(_, value)| value.node.clone().into_const_with(ask).is_err()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn taken(text: &str) -> Option<String> {
        let mut document = parse_query(text).unwrap();
        let name = take_cursor(&mut document).map(|name| name.to_string());
        for root in operations(&mut document) {
            let Selection::Field(field) = &root.items[0].node else { panic!("{text}") };
            assert!(field.node.get_argument(AFTER).is_none(), "{text}");
        }
        name
    }

    #[test]
    fn the_variable_of_the_cursor_goes_unless_it_is_used_elsewhere() {
        assert_eq!(taken("subscription ($c: String) { a(after: $c, id: 1) { b } }").as_deref(), Some("c"));
        for text in [
            "subscription { a { b } }",
            "subscription { a(after: \"x\") { b } }",
            "subscription ($c: String) { a(after: $c) { b(first: { x: [$c] }) } }",
            "subscription ($c: String) { a(after: $c) { ...F } } fragment F on T { ... { b @skip(if: $c) } }",
            "subscription S($c: String) { a(id: $c, after: $c) { b } }",
        ] {
            assert_eq!(taken(text), None, "{text}");
        }
    }
}
