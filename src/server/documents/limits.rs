//! How large a document may be. Each limit is a number of its own, because each guards another part of the engine.

/// Bytes of a document from a signed-in user.
pub const SIGNED_IN_BYTES: usize = 64 * 1024;
/// Bytes of a document from anybody else.
pub const SIGNED_OUT_BYTES: usize = 16 * 1024;
/// Levels of `{`, `[` and `(` inside each other. Guards the stack: parser and walks recurse per level.
pub const NESTING: usize = 32;
/// Lexical tokens; for scale, the full introspection query has about 200.
pub const TOKENS: usize = 4_000;
/// Fields that are given another name.
pub const ALIASES: usize = 30;
/// Fragment definitions. Component-driven front ends have many small ones.
pub const FRAGMENTS: usize = 200;
/// Uses of directives.
pub const DIRECTIVES: usize = 50;
/// Fields at the root of a mutation, which run one after the other.
pub const MUTATION_FIELDS: usize = 5;
/// Operations that one document may hold, of which one runs.
pub const OPERATIONS: usize = 5;
/// Fields of an operation with its fragments spread: what is validated and executed.
pub const FIELDS: usize = 2_000;
/// Selections, directives and argument values with fragments spread. Spreads without fields of their own and repeated
/// lists in arguments cost validation time that a count of fields does not show.
pub const NODES: usize = 10_000;
/// Fields, inline fragments and spreads below each other with fragments spread. Guards the stack of validation and
/// execution, which recurse into each: a chain of fragments is as deep as all of its members together. The engine
/// itself stops here too, 32 selections below the first, with an error that says less.
pub const LEVELS: usize = 33;
/// Fields below each other.
pub const DEPTH: usize = 12;
/// Fields below `__schema` or `__type`; the full introspection query needs 15.
pub const INTROSPECTION_DEPTH: usize = 20;
/// Lists of types or fields below each other in introspection: each multiplies the answer by the size of the schema.
/// The full introspection query needs two, the fields of all types.
pub const INTROSPECTION_LISTS_NESTED: usize = 2;
/// Such lists in one operation, of which the full introspection query has five.
pub const INTROSPECTION_LISTS: usize = 12;

/// The limits that one document must keep. [`Limits::default`] is for people who are not signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Levels of brackets of any kind.
    pub nesting: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Aliases.
    pub aliases: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Uses of directives.
    pub directives: usize,
    /// Root fields of a mutation.
    pub mutation_fields: usize,
    /// Operations in the document.
    pub operations: usize,
    /// Fields with fragments spread, for each operation.
    pub fields: usize,
    /// Selections, directives and argument values with fragments spread, for each operation.
    pub nodes: usize,
    /// Fields, inline fragments and spreads below each other, for each operation.
    pub levels: usize,
    /// Fields below each other, outside of introspection.
    pub depth: usize,
    /// Fields below `__schema` and `__type`.
    pub introspection_depth: usize,
    /// Lists of types or fields below each other in introspection.
    pub introspection_lists_nested: usize,
    /// Lists of types or fields in introspection.
    pub introspection_lists: usize,
}

impl Limits {
    /// For people who are not signed in.
    pub fn signed_out() -> Self {
        Limits {
            bytes: SIGNED_OUT_BYTES,
            nesting: NESTING,
            tokens: TOKENS,
            aliases: ALIASES,
            fragments: FRAGMENTS,
            directives: DIRECTIVES,
            mutation_fields: MUTATION_FIELDS,
            operations: OPERATIONS,
            fields: FIELDS,
            nodes: NODES,
            levels: LEVELS,
            depth: DEPTH,
            introspection_depth: INTROSPECTION_DEPTH,
            introspection_lists_nested: INTROSPECTION_LISTS_NESTED,
            introspection_lists: INTROSPECTION_LISTS,
        }
    }

    /// For signed-in users: the same shape, a longer text.
    pub fn signed_in() -> Self {
        Limits { bytes: SIGNED_IN_BYTES, ..Limits::signed_out() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::signed_out()
    }
}
