//! GraphQL documents before they run: what may be parsed, which operation is meant, whom it asks of.
//!
//! A document passes three gates, each cheap enough to stand in front of the next, on every way in (HTTP, sockets,
//! streams, registration of persisted queries):
//!
//! 1. `scan`: one pass over the bytes that never recurses. It bounds everything the parser's time and stack depend on,
//!    because the parser itself overflows the stack on a few kilobytes of `[`.
//! 2. The parser of async-graphql.
//! 3. `weigh`: how large the document becomes once its fragments are spread, computed once per fragment. The
//!    validation behind it follows each spread without memory, so a small document could keep it busy for seconds.
//!
//! [`check`] is all three. For what is sent with the document, [`check_json_depth`] is the scan, before the JSON is
//! parsed, and [`check_variables`] the weighing, once the operation is chosen.
//! Behind the gates, [`hoist`] picks the operation and gives subscriptions a plain root, [`InputIndex`] holds its
//! variables against their types, and [`access`] says who may run it and what it costs. `roots` joins what its root
//! selects twice. After it ran, `nulls` puts the answer right where fields failed, and `roots` its fields in a row.
//!
//! To add a limit: a field of [`Limits`] with its default and its unit, the count in `scan` (when tokens show it) or in
//! `weigh` (when the tree does), and an attack in `attacks` that it refuses.

pub mod access;
#[cfg(test)]
mod attacks;
pub mod cache;
mod cost;
mod fragments;
pub mod hoist;
mod inputs;
mod lexemes;
mod limits;
mod nulls;
mod refusal;
mod requirements;
mod roots;
mod scan;
mod variables;
mod weigh;

use async_graphql::parser::types::{ExecutableDocument, ServiceDocument};
use async_graphql::parser::{parse_query, parse_schema};

pub use inputs::InputIndex;
pub use limits::Limits;
pub use refusal::{Refusal, RefusalCode};
pub use requirements::{Requirements, Standing};
pub use roots::Roots;
pub use variables::{MAX_JSON_DEPTH, MAX_VARIABLE_BYTES, check_json_depth, check_variables};
pub use weigh::uses_of_variables;

use crate::kernel::Error;

/// Reads a schema in its printed form.
pub fn read_schema(sdl: &str) -> Result<ServiceDocument, Error> {
    parse_schema(sdl).map_err(|error| Error::internal(format!("the schema is unreadable: {error}")))
}

/// Parses `text` if it keeps the limits. The document that comes back is safe to validate: fragments have no cycles,
/// and spreading them stays within [`Limits::fields`], [`Limits::nodes`] and [`Limits::levels`]. Fragments that do not
/// exist, wrong types and the like are left to validation.
pub fn check(text: &str, limits: &Limits) -> Result<ExecutableDocument, Refusal> {
    scan::scan(text, limits)?;
    let document = parse_query(text).map_err(|error| Refusal::from_parser(&error))?;
    weigh::weigh(&document, limits)?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What GraphiQL and other tools send to learn the schema, with every option of graphql-js switched on.
    pub(super) const FULL_INTROSPECTION: &str = r#"
        query IntrospectionQuery {
          __schema {
            description
            queryType { name kind }
            mutationType { name kind }
            subscriptionType { name kind }
            types { ...FullType }
            directives {
              name
              description
              isRepeatable
              locations
              args(includeDeprecated: true) { ...InputValue }
            }
          }
        }
        fragment FullType on __Type {
          kind
          name
          description
          specifiedByURL
          isOneOf
          fields(includeDeprecated: true) {
            name
            description
            args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef }
            isDeprecated
            deprecationReason
          }
          inputFields(includeDeprecated: true) { ...InputValue }
          interfaces { ...TypeRef }
          enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
          possibleTypes { ...TypeRef }
        }
        fragment InputValue on __InputValue {
          name
          description
          type { ...TypeRef }
          defaultValue
          isDeprecated
          deprecationReason
        }
        fragment TypeRef on __Type {
          kind
          name
          ofType { kind name
            ofType { kind name
              ofType { kind name
                ofType { kind name
                  ofType { kind name
                    ofType { kind name
                      ofType { kind name
                        ofType { kind name
                          ofType { kind name }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
    "#;

    #[test]
    fn graphiql_may_introspect_even_signed_out() {
        check(FULL_INTROSPECTION, &Limits::signed_out()).unwrap();
        let older = FULL_INTROSPECTION.replace("specifiedByURL", "specifiedByUrl").replace("isOneOf", "");
        check(&older, &Limits::signed_out()).unwrap();
    }

    #[test]
    fn an_ordinary_document_passes() {
        let text = r#"
            # Both sides of a chat.
            query Chat($id: ID!, $first: Int = 20, $order: [String!]! = ["a", "b"]) {
              conversation(id: $id) {
                ...Head
                messages(first: $first, filter: { after: "2024", kinds: [TEXT, IMAGE] }) {
                  edges { cursor node { id content sender { ...Person } } }
                  pageInfo { hasNextPage endCursor }
                }
              }
            }
            fragment Head on Conversation { id participants { ...Person } ... on Conversation @include(if: true) { isActive } }
            fragment Person on User { id displayName }
        "#;
        let document = check(text, &Limits::default()).unwrap();
        assert_eq!(document.fragments.len(), 2);
    }

    #[test]
    fn a_syntax_error_points_at_its_place_and_stays_short() {
        let text = format!("{{ a(x: ) {} }}", "b ".repeat(1_000));
        let refusal = check(&text, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Syntax);
        assert_eq!(refusal.location, Some((1, 8)));
        assert!(refusal.message.len() < 200, "{}", refusal.message);
        assert!(refusal.message.starts_with("Syntax error: expected"), "{}", refusal.message);
    }

    #[test]
    fn doubled_names_are_invalid_and_no_operation_is_none_to_run() {
        let code = |text| check(text, &Limits::default()).unwrap_err().code;
        assert_eq!(code("query A { a } query A { b }"), RefusalCode::Invalid);
        assert_eq!(code("{ a } query A { b }"), RefusalCode::Invalid);
        assert_eq!(code("{ ...F } fragment F on Q { a } fragment F on Q { b }"), RefusalCode::Invalid);
        assert_eq!(code("fragment F on Q { a }"), RefusalCode::Operation);
    }
}
