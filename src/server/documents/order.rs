//! The order of an answer's fields at the root. Objects answer in the order of the document; the root is the engine's, which
//! answers in the order in which its fields are done.

use async_graphql::indexmap::IndexSet;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value, Variables};

use crate::schema::object::is_left_out;

/// The keys of the root, in the order of the document.
pub struct RootOrder(IndexSet<Name>);

impl RootOrder {
    /// Of an operation of this document with these variables, which have their defaults.
    pub fn of(document: &ExecutableDocument, operation: &OperationDefinition, variables: &Variables) -> Self {
        let mut keys = IndexSet::new();
        let root = &operation.selection_set.node;
        if !matches!(&root.items[..], [only] if matches!(only.node, Selection::Field(_))) {
            gather(document, root, variables, &mut keys);
        }
        RootOrder(keys)
    }

    /// Puts the fields of the root in order.
    pub fn restore(&self, data: &mut Value) {
        if let (true, Value::Object(fields)) = (self.0.len() > 1, data) {
            fields.sort_by_cached_key(|key, _| self.0.get_index_of(key));
        }
    }
}

fn gather(document: &ExecutableDocument, set: &SelectionSet, variables: &Variables, keys: &mut IndexSet<Name>) {
    for item in set.items.iter().filter(|item| !is_left_out(&item.node, |name| variables.get(name).cloned())) {
        match &item.node {
            Selection::Field(field) => {
                keys.insert(field.node.response_key().node.clone());
            }
            Selection::InlineFragment(inline) => gather(document, &inline.node.selection_set.node, variables, keys),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    gather(document, &fragment.node.selection_set.node, variables, keys);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Value, Variables};
    use serde_json::json;

    use super::RootOrder;
    use crate::server::documents::{Limits, check, hoist::choose};

    #[test]
    fn fragments_stand_where_they_are_spread_and_what_is_left_out_nowhere() {
        let query = "query ($no: Boolean!) { a @skip(if: true) c d @include(if: $no) ...F a ... { d } b: e c }
            fragment F on Query { ...G ... @include(if: $no) { a } } fragment G on Query { b x }";
        let document = check(query, &Limits::default()).unwrap();
        let operation = &choose(&document, None).unwrap().operation.node;
        let variables = Variables::from_json(json!({ "no": false }));
        let order = RootOrder::of(&document, operation, &variables);
        let mut data = Value::from_json(json!({ "a": 1, "b": 2, "c": 3, "d": 4, "x": 5 })).unwrap();
        order.restore(&mut data);
        assert_eq!(data.to_string(), "{c: 3, b: 2, x: 5, a: 1, d: 4}");
        let mut nothing = Value::Null;
        order.restore(&mut nothing);
        assert_eq!(nothing, Value::Null);
    }
}
