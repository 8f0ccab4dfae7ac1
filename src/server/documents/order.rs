//! The order of an answer's fields at the root. Objects answer in the order of the document; the root is the engine's, which
//! answers in the order in which its fields are done.

use async_graphql::indexmap::IndexSet;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value};

/// Puts the fields of the root into the order of the document.
pub fn order_roots(document: &ExecutableDocument, operation: &OperationDefinition, data: &mut Value) {
    let Value::Object(fields) = data else { return };
    if fields.len() > 1 {
        let mut keys = IndexSet::new();
        gather(document, &operation.selection_set.node, &mut keys);
        fields.sort_by_cached_key(|key, _| keys.get_index_of(key));
    }
}

fn gather<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, keys: &mut IndexSet<&'a Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                keys.insert(&field.node.response_key().node);
            }
            Selection::InlineFragment(inline) => gather(document, &inline.node.selection_set.node, keys),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    gather(document, &fragment.node.selection_set.node, keys);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;
    use serde_json::json;

    use crate::server::documents::{Limits, check, hoist::choose};

    #[test]
    fn fragments_stand_where_they_are_spread() {
        let query = "{ c ...F a ... { d } b: e c } fragment F on Query { ...G } fragment G on Query { b x }";
        let document = check(query, &Limits::default()).unwrap();
        let operation = choose(&document, None).unwrap().operation;
        let mut data = Value::from_json(json!({ "a": 1, "b": 2, "c": 3, "d": 4, "x": 5 })).unwrap();
        super::order_roots(&document, &operation.node, &mut data);
        assert_eq!(data.to_string(), "{c: 3, b: 2, x: 5, a: 1, d: 4}");
        let mut nothing = Value::Null;
        super::order_roots(&document, &operation.node, &mut nothing);
        assert_eq!(nothing, Value::Null);
    }
}
