//! What an operation asks for: the access it needs, and what it costs.
//!
//! Both are walks that never follow a spread into its fragment by recursing. The one here goes from the operation
//! downwards and reads each fragment once for each type whose rules hold in it; the one in `cost` goes from the
//! fragments without spreads upwards.

use std::collections::{HashSet, VecDeque};

use async_graphql::{
    Name, Variables,
    parser::types::{ExecutableDocument, Field, InlineFragment, OperationDefinition, Selection, SelectionSet},
};

use super::{access::SchemaIndex, cost::Costs};
use crate::schema::auth::Access;

/// What is known about a viewer before any row is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Somebody is signed in.
    pub signed_in: bool,
    /// Has the role CUSTOMER.
    pub customer: bool,
    /// Has the role CONTRACTOR.
    pub contractor: bool,
    /// Has the role MODERATOR.
    pub moderator: bool,
    /// Has the role ADMIN.
    pub admin: bool,
}

impl Standing {
    /// Whether this viewer may ask for fields with the rule `access`. Rules about rows are kept where the row is loaded:
    /// nobody holds the object who may not see it, also not somebody who has just signed up in the same request.
    pub fn meets(&self, access: Access) -> bool {
        match access {
            Access::Public | Access::SelfOnly | Access::Party => true,
            Access::SignedIn => self.signed_in,
            Access::Customer => self.signed_in && self.customer,
            Access::Contractor => self.signed_in && self.contractor,
            Access::Moderator => self.signed_in && (self.moderator || self.admin),
            Access::Admin => self.signed_in && self.admin,
        }
    }
}

/// What an operation asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The rules that its fields have, each once, with the path in the answer where it was met first.
    pub access: Vec<(Access, Vec<String>)>,
    /// Each field 1, times the rows of the pages around it.
    pub cost: u64,
}

impl Requirements {
    /// The first rule that the viewer does not meet, and where.
    pub fn refused(&self, standing: Standing) -> Option<(Access, &[String])> {
        let unmet = self.access.iter().find(|(access, _)| !standing.meets(*access));
        unmet.map(|(access, path)| (*access, path.as_slice()))
    }

    /// Whether everybody may see everything in the answer, so that one answer may be shared by all.
    pub fn is_public(&self) -> bool {
        self.refused(Standing::default()).is_none()
    }
}

impl SchemaIndex {
    /// What `operation` of `document` asks for, with the variables it is sent with. Fields that do not exist need
    /// nothing, validation refuses them. Fields without a rule need [`Access::Admin`].
    pub fn requirements(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Requirements {
        let view = View { index: self, document };
        let root = Some(self.root(operation.ty));
        let set = &operation.selection_set.node;
        let mut rules = Rules { view, access: Vec::new(), seen: HashSet::new(), pending: VecDeque::new() };
        rules.read(set, root, &mut Vec::new());
        while let Some((place, mut path)) = rules.pending.pop_front() {
            if let Some(inside) = view.body(place.fragment) {
                rules.read(inside, place.ty, &mut path);
            }
        }
        let cost =
            Costs::new(view, operation, variables, &rules.seen).map_or(u64::MAX, |costs| costs.of_set(set, root));
        Requirements { access: rules.access, cost }
    }
}

/// A document in the light of a schema.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) index: &'a SchemaIndex,
    pub(super) document: &'a ExecutableDocument,
}

/// A fragment, and the type whose rules hold in it where it is spread.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place<'a> {
    pub(super) fragment: &'a Name,
    pub(super) ty: Option<&'a str>,
}

