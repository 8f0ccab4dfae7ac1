//! What an operation costs: each field 1, or what its `@cost` says, times the rows of the pages around it.
//!
//! A fragment is costed once for each type whose rules hold in it, leaves first, so that a spread only looks its cost up.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use async_graphql::{
    Name, Value, Variables,
    parser::types::{Field, OperationDefinition, Selection, SelectionSet},
};

use super::{
    fragments::leaves_first,
    requirements::{Place, View},
};

/// Rows that a page is taken to have when the client does not say.
const DEFAULT_ROWS: u64 = 20;
/// Rows that a page has at most.
const MAX_ROWS: u64 = 100;

/// The costs of fragments, and what is needed to add them up.
pub(super) struct Costs<'a> {
    view: View<'a>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    known: HashMap<Place<'a>, u64>,
}

impl<'a> Costs<'a> {
    /// Costs the fragments in all their places; nothing if they go in circles.
    pub(super) fn new(
        view: View<'a>,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
        places: &HashSet<Place<'a>>,
    ) -> Option<Self> {
        let mut by_name: HashMap<&Name, Vec<Place<'a>>> = HashMap::new();
        for place in places {
            by_name.entry(place.fragment).or_default().push(*place);
        }
        let mut costs = Costs { view, operation, variables, known: HashMap::new() };
        for name in leaves_first(view.document).ok()? {
            let Some(body) = view.body(name) else { continue };
            for place in by_name.remove(name).unwrap_or_default() {
                let cost = costs.of_set(body, place.ty);
                costs.known.insert(place, cost);
            }
        }
        Some(costs)
    }

    /// What selecting `set` from `parent` costs.
    pub(super) fn of_set(&self, set: &'a SelectionSet, parent: Option<&'a str>) -> u64 {
        set.items.iter().map(|item| self.of_selection(&item.node, parent)).fold(0, u64::saturating_add)
    }

    fn of_selection(&self, selection: &'a Selection, parent: Option<&'a str>) -> u64 {
        match selection {
            Selection::Field(field) => {
                let target = self.view.target(parent, &field.node);
                let below = self.of_set(&field.node.selection_set.node, target);
                below
                    .saturating_mul(self.rows(&field.node, target))
                    .saturating_add(self.view.weight(parent, &field.node))
            }
            Selection::InlineFragment(inline) => {
                self.of_set(&inline.node.selection_set.node, self.view.inside(&inline.node, parent))
            }
            Selection::FragmentSpread(spread) => {
                let place = self.view.place(&spread.node.fragment_name.node, parent);
                place.and_then(|place| self.known.get(&place)).copied().unwrap_or(0)
            }
        }
    }

    /// How often what is below `field` is in the answer.
    fn rows(&self, field: &Field, target: Option<&str>) -> u64 {
        let asked = ["first", "last"].iter().filter_map(|name| field.get_argument(name)).filter_map(|argument| {
            // What is no count at all is refused later and costs nothing.
            match argument.node.clone().into_const_with(|name| self.variable(&name)) {
                Ok(Value::Number(number)) => number.as_u64(),
                _ => None,
            }
        });
        let default = if target.is_some_and(|ty| ty.ends_with("Connection")) { DEFAULT_ROWS } else { 1 };
        asked.max().unwrap_or(default).clamp(1, MAX_ROWS)
    }

    /// The value that is sent for a variable, or else its default.
    fn variable(&self, name: &Name) -> Result<Value, Infallible> {
        if let Some(sent) = self.variables.get(name) {
            return Ok(sent.clone());
        }
        let mut definitions = self.operation.variable_definitions.iter();
        let definition = definitions.find(|definition| definition.node.name.node == *name);
        Ok(definition.and_then(|definition| definition.node.default_value()).cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        access::SchemaIndex,
        hoist::choose,
        requirements::{
            Requirements,
            tests::{SDL, required, required_with},
        },
    };
    use super::*;

    /// What is required by a text that the gates would refuse.
    fn unchecked(text: &str) -> Requirements {
        let document = async_graphql::parser::parse_query(text).unwrap();
        let chosen = choose(&document, None).unwrap();
        SchemaIndex::from_sdl(SDL).unwrap().requirements(&document, &chosen.operation.node, &Variables::default())
    }

    #[test]
    fn pages_multiply_what_is_below_them() {
        let page = |arguments: &str| {
            required(&format!("query($n: Int, $m: Int = 7) {{ jobs{arguments} {{ nodes {{ id }} }} }}")).cost
        };
        assert_eq!(page(""), 1 + 20 * 2);
        assert_eq!(page("(first: 3)"), 1 + 3 * 2);
        assert_eq!(page("(first: 3, last: 5)"), 1 + 5 * 2);
        assert_eq!(page("(first: 100000)"), 1 + 100 * 2);
        assert_eq!(page("(first: 0)"), 1 + 2);
        assert_eq!(page("(first: null)"), 1 + 20 * 2);
        assert_eq!(page("(first: $n)"), 1 + 20 * 2);
        assert_eq!(page("(first: $m)"), 1 + 7 * 2);
        assert_eq!(required("{ alerts(first: 30) }").cost, 1);
        let text = "query($n: Int) { jobs(first: $n) { nodes { ...J ...J } } } fragment J on Job { offers(first: 2) { nodes { id } } }";
        assert_eq!(required_with(text, serde_json::json!({ "n": 4 })).cost, 1 + 4 * (1 + 2 * (1 + 2 * 2)));
    }

    #[test]
    fn cost_saturates() {
        let nested = |depth: usize| "offers(first: 100) { nodes { ".repeat(depth) + "id" + &" } }".repeat(depth);
        let asked = unchecked(&format!("{{ jobs {{ nodes {{ {} }} }} }}", nested(11)));
        assert_eq!(asked.cost, u64::MAX);
    }

    #[test]
    fn circles_end_and_cost_everything() {
        let asked = unchecked("{ jobs { ...A } } fragment A on JobConnection { nodes { offers { ...A } } }");
        assert_eq!((asked.cost, asked.access.len()), (u64::MAX, 2));
    }
}
