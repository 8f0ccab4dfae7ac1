//! What becomes null when a field fails: the field, or if it may not be null, what holds it.
//!
//! A failed field that may not be null is null in its object or, at the root, left out. GraphQL asks for more: the null
//! rises to the nearest place where the schema allows it. Clients rely on that, since they take a non-null field for given.
//! So an answer with errors is walked once more along the path of each error.

use async_graphql::{
    Name, PathSegment, ServerError, Value,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use super::{access::SchemaIndex, requirements::View};

impl SchemaIndex {
    /// Lets the nulls of failed fields rise in `data`, the answer to `operation` of `document`.
    pub fn raise_nulls(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        data: &mut Value,
        errors: &[ServerError],
    ) {
        let view = View { index: self, document };
        let root = [Part { set: &operation.selection_set.node, ty: Some(self.root(operation.ty)) }];
        for error in errors.iter().filter(|error| !error.path.is_empty()) {
            if rises_from_object(view, &root, data, &error.path) {
                *data = Value::Null;
                return;
            }
        }
    }
}

/// One of the selections that an object answers, and the type that it selects from.
#[derive(Clone, Copy)]
struct Part<'a> {
    set: &'a SelectionSet,
    ty: Option<&'a str>,
}

/// A field as it is selected: where null may stand in it, and what is selected from it.
struct Selected<'a> {
    nullable: &'a [bool],
    parts: Vec<Part<'a>>,
}

impl<'a> View<'a> {
    /// The field with this key in the answer. Equal keys have equal shapes, or validation had refused the document.
    fn selected(self, parts: &[Part<'a>], key: &str) -> Option<Selected<'a>> {
        let mut found: Option<Selected<'a>> = None;
        let mut open = parts.to_vec();
        while let Some(part) = open.pop() {
            for item in &part.set.items {
                match &item.node {
                    Selection::Field(field) if field.node.response_key().node == key => {
                        let rule = part.ty.and_then(|ty| self.index.field(ty, &field.node.name.node));
                        let Some(rule) = rule else { continue };
                        let inside = Part { set: &field.node.selection_set.node, ty: Some(&rule.ty) };
                        let nullable = &rule.nullable[..];
                        found.get_or_insert_with(|| Selected { nullable, parts: Vec::new() }).parts.push(inside);
                    }
                    Selection::Field(_) => {}
                    Selection::InlineFragment(inline) => {
                        let ty = self.inside(&inline.node, part.ty);
                        open.push(Part { set: &inline.node.selection_set.node, ty });
                    }
                    Selection::FragmentSpread(spread) => {
                        let name = &spread.node.fragment_name.node;
                        let place = self.place(name, part.ty);
                        open.extend(place.and_then(|place| Some(Part { set: self.body(name)?, ty: place.ty })));
                    }
                }
            }
        }
        found
    }
}

/// Nulls what fails below an object. True if the object itself has to go.
fn rises_from_object(view: View<'_>, parts: &[Part<'_>], value: &mut Value, path: &[PathSegment]) -> bool {
    let (Some((PathSegment::Field(key), rest)), Value::Object(fields)) = (path.split_first(), value) else {
        return false;
    };
    let Some(selected) = view.selected(parts, key) else { return false };
    let field = fields.entry(Name::new(key)).or_default();
    rises_from_place(view, &selected, selected.nullable, field, rest)
}

/// Nulls what fails at or below a place: a field, or an item of its list. True if whatever holds the place has to go.
fn rises_from_place(
    view: View<'_>,
    selected: &Selected<'_>,
    nullable: &[bool],
    value: &mut Value,
    path: &[PathSegment],
) -> bool {
    let Some((may_be_null, inner)) = nullable.split_first() else { return false };
    let rises = match (path.split_first(), &mut *value) {
        (None, _) => true,
        (Some((PathSegment::Index(at), rest)), Value::List(items)) => {
            items.get_mut(*at).is_some_and(|item| rises_from_place(view, selected, inner, item, rest))
        }
        (Some((PathSegment::Field(_), _)), value) => rises_from_object(view, &selected.parts, value, path),
        _ => false,
    };
    if rises {
        *value = Value::Null;
    }
    *value == Value::Null && !may_be_null
}

#[cfg(test)]
mod tests {
    use async_graphql::{Pos, ServerError, Value};
    use serde_json::{Value as Json, json};

