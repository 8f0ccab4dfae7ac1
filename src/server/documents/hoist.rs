//! Which operation of a document runs, and a plain root for those that stay open.
//!
//! A live operation is executed again for every event, from a cached document. [`hoist_subscription`] makes that
//! document once: only the operation that runs, one field at its root and no fragment around it, only the fragments
//! that it still needs. The engine runs each root field as a stream of its own and ends with the first, so a root in
//! another shape is refused here, where the author can be told why.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet,
    },
};

use super::{Refusal, RefusalCode, fragments};

/// The type that the root of every subscription selects from.
const ROOT_TYPE: &str = "Subscription";

/// The operation of a document that runs.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// Its name, if it has one.
    pub name: Option<&'a Name>,
    /// The operation.
    pub operation: &'a Positioned<OperationDefinition>,
}

/// The one field at the root of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootField {
    /// The field's name in the schema.
    pub name: String,
    /// Its key in the answer: the alias, or else the name.
    pub response_key: String,
}

/// The operation that runs, as GraphQL defines it: the one called `operation_name`, or without that name the only one.
pub fn choose<'a>(document: &'a ExecutableDocument, operation_name: Option<&str>) -> Result<Chosen<'a>, Refusal> {
    let mut operations = document.operations.iter().map(|(name, operation)| Chosen { name, operation });
    match operation_name {
        Some(wanted) => operations.find(|chosen| chosen.name.is_some_and(|name| name == wanted)).ok_or_else(|| {
            Refusal::new(RefusalCode::Operation, format!("Unknown operation named \"{}\".", clipped(wanted)))
        }),
        None => match (operations.next(), operations.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Refusal::new(RefusalCode::Operation, "Must provide an operation.")),
            (Some(_), Some(_)) => Err(Refusal::new(
                RefusalCode::Operation,
                "Must provide operation name if query contains multiple operations.",
            )),
        },
    }
}

/// The start of a name that the client made up, so that no error echoes a request of any size.
fn clipped(name: &str) -> String {
    name.chars().take(64).collect()
}

/// The subscription that runs, alone in a document and with exactly one plain field at its root.
///
/// Equal keys at the root become one field that selects what all of them selected. The document was accepted by
/// [`super::check`]; whether its types and fields exist is for validation to say, of the document that comes back.
pub fn hoist_subscription(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
) -> Result<(ExecutableDocument, RootField), Refusal> {
    let Chosen { name, operation } = choose(document, operation_name)?;
    if operation.node.ty != OperationType::Subscription {
        return Err(Refusal::new(RefusalCode::Operation, "Only a subscription can stay open.").at(operation.pos));
    }
    let field = root_field(document, &operation.node.selection_set.node)?;
    let root =
        RootField { name: field.node.name.node.to_string(), response_key: field.node.response_key().node.to_string() };
    let pos = field.pos;
    let set = SelectionSet { items: vec![Positioned::new(Selection::Field(field), pos)] };
    let needed = fragments::reached(document, &set);
    let kept = document.fragments.iter().filter(|(name, _)| needed.contains(name));
    let fragments = kept.map(|(name, fragment)| (name.clone(), fragment.clone())).collect();
    let hoisted = Positioned::new(
        OperationDefinition {
            ty: operation.node.ty,
            variable_definitions: operation.node.variable_definitions.clone(),
            directives: operation.node.directives.clone(),
            selection_set: Positioned::new(set, operation.node.selection_set.pos),
        },
        operation.pos,
    );
    let operations = match name {
        Some(name) => DocumentOperations::Multiple(HashMap::from([(name.clone(), hoisted)])),
        None => DocumentOperations::Single(hoisted),
    };
    Ok((ExecutableDocument { operations, fragments }, root))
}

