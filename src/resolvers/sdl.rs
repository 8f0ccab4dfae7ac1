//! The schema as people read it: what `gigwire schema` prints and `schema.graphql` holds.
//!
//! The engine's own text is parsed and written anew: types and directives by name, `@auth` on every field (also where the
//! type gave the rule), and without the definitions of directives that every GraphQL tool brings along. The form is that
//! of graphql-js, so that other tools print the same. Printing what was printed changes nothing.

use std::fmt::Write as _;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, DirectiveDefinition, DirectiveLocation, EnumValueDefinition, FieldDefinition, InputValueDefinition,
    SchemaDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

use crate::kernel::{Error, Result};

/// Directives of the specification: every tool knows them.
const BUILT_IN: [&str; 5] = ["include", "skip", "deprecated", "specifiedBy", "oneOf"];
/// The directive that says who may read a field.
const AUTH: &str = "auth";
/// What the arguments of our directives say. The engine shows it to introspection but does not print it.
const SAID: [(&str, &str); 2] = [(AUTH, "What it needs."), ("cost", "How much.")];
/// Characters of a description that fit on one line.
const ONE_LINE: usize = 70;

/// The schema of the API.
pub fn sdl() -> Result<String> {
    print(&super::raw_sdl(&super::builder().finish()))
}

/// Writes a schema anew.
pub fn print(schema: &str) -> Result<String> {
    let document =
        parse_schema(schema).map_err(|error| Error::internal(format!("the schema is unreadable: {error}")))?;
    // The schema itself first, then directives, then types.
    let mut parts: Vec<(u8, String, String)> = Vec::new();
    for definition in &document.definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) => parts.push((0, String::new(), schema_text(&schema.node))),
            TypeSystemDefinition::Directive(directive) => {
                let name = directive.node.name.node.to_string();
                if !BUILT_IN.contains(&name.as_str()) {
                    parts.push((1, name, directive_text(&directive.node)));
                }
            }
            TypeSystemDefinition::Type(ty) => parts.push((2, ty.node.name.node.to_string(), type_text(&ty.node))),
        }
    }
    parts.sort();
    let texts: Vec<_> = parts.into_iter().map(|(_, _, text)| text).collect();
    Ok(texts.join("\n"))
}

fn schema_text(schema: &SchemaDefinition) -> String {
    let roots = [("query", &schema.query), ("mutation", &schema.mutation), ("subscription", &schema.subscription)];
    let mut out = "schema {\n".to_owned();
    for (root, name) in roots {
        if let Some(name) = name {
            let _ = writeln!(out, "  {root}: {name}");
        }
    }
    out + "}\n"
}

fn directive_text(directive: &DirectiveDefinition) -> String {
    let mut out = String::new();
    describe(&mut out, &directive.description, "");
    let _ = write!(out, "directive @{}", directive.name);
    let mut takes = directive.arguments.clone();
    if let Some((_, said)) = SAID.iter().find(|(name, _)| directive.name.node == *name) {
        let bare = takes.iter_mut().filter(|argument| argument.node.description.is_none());
        bare.for_each(|argument| argument.node.description = Some(Positioned::new((*said).to_owned(), argument.pos)));
    }
    arguments(&mut out, &takes, "");
    if directive.is_repeatable {
        out.push_str(" repeatable");
    }
    let mut places: Vec<_> = directive.locations.iter().map(|place| location(place.node)).collect();
    places.sort_unstable();
    let _ = writeln!(out, " on {}", places.join(" | "));
    out
}

