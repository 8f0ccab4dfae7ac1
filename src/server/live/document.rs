//! Documents of live operations, kept once however many clients sent them.

use async_graphql::parser::types::ExecutableDocument;

use crate::server::documents::cache::{Cache, Key};

/// A subscription alone in its document, with one plain field at its root.
#[derive(Debug)]
pub struct Hoisted {
    /// Names it.
    pub key: Key,
    /// The document.
    pub document: ExecutableDocument,
    /// Bytes of its text.
    pub text_bytes: usize,
}

/// The documents of all live operations.
pub type Documents = Cache<Hoisted>;