/// The one field that the root selections come to.
fn root_field(document: &ExecutableDocument, set: &SelectionSet) -> Result<Positioned<Field>, Refusal> {
    let mut merged: Option<Positioned<Field>> = None;
    let mut spread = HashSet::new();
    // The next selection is at the end, so that fragments unfold in the order of the text.
    let mut pending: Vec<&Positioned<Selection>> = set.items.iter().rev().collect();
    while let Some(selection) = pending.pop() {
        refuse_directives(selection.node.directives())?;
        match &selection.node {
            Selection::Field(field) => merged = Some(merge(merged, field)?),
            Selection::InlineFragment(inline) => {
                if let Some(condition) = &inline.node.type_condition {
                    refuse_other_type(&condition.node.on)?;
                }
                pending.extend(inline.node.selection_set.node.items.iter().rev());
            }
            Selection::FragmentSpread(used) => {
                let name = &used.node.fragment_name;
                let Some(fragment) = document.fragments.get(&name.node) else {
                    return Err(invalid(format!("Unknown fragment \"{}\".", name.node), name));
                };
                refuse_other_type(&fragment.node.type_condition.node.on)?;
                if spread.insert(&name.node) {
                    pending.extend(fragment.node.selection_set.node.items.iter().rev());
                }
            }
        }
    }
    merged.ok_or_else(|| Refusal::new(RefusalCode::Invalid, "A subscription must select one field."))
}

/// Adds a root field to the one found so far.
fn merge(merged: Option<Positioned<Field>>, field: &Positioned<Field>) -> Result<Positioned<Field>, Refusal> {
    let name = &field.node.name;
    if name.node.starts_with("__") {
        let message = format!("A subscription cannot select \"{}\" at its root. Remove it.", name.node);
        return Err(invalid(message, name));
    }
    let Some(mut merged) = merged else {
        return Ok(field.clone());
    };
    let key = field.node.response_key();
    if merged.node.response_key().node != key.node {
        let message = "A subscription must select exactly one field. Open one subscription for each.";
        return Err(invalid(message, key));
    }
    if merged.node.name.node != name.node || !same_arguments(&merged.node, &field.node) {
        let message = format!("Fields \"{}\" conflict: they have different names or arguments.", key.node);
        return Err(invalid(message, key));
    }
    merged.node.selection_set.node.items.extend(field.node.selection_set.node.items.iter().cloned());
    Ok(merged)
}

/// Whether two fields are given the same.
pub(super) fn same_arguments(one: &Field, other: &Field) -> bool {
    let same = |(name, value): &(Positioned<Name>, Positioned<_>)| other.get_argument(&name.node) == Some(value);
    one.arguments.len() == other.arguments.len() && one.arguments.iter().all(same)
}

/// Whether a root selection counts must not depend on variables, and no other directive has a meaning there.
fn refuse_directives(directives: &[Positioned<Directive>]) -> Result<(), Refusal> {
    match directives.first() {
        None => Ok(()),
        Some(directive) => {
            let name = &directive.node.name;
            let message = format!("A subscription cannot use @{} at its root. Move it to a field below.", name.node);
            Err(invalid(message, name))
        }
    }
}

fn refuse_other_type(on: &Positioned<Name>) -> Result<(), Refusal> {
    if on.node == ROOT_TYPE {
        return Ok(());
    }
    let message = format!("A fragment on \"{}\" cannot be spread at the root of a subscription.", on.node);
    Err(invalid(message, on))
}

