//! The third gate: how large a document is with its fragments spread.
//!
//! Each fragment is weighed once, leaves first, and a spread adds the weight of its fragment. So the walk takes time in
//! the size of the text, whatever that expands to, and recurses no deeper than brackets nest in one definition.

use std::convert::Infallible;

use async_graphql::{
    Value,
    parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

use super::{
    Limits, Refusal, RefusalCode,
    fragments::{PerFragment, leaves_first},
};

const ADVICE: &str = "Select less, or split it into several requests.";

/// Refuses documents whose operations or fragments grow beyond the limits.
pub(super) fn weigh(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    let known = of_fragments(document)?;
    for (name, weight) in &known {
        // Also of fragments that nothing spreads: validation walks them all the same.
        check_size(weight, limits).map_err(|refusal| match document.fragments.get(*name) {
            Some(fragment) => refusal.at(fragment.pos),
            None => refusal,
        })?;
    }
    for (_, operation) in document.operations.iter() {
        let weight = of_set(&operation.node.selection_set.node, &known);
        check_size(&weight, limits)
            .and_then(|()| check_reach(&weight, limits))
            .and_then(|()| check_mutation(operation.node.ty, &weight, limits))
            .map_err(|refusal| refusal.at(operation.pos))?;
    }
    Ok(())
}

/// In how many places of `operation` a variable stands, with its fragments spread.
pub fn uses_of_variables(document: &ExecutableDocument, operation: &OperationDefinition) -> Result<usize, Refusal> {
    let known = of_fragments(document)?;
    Ok(of_set(&operation.selection_set.node, &known).variables)
}

fn of_fragments(document: &ExecutableDocument) -> Result<PerFragment<'_, Weight>, Refusal> {
    let order = leaves_first(document).map_err(|cycle| {
        let chain: Vec<&str> = cycle.iter().map(|name| name.as_str()).collect();
        let message =
            format!("Fragments may not spread themselves: {}. Remove one of these spreads.", chain.join(" > "));
        Refusal::new(RefusalCode::TooLarge, message)
    })?;
    let mut known = PerFragment::new();
    for name in order {
        if let Some(fragment) = document.fragments.get(name) {
            known.insert(name, of_set(&fragment.node.selection_set.node, &known));
        }
    }
    Ok(known)
}

/// What selections come to with their fragments spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weight {
    fields: usize,
    nodes: usize,
    /// Places where a variable stands.
    variables: usize,
    /// Fields, inline fragments and spreads below each other.
    levels: usize,
    /// Fields that are not below another field.
    root_fields: usize,
    ordinary: Reach,
    /// Below `__schema` and `__type`.
    introspection: Reach,
}

/// How far selections reach down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reach {
    depth: usize,
    /// Fields with the name of a list of introspection, all of them and the most that are below each other. Elsewhere
    /// such names mean nothing, so only [`Weight::introspection`] has a limit for them.
    lists: usize,
    lists_nested: usize,
}

impl Reach {
    fn beside(self, other: Reach) -> Reach {
        Reach {
            depth: self.depth.max(other.depth),
            lists: self.lists.saturating_add(other.lists),
            lists_nested: self.lists_nested.max(other.lists_nested),
        }
    }

    fn above(self, other: Reach) -> Reach {
        Reach {
            depth: self.depth.saturating_add(other.depth),
            lists: self.lists.saturating_add(other.lists),
            lists_nested: self.lists_nested.saturating_add(other.lists_nested),
        }
    }
}

impl Weight {
    fn beside(self, other: Weight) -> Weight {
        Weight {
            fields: self.fields.saturating_add(other.fields),
            nodes: self.nodes.saturating_add(other.nodes),
            variables: self.variables.saturating_add(other.variables),
            levels: self.levels.max(other.levels),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            ordinary: self.ordinary.beside(other.ordinary),
            introspection: self.introspection.beside(other.introspection),
        }
    }

    /// The weight of `field` around selections of this weight.
    fn inside(self, field: &Field) -> Weight {
        let name = field.name.node.as_str();
        let list = usize::from(matches!(name, "types" | "fields" | "inputFields" | "interfaces" | "possibleTypes"));
        let own = Reach { depth: 1, lists: list, lists_nested: list };
        let (ordinary, introspection) = if matches!(name, "__schema" | "__type") {
            (own, self.ordinary.above(self.introspection))
        } else {
            (own.above(self.ordinary), self.introspection)
        };
        Weight { fields: self.fields.saturating_add(1), root_fields: 1, ordinary, introspection, ..self }
    }
}

