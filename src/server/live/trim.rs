//! What a live operation does not need any more once it is open: where to begin, and how often to bring news.
//!
//! Both are arguments of the root, mostly variables. Without them the operations of all clients are alike, so that they
//! share a document and their answers.

use std::convert::Infallible;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

/// The arguments that are read once.
const SETTINGS: [&str; 2] = ["after", "throttleMs"];

/// Takes the settings out of a hoisted document. Gives the variables that held them, as far as nothing else uses them.
pub fn take_settings(document: &mut ExecutableDocument) -> Vec<Name> {
    let mut variables = Vec::new();
    for operation in operations(document) {
        for item in &mut operation.items {
            let Selection::Field(field) = &mut item.node else { continue };
            field.node.arguments.retain(|(name, value)| {
                let is_setting = SETTINGS.contains(&name.node.as_str());
                if is_setting {
                    let _: Result<_, Infallible> = value.node.clone().into_const_with(|name| {
                        variables.push(name);
                        Ok(Value::Null)
                    });
                }
                !is_setting
            });
        }
    }
    let sets = || {
        let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        operations.chain(document.fragments.values().map(|fragment| &fragment.node.selection_set.node))
    };
    variables.retain(|name| !sets().any(|set| uses(set, name)));
    variables
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

    fn taken(text: &str) -> Vec<String> {
        let mut document = parse_query(text).unwrap();
        let names = take_settings(&mut document).into_iter().map(|name| name.to_string()).collect();
        for root in operations(&mut document) {
            let Selection::Field(field) = &root.items[0].node else { panic!("{text}") };
            assert!(SETTINGS.iter().all(|name| field.node.get_argument(name).is_none()), "{text}");
        }
        names
    }

    #[test]
    fn the_variables_of_settings_go_unless_they_are_used_elsewhere() {
        assert_eq!(taken("subscription ($c: String) { a(after: $c, id: 1) { b } }"), ["c"]);
        let both = "subscription ($c: String, $t: Int) { a(throttleMs: $t, id: 1, after: $c) { b } }";
        assert_eq!(taken(both), ["t", "c"]);
        assert_eq!(taken("subscription ($c: String, $t: Int) { a(throttleMs: $t, after: $c) { b(x: $t) } }"), ["c"]);
        for text in [
            "subscription { a { b } }",
            "subscription { a(after: \"x\", throttleMs: 100) { b } }",
            "subscription ($c: String) { a(after: $c) { b(first: { x: [$c] }) } }",
            "subscription ($c: String) { a(after: $c) { ...F } } fragment F on T { ... { b @skip(if: $c) } }",
            "subscription S($c: String) { a(id: $c, after: $c) { b } }",
        ] {
            assert!(taken(text).is_empty(), "{text}");
        }
    }
}
