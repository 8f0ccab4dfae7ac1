//! The access rules of the schema, read from the schema itself.
//!
//! [`SchemaIndex`] is built once from the printed schema and answers, for each field, where it leads and who may read
//! it. A field's own `@auth` wins over that of its type. A field without either is closed to all but admins, and
//! [`SchemaIndex::fields_without_rule`] names it, so that a test keeps the list empty.
//!
//! Before execution the type behind an interface is not known, so a field asked for through an interface is judged by
//! the interface's rule. That is only safe while no implementing type is stricter: see
//! [`SchemaIndex::interfaces_too_open`].

use std::collections::HashMap;

use async_graphql::{
    InputType, Positioned, Value as ConstValue,
    parser::types::{
        BaseType, ConstDirective, FieldDefinition, OperationType, SchemaDefinition, ServiceDocument, Type,
        TypeDefinition, TypeKind, TypeSystemDefinition,
    },
};

use crate::{
    kernel::{Error, Result},
    schema::auth::Access,
};

/// What the schema says about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// The name of the type that the field leads to, without lists and `!`.
    pub ty: String,
    /// Whether null may stand there: in the field, then in the items of its list, and so on inwards.
    pub nullable: Vec<bool>,
    /// What it costs, apart from what is selected below it.
    pub cost: u64,
    /// Who may read it; nothing if neither the field nor its type says so.
    pub access: Option<Access>,
}

#[derive(Debug, Default)]
struct TypeEntry {
    fields: HashMap<String, FieldRule>,
    interfaces: Vec<String>,
    is_abstract: bool,
}

/// Types, fields and access rules of a schema.
#[derive(Debug)]
pub struct SchemaIndex {
    types: HashMap<String, TypeEntry>,
    query: String,
    mutation: String,
    subscription: String,
}

impl SchemaIndex {
    /// Reads a schema in its printed form. Fails if it is not a schema, or a rule is none of [`Access`].
    pub fn from_sdl(sdl: &str) -> Result<Self> {
        Self::of(&super::read_schema(sdl)?)
    }

    /// Of a schema. Fails if a rule is none of [`Access`].
    pub fn of(document: &ServiceDocument) -> Result<Self> {
        let mut index = SchemaIndex {
            types: HashMap::new(),
            query: "Query".to_owned(),
            mutation: "Mutation".to_owned(),
            subscription: "Subscription".to_owned(),
        };
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => index.add_roots(&schema.node),
                TypeSystemDefinition::Type(ty) => index.add_type(&ty.node)?,
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(index)
    }

    /// What the schema says about `field` of the type `ty`, if there is such a field.
    pub fn field(&self, ty: &str, field: &str) -> Option<&FieldRule> {
        self.types.get(ty)?.fields.get(field)
    }

    /// The fields that no rule covers, as `Type.field` in alphabetical order.
    pub fn fields_without_rule(&self) -> Vec<String> {
        let fields =
            self.types.iter().flat_map(|(ty, entry)| entry.fields.iter().map(move |(name, rule)| (ty, name, rule)));
        let open = fields.filter(|(_, _, rule)| rule.access.is_none());
        let mut names: Vec<String> = open.map(|(ty, name, _)| format!("{ty}.{name}")).collect();
        names.sort_unstable();
        names
    }

    /// The fields of interfaces that more people may read than the same field of a type behind it, as
    /// `Interface.field < Type.field` in alphabetical order. Each would be a way around the type's rule.
    pub fn interfaces_too_open(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (ty, entry) in &self.types {
            for interface in &entry.interfaces {
                for (name, own) in &entry.fields {
                    if let Some(shared) = self.field(interface, name)
                        && !covers(shared.access, own.access)
                    {
                        names.push(format!("{interface}.{name} < {ty}.{name}"));
                    }
                }
            }
        }
        names.sort_unstable();
        names
    }

