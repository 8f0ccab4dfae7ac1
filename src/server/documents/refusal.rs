//! Why a document does not run.

use std::fmt;

use async_graphql::{Pos, parser::Error};

/// What kind of refusal it is. The server maps each to one error code of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// Not GraphQL: `GRAPHQL_PARSE_FAILED`.
    Syntax,
    /// Beyond a limit: `COMPLEXITY_LIMIT_EXCEEDED`.
    TooLarge,
    /// It is not clear which operation to run: `OPERATION_RESOLUTION_FAILURE`.
    Operation,
    /// GraphQL, but against a rule for documents: `GRAPHQL_VALIDATION_FAILED`.
    Invalid,
    /// The variables do not have the types that the document declares: `BAD_USER_INPUT`.
    Input,
}

/// A document is refused, and what its author can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub code: RefusalCode,
    /// What is wrong and what to do, for the document's author.
    pub message: String,
    /// Line and column, both from 1, where one place is to blame.
    pub location: Option<(usize, usize)>,
}

impl Refusal {
    pub(super) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into(), location: None }
    }

    /// More than `limit` of `what`; `advice` says what to do instead.
    pub(super) fn too_large(limit: usize, what: &str, advice: &str) -> Self {
        Refusal::new(RefusalCode::TooLarge, format!("A document may have at most {limit} {what}. {advice}"))
    }

    pub(super) fn at(mut self, pos: Pos) -> Self {
        self.location = Some((pos.line, pos.column));
        self
    }

    /// Says what the parser found. Its own text quotes the whole line, which may be the whole document.
    pub(super) fn from_parser(error: &Error) -> Self {
        let (code, message) = match error {
            Error::Syntax { message, .. } => {
                let reason = message.rsplit_once("= ").map_or(message.as_str(), |(_, reason)| reason);
                (RefusalCode::Syntax, format!("Syntax error: {reason}"))
            }
            Error::MissingOperation => (RefusalCode::Operation, "The document has no operation to run.".to_owned()),
            Error::MultipleOperations { .. } => {
                (RefusalCode::Invalid, "An operation without a name must be the only one of its document.".to_owned())
            }
            Error::OperationDuplicated { operation, .. } => {
                (RefusalCode::Invalid, format!("There can be only one operation named \"{operation}\"."))
            }
            Error::FragmentDuplicated { fragment, .. } => {
                (RefusalCode::Invalid, format!("There can be only one fragment named \"{fragment}\"."))
            }
            other => (RefusalCode::Syntax, format!("Syntax error: {other}")),
        };
        let refusal = Refusal::new(code, message);
        match error.positions().next() {
            Some(pos) => refusal.at(pos),
            None => refusal,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