fn of_set(set: &SelectionSet, known: &PerFragment<'_, Weight>) -> Weight {
    set.items.iter().map(|item| of_selection(&item.node, known)).fold(Weight::default(), Weight::beside)
}

fn of_selection(selection: &Selection, known: &PerFragment<'_, Weight>) -> Weight {
    let weight = match selection {
        Selection::Field(field) => of_set(&field.node.selection_set.node, known).inside(&field.node),
        Selection::InlineFragment(inline) => of_set(&inline.node.selection_set.node, known),
        Selection::FragmentSpread(spread) => known.get(&spread.node.fragment_name.node).copied().unwrap_or_default(),
    };
    let own = Values::of(selection);
    Weight {
        nodes: weight.nodes.saturating_add(1 + selection.directives().len() + own.nodes),
        variables: weight.variables.saturating_add(own.variables),
        levels: weight.levels.saturating_add(1),
        ..weight
    }
}

/// The values in the arguments of one selection and its directives.
#[derive(Default)]
struct Values {
    nodes: usize,
    variables: usize,
}

impl Values {
    fn of(selection: &Selection) -> Self {
        let own = match selection {
            Selection::Field(field) => &field.node.arguments[..],
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => &[],
        };
        let of_directives = selection.directives().iter().flat_map(|directive| &directive.node.arguments);
        let mut values = Values::default();
        for (_, value) in own.iter().chain(of_directives) {
            // A variable counts as the smallest value here: what is sent for it is not known yet.
            let Ok(constant) = value.node.clone().into_const_with(|_| {
                values.variables += 1;
                Ok::<_, Infallible>(Value::Null)
            });
            values.count(constant);
        }
        values
    }

    fn count(&mut self, value: Value) {
        let mut pending = vec![value];
        while let Some(value) = pending.pop() {
            self.nodes += 1;
            match value {
                Value::List(items) => pending.extend(items),
                Value::Object(entries) => pending.extend(entries.into_values()),
                _ => {}
            }
        }
    }
}

fn check_size(weight: &Weight, limits: &Limits) -> Result<(), Refusal> {
    within(weight.fields, limits.fields, "fields with its fragments spread")?;
    within(weight.nodes, limits.nodes, "selections and argument values with its fragments spread")?;
    within(weight.levels, limits.levels, "selections below each other with its fragments spread")
}

fn check_reach(weight: &Weight, limits: &Limits) -> Result<(), Refusal> {
    let introspection = &weight.introspection;
    within(weight.ordinary.depth, limits.depth, "fields below each other")?;
    within(introspection.depth, limits.introspection_depth, "fields below `__schema` or `__type`")?;
    let nested = "lists of types or fields below each other in introspection";
    within(introspection.lists_nested, limits.introspection_lists_nested, nested)?;
    within(introspection.lists, limits.introspection_lists, "lists of types or fields in introspection")
}

fn check_mutation(ty: OperationType, weight: &Weight, limits: &Limits) -> Result<(), Refusal> {
    match ty {
        OperationType::Mutation => within(weight.root_fields, limits.mutation_fields, "mutations in one operation"),
        OperationType::Query | OperationType::Subscription => Ok(()),
    }
}