fn type_text(ty: &TypeDefinition) -> String {
    let mut out = String::new();
    describe(&mut out, &ty.description, "");
    let word = match &ty.kind {
        TypeKind::Scalar => "scalar",
        TypeKind::Object(_) => "type",
        TypeKind::Interface(_) => "interface",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(_) => "enum",
        TypeKind::InputObject(_) => "input",
    };
    let _ = write!(out, "{word} {}", ty.name);
    let implemented = match &ty.kind {
        TypeKind::Object(object) => sorted(&object.implements, ToString::to_string),
        TypeKind::Interface(interface) => sorted(&interface.implements, ToString::to_string),
        _ => Vec::new(),
    };
    if !implemented.is_empty() {
        let names: Vec<_> = implemented.into_iter().map(ToString::to_string).collect();
        let _ = write!(out, " implements {}", names.join(" & "));
    }
    // Its fields repeat the rule, one by one.
    directives(&mut out, ty.directives.iter().filter(|directive| directive.node.name.node != AUTH));
    let rule = ty.directives.iter().find(|directive| directive.node.name.node == AUTH);
    match &ty.kind {
        TypeKind::Scalar => {}
        TypeKind::Object(object) => {
            block(&mut out, &object.fields, field_name, |out, field| field_text(out, field, rule))
        }
        TypeKind::Interface(interface) => {
            block(&mut out, &interface.fields, field_name, |out, field| field_text(out, field, rule));
        }
        TypeKind::Union(union) => {
            let members: Vec<_> = sorted(&union.members, ToString::to_string).iter().map(ToString::to_string).collect();
            let _ = write!(out, " = {}", members.join(" | "));
        }
        TypeKind::Enum(values) => block(&mut out, &values.values, |value| value.value.to_string(), value_text),
        TypeKind::InputObject(input) => block(
            &mut out,
            &input.fields,
            |field| field.name.to_string(),
            |out, field| {
                describe(out, &field.description, "  ");
                let _ = write!(out, "  {}", input_text(field));
            },
        ),
    }
    out.push('\n');
    out
}

fn field_name(field: &FieldDefinition) -> String {
    field.name.to_string()
}

fn sorted<T>(items: &[Positioned<T>], name: impl Fn(&T) -> String) -> Vec<&T> {
    let mut items: Vec<_> = items.iter().map(|item| &item.node).collect();
    items.sort_by_key(|item| name(item));
    items
}

/// Braces around sorted members. A member with a description stands apart from the one before it.
fn block<T>(out: &mut String, items: &[Positioned<T>], name: impl Fn(&T) -> String, each: impl Fn(&mut String, &T)) {
    out.push_str(" {\n");
    for (index, item) in sorted(items, name).into_iter().enumerate() {
        let mut text = String::new();
        each(&mut text, item);
        if index > 0 && text.trim_start().starts_with('"') {
            out.push('\n');
        }
        out.push_str(&text);
        out.push('\n');
    }
    out.push('}');
}

fn field_text(out: &mut String, field: &FieldDefinition, rule: Option<&Positioned<ConstDirective>>) {
    describe(out, &field.description, "  ");
    let _ = write!(out, "  {}", field.name);
    arguments(out, &field.arguments, "  ");
    let _ = write!(out, ": {}", field.ty);
    let has_own = field.directives.iter().any(|directive| directive.node.name.node == AUTH);
    directives(out, field.directives.iter().chain(rule.filter(|_| !has_own)));
}

fn value_text(out: &mut String, value: &EnumValueDefinition) {
    describe(out, &value.description, "  ");
    let _ = write!(out, "  {}", value.value);
    directives(out, value.directives.iter());
}

/// Arguments on one line, or each on its own when one has a description.
fn arguments(out: &mut String, arguments: &[Positioned<InputValueDefinition>], indent: &str) {
    if arguments.is_empty() {
        return;
    }
    let arguments = sorted(arguments, |argument| argument.name.to_string());
    if arguments.iter().all(|argument| argument.description.is_none()) {
        let texts: Vec<_> = arguments.into_iter().map(input_text).collect();
        let _ = write!(out, "({})", texts.join(", "));
        return;
    }
    out.push_str("(\n");
    for (index, argument) in arguments.into_iter().enumerate() {
        if index > 0 && argument.description.is_some() {
            out.push('\n');
        }
        describe(out, &argument.description, &format!("{indent}  "));
        let _ = writeln!(out, "{indent}  {}", input_text(argument));
    }
    let _ = write!(out, "{indent})");
}

fn input_text(input: &InputValueDefinition) -> String {
    let mut out = format!("{}: {}", input.name, input.ty);
    if let Some(default) = &input.default_value {
        let _ = write!(out, " = {default}");
    }
    directives(&mut out, input.directives.iter());
    out
}

fn directives<'a>(out: &mut String, directives: impl Iterator<Item = &'a Positioned<ConstDirective>>) {
    let mut texts: Vec<_> = directives.map(|directive| directive_use(&directive.node)).collect();
    texts.sort();
    for text in texts {
        let _ = write!(out, " {text}");
    }
}

fn directive_use(directive: &ConstDirective) -> String {
    if directive.arguments.is_empty() {
        return format!("@{}", directive.name);
    }
    let arguments: Vec<_> = directive.arguments.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("@{}({})", directive.name, arguments.join(", "))
}

