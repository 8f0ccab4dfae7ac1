//! The root of an operation as it runs. Objects answer in the order of the document, and what is selected twice is harmless
//! there; the root is the engine's, which answers in the order in which fields are done, and runs a field as often as it is
//! selected. That is not GraphQL's way, least of all with a mutation in a fragment that is spread twice.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, Selection,
    SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::hoist::same_arguments;
use crate::schema::object::is_left_out;

/// The fields of a root by their keys, in the order of the document, with fragments opened. What is left out is not in it.
pub struct Roots<'a> {
    document: &'a ExecutableDocument,
    fields: IndexMap<&'a Name, Vec<&'a Positioned<Field>>>,
}

impl<'a> Roots<'a> {
    /// Of an operation of this document with these variables, which have their defaults.
    pub fn of(document: &'a ExecutableDocument, operation: &'a OperationDefinition, variables: &Variables) -> Self {
        let mut roots = Roots { document, fields: IndexMap::new() };
        let root = &operation.selection_set.node;
        // One plain field, as nearly everywhere, is in order.
        if !matches!(&root.items[..], [only] if matches!(only.node, Selection::Field(_))) {
            roots.gather(root, variables);
        }
        roots
    }

    fn gather(&mut self, set: &'a SelectionSet, variables: &Variables) {
        for item in set.items.iter().filter(|item| !is_left_out(&item.node, variables)) {
            match &item.node {
                Selection::Field(field) => {
                    self.fields.entry(&field.node.response_key().node).or_default().push(field);
                }
                Selection::InlineFragment(inline) => self.gather(&inline.node.selection_set.node, variables),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.gather(&fragment.node.selection_set.node, variables);
                    }
                }
            }
        }
    }

    /// Whether a field is selected twice. Those that conflict are left to validation.
    pub fn has_doubles(&self) -> bool {
        let is_same = |one: &Field, other: &Field| one.name.node == other.name.node && same_arguments(one, other);
        let agree = |fields: &Vec<&Positioned<Field>>| fields.iter().all(|field| is_same(&fields[0].node, &field.node));
        self.fields.values().any(|fields| fields.len() > 1) && self.fields.values().all(agree)
    }

    /// The document with a root that selects each field once, and from it what all of them selected.
    pub fn merged(&self, operation_name: Option<&str>) -> ExecutableDocument {
        let items = self.fields.values().map(|fields| {
            let mut field = fields[0].clone();
            for more in &fields[1..] {
                field.node.selection_set.node.items.extend(more.node.selection_set.node.items.iter().cloned());
            }
            let pos = field.pos;
            Positioned::new(Selection::Field(field), pos)
        });
        let mut document = self.document.clone();
        if let Some(operation) = operation(&mut document, operation_name) {
            operation.selection_set.node.items = items.collect();
        }
        document
    }

    /// The document with a root that runs nothing, to be validated.
    pub fn idle(&self, operation_name: Option<&str>) -> ExecutableDocument {
        let (name, pos) = (|name| Positioned::new(Name::new(name), Pos::default()), Pos::default());
        let condition = (name("if"), Positioned::new(Value::Boolean(true).into_value(), pos));
        let skip = Directive { name: name("skip"), arguments: vec![condition] };
        let mut document = self.document.clone();
        if let Some(operation) = operation(&mut document, operation_name) {
            let all = operation.selection_set.clone();
            let all = InlineFragment {
                type_condition: None,
                directives: vec![Positioned::new(skip, pos)],
                selection_set: all,
            };
            operation.selection_set.node.items =
                vec![Positioned::new(Selection::InlineFragment(Positioned::new(all, pos)), pos)];
        }
        document
    }

    /// Puts the fields of an answer in order.
    pub fn restore(&self, data: &mut Value) {
        if let (true, Value::Object(fields)) = (self.fields.len() > 1, data) {
            fields.sort_by_cached_key(|key, _| self.fields.get_index_of(key));
        }
    }
}

fn operation<'a>(document: &'a mut ExecutableDocument, name: Option<&str>) -> Option<&'a mut OperationDefinition> {
    let found = match &mut document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => match name {
            Some(name) => operations.get_mut(name),
            None => operations.values_mut().next(),
        },
    };
    found.map(|operation| &mut operation.node)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
    use async_graphql::{Value, Variables};
    use serde_json::json;

    use super::Roots;
    use crate::server::documents::{Limits, check, hoist::choose};

    fn document(query: &str) -> ExecutableDocument {
        check(query, &Limits::default()).unwrap()
    }

    fn operation(document: &ExecutableDocument) -> &OperationDefinition {
        &choose(document, None).unwrap().operation.node
    }

    fn keys(roots: &Roots<'_>) -> Vec<String> {
        roots.fields.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn fragments_stand_where_they_are_spread_and_what_is_left_out_nowhere() {
        let document = document(
            "query ($no: Boolean!) { a @skip(if: true) c d @include(if: $no) ...F a ... { d } b: e }
            fragment F on Query { ...G ... @include(if: $no) { a } } fragment G on Query { b: e x }",
        );
        let variables = Variables::from_json(json!({ "no": false }));
        let order = Roots::of(&document, operation(&document), &variables);
        let mut data = Value::from_json(json!({ "a": 1, "b": 2, "c": 3, "d": 4, "x": 5 })).unwrap();
        order.restore(&mut data);
        assert_eq!(data.to_string(), "{c: 3, b: 2, x: 5, a: 1, d: 4}");
        let mut nothing = Value::Null;
        order.restore(&mut nothing);
        assert_eq!(nothing, Value::Null);
    }

    #[test]
    fn what_is_selected_twice_runs_once() {
        let document = document(
            "mutation M($no: Boolean!) { a(x: 1) { b } ...F c ...F } fragment F on Mutation { a(x: 1) { d } }",
        );
        let variables = Variables::default();
        let roots = Roots::of(&document, operation(&document), &variables);
        assert!(roots.has_doubles());
        let merged = roots.merged(Some("M"));
        let plain = Roots::of(&merged, operation(&merged), &variables);
        assert!(!plain.has_doubles());
        assert_eq!(keys(&plain), ["a", "c"]);
        assert_eq!(plain.fields[0][0].node.selection_set.node.items.len(), 3);
        let idle = roots.idle(Some("M"));
        assert!(Roots::of(&idle, operation(&idle), &variables).fields.is_empty());
    }

    #[test]
    fn conflicts_are_left_to_validation() {
        for query in ["{ a(x: 1) a(x: 2) c c }", "{ a: b a c c }", "{ a }", "{ a b: a }"] {
            let document = document(query);
            assert!(!Roots::of(&document, operation(&document), &Variables::default()).has_doubles(), "{query}");
        }
    }
}