fn invalid<T>(message: impl Into<String>, place: &Positioned<T>) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message).at(place.pos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::documents::{Limits, check};

    fn document(text: &str) -> ExecutableDocument {
        check(text, &Limits::default()).unwrap()
    }

    fn hoisted(text: &str) -> (ExecutableDocument, RootField) {
        hoist_subscription(&document(text), None).unwrap()
    }

    fn refused(text: &str) -> Refusal {
        hoist_subscription(&document(text), None).unwrap_err()
    }

    /// The keys of the root and, behind a dot, what is selected below it.
    fn keys(document: &ExecutableDocument) -> Vec<String> {
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut keys = Vec::new();
        for item in &operation.node.selection_set.node.items {
            let Selection::Field(field) = &item.node else { panic!("a fragment at the root") };
            keys.push(field.node.response_key().node.to_string());
            for below in &field.node.selection_set.node.items {
                keys.push(match &below.node {
                    Selection::Field(field) => format!(".{}", field.node.response_key().node),
                    Selection::FragmentSpread(spread) => format!("...{}", spread.node.fragment_name.node),
                    Selection::InlineFragment(_) => "...".to_owned(),
                });
            }
        }
        keys
    }

    #[test]
    fn the_operation_is_chosen_as_the_specification_says() {
        let one = document("query A { a }");
        let two = document("query A { a } subscription B { b }");
        let unnamed = document("{ a }");
        assert_eq!(choose(&one, None).unwrap().name.unwrap(), "A");
        assert_eq!(choose(&two, Some("B")).unwrap().operation.node.ty, OperationType::Subscription);
        assert!(choose(&unnamed, None).unwrap().name.is_none());
        for (document, name) in [(&one, Some("B")), (&two, None), (&two, Some("")), (&unnamed, Some("A"))] {
            assert_eq!(choose(document, name).unwrap_err().code, RefusalCode::Operation);
        }
        assert!(choose(&one, Some(&"x".repeat(9_999))).unwrap_err().message.len() < 100);
    }

    #[test]
    fn fragments_and_equal_keys_at_the_root_become_one_field() {
        let (document, root) = hoisted(
            "subscription S($id: ID) { ...A ... { x: jobChanged(jobId: $id, after: \"1\") { c } } ... on Subscription { ...A } }
             fragment A on Subscription { x: jobChanged(after: \"1\", jobId: $id) { a ...B } }
             fragment B on JobEvent { b }",
        );
        assert_eq!(root, RootField { name: "jobChanged".into(), response_key: "x".into() });
        assert_eq!(keys(&document), ["x", ".a", "...B", ".c"]);
    }

    #[test]
    fn only_what_is_still_needed_is_kept() {
        let text = "query Q { q { ...B } } subscription S($a: Int) @live { ...A }
             fragment A on Subscription { a(x: $a) { ...B } } fragment B on T { b { ...C } } fragment C on T { c }
             fragment D on T { d }";
        let (hoisted, _) = hoist_subscription(&document(text), Some("S")).unwrap();
        let mut names: Vec<&str> = hoisted.fragments.keys().map(Name::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["B", "C"]);
        let chosen = choose(&hoisted, Some("S")).unwrap();
        assert_eq!(choose(&hoisted, None).unwrap().name, chosen.name);
        assert_eq!(chosen.operation.node.variable_definitions.len(), 1);
        assert_eq!(chosen.operation.node.directives.len(), 1);
    }

    #[test]
    fn a_root_that_is_not_one_plain_field_is_refused() {
        let cases = [
            ("subscription { a b }", "exactly one field"),
            ("subscription { a x: a }", "exactly one field"),
            ("subscription { ...A b } fragment A on Subscription { a }", "exactly one field"),
            ("subscription { a(x: 1) a(x: 2) }", "conflict"),
            ("subscription { x: a x: b }", "conflict"),
            ("subscription { __typename }", "__typename"),
            ("subscription { a __typename }", "__typename"),
            ("subscription { x: __schema { types { name } } }", "__schema"),
            ("subscription($v: Boolean!) { a @skip(if: $v) }", "@skip"),
            ("subscription { ...A @include(if: true) } fragment A on Subscription { a }", "@include"),
            ("subscription { ... @include(if: false) { a } }", "@include"),
            ("subscription { ...Nowhere }", "Unknown fragment"),
            ("subscription { ... on Query { a } }", "\"Query\""),
            ("subscription { ...A } fragment A on Mutation { a }", "\"Mutation\""),
        ];
        for (text, what) in cases {
            let refusal = refused(text);
            assert_eq!(refusal.code, RefusalCode::Invalid, "{text}");
            assert!(refusal.message.contains(what), "{text}: {}", refusal.message);
            assert!(refusal.location.is_some(), "{text}");
        }
        assert_eq!(refused("{ a }").code, RefusalCode::Operation);
    }
}