fn describe(out: &mut String, description: &Option<Positioned<String>>, indent: &str) {
    let Some(description) = description else { return };
    let text = description.node.replace("\"\"\"", "\\\"\"\"");
    let fits = !text.contains('\n') && text.chars().count() <= ONE_LINE && !text.ends_with(['"', '\\']);
    if fits {
        let _ = writeln!(out, "{indent}\"\"\"{text}\"\"\"");
        return;
    }
    let _ = writeln!(out, "{indent}\"\"\"");
    for line in text.lines() {
        let _ = writeln!(out, "{}", format!("{indent}{line}").trim_end());
    }
    let _ = writeln!(out, "{indent}\"\"\"");
}

fn location(location: DirectiveLocation) -> &'static str {
    match location {
        DirectiveLocation::Query => "QUERY",
        DirectiveLocation::Mutation => "MUTATION",
        DirectiveLocation::Subscription => "SUBSCRIPTION",
        DirectiveLocation::Field => "FIELD",
        DirectiveLocation::FragmentDefinition => "FRAGMENT_DEFINITION",
        DirectiveLocation::FragmentSpread => "FRAGMENT_SPREAD",
        DirectiveLocation::InlineFragment => "INLINE_FRAGMENT",
        DirectiveLocation::Schema => "SCHEMA",
        DirectiveLocation::Scalar => "SCALAR",
        DirectiveLocation::Object => "OBJECT",
        DirectiveLocation::FieldDefinition => "FIELD_DEFINITION",
        DirectiveLocation::ArgumentDefinition => "ARGUMENT_DEFINITION",
        DirectiveLocation::Interface => "INTERFACE",
        DirectiveLocation::Union => "UNION",
        DirectiveLocation::Enum => "ENUM",
        DirectiveLocation::EnumValue => "ENUM_VALUE",
        DirectiveLocation::InputObject => "INPUT_OBJECT",
        DirectiveLocation::InputFieldDefinition => "INPUT_FIELD_DEFINITION",
        DirectiveLocation::VariableDefinition => "VARIABLE_DEFINITION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"
        """Things."""
        type Thing implements Node & Has @auth(requires: PUBLIC) {
          "The b."
          b(z: Int = 3, "Described." a: [String!]! = ["x"]): Int! @deprecated(reason: "Use \"a\".")
          a: Int @auth(requires: ADMIN)
        }
        interface Node @auth(requires: PARTY) { id: ID! }
        interface Has { other: Int }
        union Found = Thing | Other
        enum Colour { RED "Like grass, and a text that goes on and on until it does not fit on one line." GREEN }
        input Choice @oneOf { b: Int a: String }
        scalar When @specifiedBy(url: "https://example.org")
        directive @auth(requires: Access!) on OBJECT | FIELD_DEFINITION
        directive @include(if: Boolean!) on FIELD
        schema { query: Thing }
    "#;

    #[test]
    fn everything_is_sorted_and_every_field_has_its_rule() {
        let text = print(SCHEMA).unwrap();
        let expected = r#"
"""Things."""
type Thing implements Has & Node {
  a: Int @auth(requires: ADMIN)

  """The b."""
  b(
    """Described."""
    a: [String!]! = ["x"]
    z: Int = 3
  ): Int! @auth(requires: PUBLIC) @deprecated(reason: "Use \"a\".")
}
"#;
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with("schema {\n  query: Thing\n}\n\ndirective @auth"), "{text}");
        assert!(text.contains("input Choice @oneOf {\n  a: String\n  b: Int\n}\n"), "{text}");
        assert!(text.contains("  RED\n}") && text.contains("  \"\"\"\n  Like grass"), "{text}");
        assert!(!text.contains("@include"), "{text}");
    }

    #[test]
    fn printing_again_changes_nothing() {
        for schema in [print(SCHEMA), sdl()] {
            let once = schema.unwrap();
            assert_eq!(print(&once).unwrap(), once);
        }
    }

    #[test]
    fn each_field_of_the_api_says_who_may_read_it() {
        let text = sdl().unwrap();
        let document = parse_schema(&text).unwrap();
        for definition in &document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let fields = match &ty.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            for field in fields {
                let has_rule = field.node.directives.iter().any(|directive| directive.node.name.node == AUTH);
                assert!(has_rule, "{}.{}", ty.node.name, field.node.name);
            }
        }
    }
}
