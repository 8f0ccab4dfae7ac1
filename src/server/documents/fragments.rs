//! How the fragments of a document depend on each other.
//!
//! A chain of fragments may be as long as the document has fragments, and each may nest up to the limit, so walks never
//! follow a spread into its fragment. They take the fragments in an order in which whatever a fragment spreads came
//! before it, and look results up.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

/// The names of the fragments that `set` spreads, not those spread by them in turn.
pub(super) fn spreads(set: &SelectionSet) -> Vec<&Name> {
    let mut names = Vec::new();
    let mut open = vec![set];
    while let Some(set) = open.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => open.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => open.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => names.push(&spread.node.fragment_name.node),
            }
        }
    }
    names
}

/// All fragments of the document, each behind those that it spreads. `Err` is a cycle, as the names along it.
pub(super) fn leaves_first(document: &ExecutableDocument) -> Result<Vec<&Name>, Vec<&Name>> {
    // Sorted, because which cycle is found first depends on where the search begins.
    let mut roots: Vec<&Name> = document.fragments.keys().collect();
    roots.sort_unstable();
    let mut search = Search { document, finished: HashSet::new(), trail: HashSet::new(), order: Vec::new() };
    for root in roots {
        search.visit(root)?;
    }
    Ok(search.order)
}

struct Search<'a> {
    document: &'a ExecutableDocument,
    finished: HashSet<&'a Name>,
    /// The fragments between the root of the search and where it is.
    trail: HashSet<&'a Name>,
    order: Vec<&'a Name>,
}

impl<'a> Search<'a> {
    /// Depth first from `root`, on a stack of its own.
    fn visit(&mut self, root: &'a Name) -> Result<(), Vec<&'a Name>> {
        let mut stack = Vec::new();
        self.enter(root, &mut stack);
        while let Some((name, pending)) = stack.last_mut() {
            let name = *name;
            match pending.pop() {
                Some(next) if self.trail.contains(next) => {
                    let trail = stack.iter().map(|(name, _)| *name).skip_while(|name| *name != next);
                    return Err(trail.chain([next]).collect());
                }
                Some(next) => self.enter(next, &mut stack),
                None => {
                    self.trail.remove(name);
                    self.finished.insert(name);
                    self.order.push(name);
                    stack.pop();
                }
            }
        }
        Ok(())
    }

    /// Fragments that do not exist have nothing to visit; validation names them.
    fn enter(&mut self, name: &'a Name, stack: &mut Vec<(&'a Name, Vec<&'a Name>)>) {
        if self.finished.contains(name) {
            return;
        }
        if let Some(fragment) = self.document.fragments.get(name) {
            self.trail.insert(name);
            stack.push((name, spreads(&fragment.node.selection_set.node)));
        }
    }
}

/// The names of the fragments that `set` needs, also through other fragments. Cycles do no harm.
pub(super) fn reached<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet) -> HashSet<&'a Name> {
    let mut names = HashSet::new();
    let mut pending = spreads(set);
    while let Some(name) = pending.pop() {
        if let Some(fragment) = document.fragments.get(name)
            && names.insert(name)
        {
            pending.extend(spreads(&fragment.node.selection_set.node));
        }
    }
    names
}

/// What a walk has found out about each fragment so far.
pub(super) type PerFragment<'a, T> = HashMap<&'a Name, T>;

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn what_is_spread_comes_first() {
        let text = "{...A} fragment A on Q{a{...B}...C} fragment B on Q{...on Q{...C ...Missing}} fragment C on Q{c}";
        let document = parse_query(text).unwrap();
        let order: Vec<&str> = leaves_first(&document).unwrap().into_iter().map(Name::as_str).collect();
        assert_eq!(order, ["C", "B", "A"]);
    }

    #[test]
    fn cycles_are_named_without_what_leads_to_them() {
        let text = "{a} fragment A on Q{...B} fragment B on Q{x{...C}} fragment C on Q{...B}";
        let document = parse_query(text).unwrap();
        let cycle: Vec<&str> = leaves_first(&document).unwrap_err().into_iter().map(Name::as_str).collect();
        assert_eq!(cycle, ["B", "C", "B"]);
        let itself = parse_query("{a} fragment A on Q{...A}").unwrap();
        assert_eq!(leaves_first(&itself).unwrap_err().len(), 2);
    }

    #[test]
    fn reached_follows_chains_and_survives_cycles() {
        let text = "{...A} fragment A on Q{...B} fragment B on Q{...A} fragment C on Q{c}";
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut names: Vec<&str> =
            reached(&document, &operation.node.selection_set.node).into_iter().map(Name::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["A", "B"]);
    }
}