fn within(count: usize, limit: usize, what: &str) -> Result<(), Refusal> {
    if count <= limit { Ok(()) } else { Err(Refusal::too_large(limit, what, ADVICE)) }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn weighed(text: &str, limits: &Limits) -> Result<(), String> {
        weigh(&parse_query(text).unwrap(), limits).map_err(|refusal| refusal.message)
    }

    #[test]
    fn fragments_count_as_often_as_they_are_spread() {
        let limits = |fields, nodes| Limits { fields, nodes, ..Limits::default() };
        let text = "{ x { ...A ...A } ...A } fragment A on Q { a { ...B } } fragment B on Q { b }";
        assert!(weighed(text, &limits(7, 13)).is_ok());
        assert!(weighed(text, &limits(6, 13)).unwrap_err().contains("6 fields"));
        assert!(weighed(text, &limits(7, 12)).unwrap_err().contains("12 selections"));
    }

    #[test]
    fn argument_values_count_with_each_spread() {
        let limits = |nodes| Limits { nodes, ..Limits::default() };
        let text = "{ ...A ...A ...A } fragment A on Q { a(x: [1, 2, { y: 3 }]) }";
        assert!(weighed(text, &limits(20)).unwrap_err().contains("selections and argument values"));
        assert!(weighed(text, &limits(21)).is_ok());
    }

    #[test]
    fn depth_goes_through_fragments_and_not_through_their_names() {
        let limits = Limits { depth: 4, ..Limits::default() };
        let text =
            |leaf: &str| format!("{{ a {{ ...on T {{ ...B }} }} }} fragment B on T {{ b {{ c {{ {leaf} }} }} }}");
        assert!(weighed(&text("d"), &limits).is_ok());
        assert!(weighed(&text("d { e }"), &limits).unwrap_err().contains("4 fields below each other"));
    }

    #[test]
    fn levels_are_all_selections_below_each_other() {
        let limits = |levels| Limits { levels, ..Limits::default() };
        let text = "{ a { ... { ...B } c } } fragment B on T { ... on T { b } }";
        assert!(weighed(text, &limits(5)).is_ok());
        assert!(weighed(text, &limits(4)).unwrap_err().contains("4 selections below each other"));
    }

    #[test]
    fn variables_count_wherever_they_stand() {
        let text =
            "query($v: Int) { a(x: [$v, { y: $v }]) @skip(if: $v) ...A ...A } fragment A on Q { b(x: $v, y: 1) }";
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        assert_eq!(uses_of_variables(&document, &operation.node), Ok(5));
    }

    #[test]
    fn introspection_has_a_budget_of_its_own() {
        let limits = Limits { depth: 2, introspection_depth: 4, ..Limits::default() };
        assert!(weighed("{ a { b } s: __schema { a { b { c { d } } } } }", &limits).is_ok());
        assert!(weighed("{ __schema { a { b { c { d { e } } } } } }", &limits).unwrap_err().contains("`__schema`"));
        assert!(
            weighed("{ __schema { a { __type { c { d { e } } } } } }", &limits).unwrap_err().contains("`__schema`")
        );
        assert!(weighed("{ a { b { c } } }", &limits).is_err());
    }

    #[test]
    fn introspection_may_not_list_the_schema_over_and_over() {
        let limits = Limits::default();
        assert!(weighed("{ __type(name: \"Job\") { fields { type { fields { name } } } } }", &limits).is_ok());
        let nested = "{ __schema { types { fields { type { ...T } } } } } fragment T on __Type { interfaces { name } }";
        assert!(weighed(nested, &limits).unwrap_err().contains("2 lists of types or fields below each other"));
        let repeated = format!("{{ __schema {{ {} }} }}", "types { name } ".repeat(13));
        assert!(weighed(&repeated, &limits).unwrap_err().contains("12 lists"));
        let ordinary = format!("{{ form {{ {} fields {{ fields {{ fields {{ name }} }} }} }} }}", "types ".repeat(13));
        assert!(weighed(&ordinary, &limits).is_ok());
    }

    #[test]
    fn mutations_are_counted_at_the_root_through_fragments() {
        let text = |leaf: &str| {
            format!("mutation {{ ...M a ... {{ ...M }} }} fragment M on Mutation {{ b {{ x y z }} {leaf} }}")
        };
        assert!(weighed(&text("c { x }"), &Limits::default()).is_ok());
        assert!(weighed(&text("c d"), &Limits::default()).unwrap_err().contains("5 mutations"));
        assert!(weighed("{ a b c d e f g }", &Limits::default()).is_ok());
    }

    #[test]
    fn cycles_are_refused_by_name_and_unknown_fragments_are_not() {
        let text = "{ a } fragment A on Q { ...B } fragment B on Q { b { ...A } }";
        assert!(weighed(text, &Limits::default()).unwrap_err().contains("A > B > A"));
        assert!(weighed("{ ...Nowhere }", &Limits::default()).is_ok());
    }

    #[test]
    fn numbers_beyond_counting_saturate() {
        let chain = |n: usize| format!("fragment F{n} on Q {{ {} }} ", format!("...F{} ", n + 1).repeat(10));
        let text = format!("{{ ...F0 }} {} fragment F30 on Q {{ a }}", (0..30).map(chain).collect::<String>());
        let unbounded = Limits { fields: usize::MAX, nodes: usize::MAX, levels: usize::MAX, ..Limits::default() };
        assert!(weighed(&text, &unbounded).is_ok());
        assert!(weighed(&text, &Limits { fields: usize::MAX - 1, ..unbounded }).is_err());
    }
}