    use crate::server::documents::{Limits, access::SchemaIndex, check, hoist::choose};

    const SDL: &str = "
        type Query { viewer: Viewer, jobs: [Job!]!, found: [Job], node: Node, now: Int! }
        type Viewer { name: String!, nick: String, jobs: Jobs! }
        type Jobs { nodes: [Job!]!, count: Int }
        interface Node { id: ID! }
        type Job implements Node { id: ID!, title: String!, note: String, customer: Viewer! }
    ";

    /// The data after these paths failed.
    fn after(query: &str, data: Json, failed: &[Json]) -> Json {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        let document = check(query, &Limits::default()).unwrap();
        let operation = choose(&document, None).unwrap().operation;
        let errors: Vec<ServerError> = failed
            .iter()
            .map(|path| {
                let mut error = ServerError::new("it failed", Some(Pos::default()));
                error.path = serde_json::from_value(path.clone()).unwrap();
                error
            })
            .collect();
        let mut data = Value::from_json(data).unwrap();
        index.raise_nulls(&document, &operation.node, &mut data, &errors);
        data.into_json().unwrap()
    }

    #[test]
    fn a_nullable_field_is_null_itself() {
        let query = "{ viewer { name nick } now }";
        let seen = after(query, json!({ "viewer": { "name": "A" }, "now": 1 }), &[json!(["viewer", "nick"])]);
        assert_eq!(seen, json!({ "viewer": { "name": "A", "nick": null }, "now": 1 }));
    }

    #[test]
    fn a_null_rises_to_where_it_may_stand() {
        let query = "{ viewer { nick jobs { count nodes { id } } } now }";
        let data = json!({ "viewer": { "nick": "A", "jobs": { "count": 2 } }, "now": 1 });
        let seen = after(query, data, &[json!(["viewer", "jobs", "nodes"])]);
        assert_eq!(seen, json!({ "viewer": null, "now": 1 }));
        // The engine makes null of an object whose fields all failed.
        let seen = after(
            "{ viewer { jobs { nodes { id } } } now }",
            json!({ "viewer": { "jobs": null }, "now": 1 }),
            &[json!(["viewer", "jobs", "nodes"])],
        );
        assert_eq!(seen, json!({ "viewer": null, "now": 1 }));
    }

    #[test]
    fn lists_go_item_by_item() {
        let failed = [json!(["found", 1, "title"])];
        let data = json!({ "found": [{ "id": "1", "title": "A" }, { "id": "2" }, null], "now": 1 });
        let seen = after("{ found { id title } now }", data, &failed);
        assert_eq!(seen, json!({ "found": [{ "id": "1", "title": "A" }, null, null], "now": 1 }));
        let data = json!({ "jobs": [{ "id": "1" }], "now": 1 });
        assert_eq!(after("{ jobs { id title } now }", data, &[json!(["jobs", 0, "title"])]), json!(null));
    }

    #[test]
    fn aliases_and_fragments_are_followed() {
        let query = "{ it: node { ...J } now } fragment J on Node { ... on Job { who: customer { name } note } }";
        let data = json!({ "it": { "note": "A" }, "now": 1 });
        assert_eq!(after(query, data, &[json!(["it", "who"])]), json!({ "it": null, "now": 1 }));
    }

    #[test]
    fn many_errors_and_unknown_paths_do_no_harm() {
        let data = json!({ "viewer": { "nick": "A" }, "now": 1 });
        let failed = [json!(["viewer", "name"]), json!(["viewer", "name"]), json!(["viewer", "jobs", "nodes", 3])];
        let seen = after("{ viewer { nick name jobs { nodes { id } } } now }", data, &failed);
        assert_eq!(seen, json!({ "viewer": null, "now": 1 }));
        assert_eq!(after("{ now }", json!({ "now": 1 }), &[json!(["other"]), json!([])]), json!({ "now": 1 }));
        assert_eq!(after("{ now }", json!({}), &[json!(["now"])]), json!(null));
    }
}