impl<'a> View<'a> {
    /// Where `field` of `parent` leads: a type, or nowhere that has rules.
    pub(super) fn target(self, parent: Option<&str>, field: &Field) -> Option<&'a str> {
        self.index.field(parent?, &field.name.node).map(|rule| rule.ty.as_str())
    }

    /// What `field` of `parent` costs by itself.
    pub(super) fn weight(self, parent: Option<&str>, field: &Field) -> u64 {
        parent.and_then(|parent| self.index.field(parent, &field.name.node)).map_or(1, |rule| rule.cost)
    }

    /// The type whose rules hold inside `inline` in a selection from `parent`.
    pub(super) fn inside(self, inline: &'a InlineFragment, parent: Option<&'a str>) -> Option<&'a str> {
        match &inline.type_condition {
            Some(condition) => self.index.narrowed(parent, &condition.node.on.node),
            None => parent,
        }
    }

    /// The place that `fragment` has in a selection from `parent`, if there is such a fragment.
    pub(super) fn place(self, fragment: &'a Name, parent: Option<&'a str>) -> Option<Place<'a>> {
        let condition = &self.document.fragments.get(fragment)?.node.type_condition;
        Some(Place { fragment, ty: self.index.narrowed(parent, &condition.node.on.node) })
    }

    /// What `fragment` selects.
    pub(super) fn body(self, fragment: &Name) -> Option<&'a SelectionSet> {
        self.document.fragments.get(fragment).map(|fragment| &fragment.node.selection_set.node)
    }
}

/// The walk that collects rules.
struct Rules<'a> {
    view: View<'a>,
    access: Vec<(Access, Vec<String>)>,
    seen: HashSet<Place<'a>>,
    /// Places to read yet, with the path in the answer at their first spread.
    pending: VecDeque<(Place<'a>, Vec<String>)>,
}