    /// The type that an operation selects from.
    pub(super) fn root(&self, operation: OperationType) -> &str {
        match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        }
    }

    /// The type whose rules hold inside a fragment on `condition` that is spread where the type is `parent`. An object
    /// stays what it is inside a fragment on one of its interfaces or unions.
    pub(super) fn narrowed<'a>(&'a self, parent: Option<&'a str>, condition: &'a str) -> Option<&'a str> {
        let condition_is_abstract = self.types.get(condition)?.is_abstract;
        let parent_is_object = |parent: &&str| self.types.get(*parent).is_some_and(|entry| !entry.is_abstract);
        if condition_is_abstract { parent.filter(parent_is_object).or(Some(condition)) } else { Some(condition) }
    }

    fn add_roots(&mut self, schema: &SchemaDefinition) {
        let named = |root: &Option<Positioned<_>>| root.as_ref().map(ToString::to_string);
        self.query = named(&schema.query).unwrap_or_else(|| std::mem::take(&mut self.query));
        self.mutation = named(&schema.mutation).unwrap_or_else(|| std::mem::take(&mut self.mutation));
        self.subscription = named(&schema.subscription).unwrap_or_else(|| std::mem::take(&mut self.subscription));
    }

    fn add_type(&mut self, ty: &TypeDefinition) -> Result<()> {
        let (fields, implements, is_abstract) = match &ty.kind {
            TypeKind::Object(object) => (&object.fields[..], &object.implements[..], false),
            TypeKind::Interface(interface) => (&interface.fields[..], &interface.implements[..], true),
            TypeKind::Union(_) => (&[][..], &[][..], true),
            TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => return Ok(()),
        };
        let default = access_of(&ty.directives)?;
        let entry = self.types.entry(ty.name.node.to_string()).or_default();
        entry.is_abstract = is_abstract;
        entry.interfaces.extend(implements.iter().map(|name| name.node.to_string()));
        for field in fields {
            let rule = rule_of(&field.node, default)?;
            entry.fields.insert(field.node.name.node.to_string(), rule);
        }
        Ok(())
    }
}

/// Whether everybody who passes `shared` passes `own` as well. Rules about rows let everybody pass here: they are kept
/// where the row is loaded, whatever way leads to it.
fn covers(shared: Option<Access>, own: Option<Access>) -> bool {
    match (shared, own) {
        (_, Some(Access::Public | Access::Party | Access::SelfOnly)) => true,
        (Some(Access::Admin), Some(Access::Moderator)) => true,
        (Some(shared), Some(Access::SignedIn)) => !matches!(shared, Access::Public | Access::Party | Access::SelfOnly),
        (shared, own) => shared == own,
    }
}

fn rule_of(field: &FieldDefinition, default: Option<Access>) -> Result<FieldRule> {
    let (ty, nullable) = named_type(&field.ty.node);
    let access = access_of(&field.directives)?.or(default);
    Ok(FieldRule { ty: ty.to_owned(), nullable, cost: cost_of(&field.directives)?, access })
}

fn named_type(mut ty: &Type) -> (&str, Vec<bool>) {
    let mut nullable = Vec::new();
    loop {
        nullable.push(ty.nullable);
        match &ty.base {
            BaseType::Named(name) => return (name.as_str(), nullable),
            BaseType::List(inner) => ty = inner,
        }
    }
}

/// The rule that `@auth` states among `directives`.
fn access_of(directives: &[Positioned<ConstDirective>]) -> Result<Option<Access>> {
    let Some(auth) = directives.iter().find(|directive| directive.node.name.node == "auth") else {
        return Ok(None);
    };
    let value = auth.node.get_argument("requires").map(|value| value.node.clone());
    match Access::parse(value) {
        Ok(access) => Ok(Some(access)),
        Err(_) => Err(Error::internal(format!("@auth at {} of the schema names no rule that exists", auth.pos))),
    }
}

/// What `@cost` says, or 1.
fn cost_of(directives: &[Positioned<ConstDirective>]) -> Result<u64> {
    let Some(cost) = directives.iter().find(|directive| directive.node.name.node == "cost") else {
        return Ok(1);
    };
    match cost.node.get_argument("weight").map(|weight| &weight.node) {
        Some(ConstValue::Number(weight)) if weight.as_u64().is_some() => Ok(weight.as_u64().unwrap_or(1)),
        _ => Err(Error::internal(format!("@cost at {} of the schema names no weight", cost.pos))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = r#"
        "Says who may read a field."
        directive @auth(requires: Access!) on FIELD_DEFINITION | OBJECT | INTERFACE
        enum Access { PUBLIC SIGNED_IN SELF PARTY CUSTOMER CONTRACTOR MODERATOR ADMIN }
        interface Node @auth(requires: PUBLIC) { id: ID! secret: Int }
        type Job implements Node @auth(requires: SIGNED_IN) {
          id: ID! @auth(requires: PUBLIC)
          secret: Int @auth(requires: MODERATOR)
          offers(first: Int = 10): [[Offer!]!]!
        }
        type Offer { id: ID! amount: Int @auth(requires: PARTY) }
        extend type Offer { note: String @auth(requires: SELF) }
        union Found = Job | Offer
        input Filter { id: ID }
        type Root @auth(requires: PUBLIC) { job: Job! }
        schema { query: Root }
    "#;

    #[test]
    fn a_rule_on_the_field_wins_over_that_of_its_type() {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        let access = |ty, field| index.field(ty, field).unwrap().access;
        assert_eq!(access("Job", "id"), Some(Access::Public));
        assert_eq!(access("Job", "offers"), Some(Access::SignedIn));
        assert_eq!(access("Offer", "note"), Some(Access::SelfOnly));
        assert_eq!(index.field("Job", "nothing"), None);
        assert_eq!(index.field("Filter", "id"), None);
    }

    #[test]
    fn fields_lead_to_their_named_type() {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        let offers = index.field("Job", "offers").unwrap();
        assert_eq!((offers.ty.as_str(), &offers.nullable[..]), ("Offer", &[false, false, false][..]));
        assert_eq!(index.field("Root", "job").unwrap().nullable, [false]);
        assert_eq!(index.root(OperationType::Query), "Root");
        assert_eq!(index.root(OperationType::Mutation), "Mutation");
    }

    #[test]
    fn gaps_are_named() {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        assert_eq!(index.fields_without_rule(), ["Offer.id"]);
        assert_eq!(index.interfaces_too_open(), ["Node.secret < Job.secret"]);
    }

    #[test]
    fn a_rule_covers_those_it_lets_through() {
        use Access::{Admin, Customer, Moderator, Party, Public, SignedIn};
        for (shared, own) in
            [(Public, Public), (Public, Party), (Admin, Moderator), (Customer, SignedIn), (Admin, Public)]
        {
            assert!(covers(Some(shared), Some(own)), "{shared:?} {own:?}");
        }
        for (shared, own) in [(Public, SignedIn), (Moderator, Admin), (Party, SignedIn), (Party, Customer)] {
            assert!(!covers(Some(shared), Some(own)), "{shared:?} {own:?}");
        }
        assert!(!covers(Some(SignedIn), None));
    }

    #[test]
    fn an_object_keeps_its_rules_inside_fragments_on_its_interfaces() {
        let index = SchemaIndex::from_sdl(SDL).unwrap();
        assert_eq!(index.narrowed(Some("Job"), "Node"), Some("Job"));
        assert_eq!(index.narrowed(Some("Job"), "Found"), Some("Job"));
        assert_eq!(index.narrowed(Some("Node"), "Job"), Some("Job"));
        assert_eq!(index.narrowed(Some("Found"), "Node"), Some("Node"));
        assert_eq!(index.narrowed(None, "Node"), Some("Node"));
        assert_eq!(index.narrowed(Some("Job"), "Nothing"), None);
    }

    #[test]
    fn what_is_no_schema_or_no_rule_is_an_error() {
        assert!(SchemaIndex::from_sdl("type Query {").is_err());
        assert!(SchemaIndex::from_sdl("type Query { a: Int @auth(requires: EVERYBODY) }").is_err());
        assert!(SchemaIndex::from_sdl("type Query { a: Int @auth }").is_err());
    }

    mod printed {
        use async_graphql::{EmptyMutation, EmptySubscription, Object, SDLExportOptions, Schema, SimpleObject};

        use super::*;
        use crate::schema::auth;

        #[derive(SimpleObject)]
        #[graphql(directive = auth::auth::apply(Access::Party))]
        struct Purse {
            balance: i32,
            #[graphql(directive = auth::auth::apply(Access::SelfOnly))]
            pin: i32,
        }

        struct Query;

        #[Object]
        impl Query {
            #[graphql(directive = auth::auth::apply(Access::SignedIn))]
            async fn purses(&self) -> Vec<Purse> {
                vec![Purse { balance: 1, pin: 2 }]
            }
        }

        #[test]
        fn the_rules_of_the_code_come_through_the_printed_schema() {
            let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
            let index = SchemaIndex::from_sdl(&schema.sdl_with_options(SDLExportOptions::new())).unwrap();
            let access = |ty, field| index.field(ty, field).unwrap().access;
            assert_eq!(access("Query", "purses"), Some(Access::SignedIn));
            assert_eq!(access("Purse", "balance"), Some(Access::Party));
            assert_eq!(access("Purse", "pin"), Some(Access::SelfOnly));
            assert!(index.fields_without_rule().is_empty());
        }
    }
}