impl<'a> Rules<'a> {
    /// Reads what `set` selects from `parent`, and notes the fragments that it spreads for later.
    fn read(&mut self, set: &'a SelectionSet, parent: Option<&'a str>, path: &mut Vec<String>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    path.push(field.node.response_key().node.to_string());
                    self.need(&field.node, parent, path);
                    self.read(&field.node.selection_set.node, self.view.target(parent, &field.node), path);
                    path.pop();
                }
                Selection::InlineFragment(inline) => {
                    let inside = self.view.inside(&inline.node, parent);
                    self.read(&inline.node.selection_set.node, inside, path);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(place) = self.view.place(&spread.node.fragment_name.node, parent)
                        && self.seen.insert(place)
                    {
                        self.pending.push_back((place, path.clone()));
                    }
                }
            }
        }
    }

    /// Fields of introspection have no rule because the index does not know them.
    fn need(&mut self, field: &Field, parent: Option<&str>, path: &[String]) {
        let Some(rule) = parent.and_then(|parent| self.view.index.field(parent, &field.name.node)) else {
            return;
        };
        let access = rule.access.unwrap_or(Access::Admin);
        if self.access.iter().all(|(known, _)| *known != access) {
            self.access.push((access, path.to_vec()));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::server::documents::{Limits, check, hoist::choose};

    pub(in crate::server::documents) const SDL: &str = "
        type Query @auth(requires: PUBLIC) {
          jobs(first: Int, last: Int): JobConnection!
          node: Node
          found: [Found!]!
          viewer: Viewer @auth(requires: SIGNED_IN)
          alerts(first: Int): [String!]! @auth(requires: MODERATOR)
          forgotten: Lost
        }
        type Lost { thing: Int }
        type Mutation @auth(requires: ADMIN) { jobPost: Job @auth(requires: CUSTOMER) }
        type Subscription @auth(requires: PARTY) { jobChanged: Job }
        interface Node @auth(requires: PUBLIC) { id: ID! }
        type Viewer implements Node @auth(requires: SELF) { id: ID! jobs(first: Int): JobConnection! }
        type JobConnection @auth(requires: PUBLIC) { nodes: [Job!]! }
        type Job implements Node @auth(requires: PUBLIC) {
          id: ID!
          title: String
          offers(first: Int): JobConnection! @auth(requires: PARTY)
          score: Int @auth(requires: CONTRACTOR)
        }
        union Found = Job | Viewer
    ";

    pub(in crate::server::documents) fn required_with(text: &str, variables: serde_json::Value) -> Requirements {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        let document = check(text, &Limits::default()).unwrap();
        let chosen = choose(&document, None).unwrap();
        index.requirements(&document, &chosen.operation.node, &Variables::from_json(variables))
    }

    pub(in crate::server::documents) fn required(text: &str) -> Requirements {
        required_with(text, serde_json::Value::Null)
    }

    fn access(text: &str) -> Vec<(Access, String)> {
        required(text).access.into_iter().map(|(access, path)| (access, path.join("."))).collect()
    }

    #[test]
    fn each_rule_is_named_once_where_it_is_met_first() {
        let text = "{ jobs { nodes { id mine: score } } viewer { id jobs { nodes { score ...O } } } }
             fragment O on Job { offers { nodes { offers { nodes { id } } } } }";
        let expected = [
            (Access::Public, "jobs"),
            (Access::Contractor, "jobs.nodes.mine"),
            (Access::SignedIn, "viewer"),
            (Access::SelfOnly, "viewer.id"),
            (Access::Party, "viewer.jobs.nodes.offers"),
        ];
        assert_eq!(access(text), expected.map(|(access, path)| (access, path.to_owned())));
    }

    #[test]
    fn roots_have_their_own_rules() {
        assert_eq!(access("mutation { jobPost { id } }")[0], (Access::Customer, "jobPost".to_owned()));
        assert_eq!(access("subscription { x: jobChanged { id } }")[0], (Access::Party, "x".to_owned()));
    }

    #[test]
    fn fragments_are_judged_on_the_type_that_they_are_spread_on() {
        let text = |field: &str| format!("{{ {field} }} fragment N on Node {{ ... on Node {{ id }} }}");
        assert!(required(&text("jobs { nodes { ...N } }")).is_public());
        assert!(required(&text("node { ...N }")).is_public());
        assert!(access(&text("viewer { ...N }")).contains(&(Access::SelfOnly, "viewer.id".to_owned())));
        assert!(access(&text("found { ... on Viewer { ...N } }")).contains(&(Access::SelfOnly, "found.id".to_owned())));
        let both = "{ jobs { nodes { ...N } } node { ... on Viewer { ...N } } } fragment N on Node { id }";
        assert!(access(both).contains(&(Access::SelfOnly, "node.id".to_owned())));
    }

    #[test]
    fn introspection_is_public_and_unknown_fields_are_left_to_validation() {
        assert!(
            required("{ __typename __schema { types { name } } jobs { __typename nodes { nothing { x } } } }")
                .is_public()
        );
        assert!(access("{ nothing { id } ...Missing ... on Nothing { id } }").is_empty());
    }

    #[test]
    fn a_field_without_a_rule_is_for_admins() {
        assert_eq!(access("{ forgotten { thing } }")[1], (Access::Admin, "forgotten.thing".to_owned()));
    }

    #[test]
    fn standing_is_compared_with_the_rules() {
        use Access::{Admin, Contractor, Customer, Moderator, Party, Public, SelfOnly, SignedIn};
        let all = [Public, SignedIn, SelfOnly, Party, Customer, Contractor, Moderator, Admin];
        let met = |standing: Standing| all.into_iter().filter(|access| standing.meets(*access)).collect::<Vec<_>>();
        let signed_in = Standing { signed_in: true, ..Standing::default() };
        assert_eq!(met(Standing::default()), [Public, SelfOnly, Party]);
        assert_eq!(met(Standing { admin: true, customer: true, ..Standing::default() }), [Public, SelfOnly, Party]);
        assert_eq!(met(signed_in), [Public, SignedIn, SelfOnly, Party]);
        assert_eq!(met(Standing { customer: true, ..signed_in })[4..], [Customer]);
        assert_eq!(met(Standing { contractor: true, ..signed_in })[4..], [Contractor]);
        assert_eq!(met(Standing { moderator: true, ..signed_in })[4..], [Moderator]);
        assert_eq!(met(Standing { admin: true, ..signed_in })[4..], [Moderator, Admin]);
        let alerts = required("{ jobs { nodes { id } } now: alerts }");
        assert_eq!(alerts.refused(signed_in), Some((Moderator, &["now".to_owned()][..])));
        assert_eq!(alerts.refused(Standing { admin: true, ..signed_in }), None);
    }
}
