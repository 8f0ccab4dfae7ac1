//! Documents that passed everything that does not depend on who sends them and with which variables.
//!
//! Clients send few documents and send them often. So what was found out about one is kept by its digest: the next time
//! only variables and rights are judged. A document that the strict schema has run once is run by its twin from then on,
//! which spares it the validation, unless its variables have scalars that only validation can read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Variables;
use async_graphql::parser::types::{BaseType, ExecutableDocument, OperationDefinition, OperationType};

use super::documents::cache::{self, Cache};
use super::documents::{self, Limits, Refusal, Requirements, hoist};
use super::execute::Prepared;
use super::state::Server;
use crate::resolvers::Api;
use crate::schema::auth::Access;

/// Bytes of memory for kept documents, about.
const CACHE_BYTES: usize = 16 << 20;

/// A document that may run, for whoever has the rights that it needs.
#[derive(Debug)]
pub struct Checked {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// The whole document.
    pub document: ExecutableDocument,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Whether everything that it selects is for everybody, so that one answer serves all.
    pub is_public: bool,
    /// Whether it asks where the viewer's streams end.
    pub wants_cursor: bool,
    /// The rights that it needs, and its cost, if that does not depend on variables.
    needs: Requirements,
    has_fixed_cost: bool,
    /// Places where variables stand.
    pub places: usize,
    /// Whether the kinds of its variables are all known before validation.
    is_plain: bool,
    is_valid: AtomicBool,
}

/// A cache of checked documents.
pub type CheckedDocuments = Cache<Checked>;

/// An empty cache.
pub fn documents() -> Arc<CheckedDocuments> {
    Arc::new(Cache::new(CACHE_BYTES))
}

impl Checked {
    /// The chosen operation.
    pub fn operation(&self) -> Result<&OperationDefinition, Refusal> {
        hoist::choose(&self.document, self.operation_name.as_deref()).map(|chosen| &chosen.operation.node)
    }

    /// The strict schema had nothing against it.
    pub fn has_passed(&self) {
        self.is_valid.store(true, Ordering::Relaxed);
    }

    /// The rights that it needs.
    pub const fn needs(&self) -> &Requirements {
        &self.needs
    }
}

impl Server {
    /// The document behind a text, checked now or before.
    pub(super) fn checked(
        &self,
        text: &str,
        operation_name: Option<String>,
        limits: &Limits,
    ) -> Result<Arc<Checked>, Refusal> {
        let key = cache::key(text, operation_name.as_deref());
        // Some may send more than others: a long document that is kept is not for everybody.
        if text.len() <= limits.bytes
            && let Some(known) = self.checked.get(&key)
        {
            return Ok(known);
        }
        let checked = self.check(text, operation_name, limits)?;
        Ok(self.checked.keep(key, text.len(), checked))
    }

    fn check(&self, text: &str, operation_name: Option<String>, limits: &Limits) -> Result<Checked, Refusal> {
        let document = documents::check(text, limits)?;
        let operation = &hoist::choose(&document, operation_name.as_deref())?.operation.node;
        let needs = self.index.requirements(&document, operation, &Variables::default());
        let types = || operation.variable_definitions.iter().map(|definition| &definition.node.var_type.node);
        Ok(Checked {
            kind: operation.ty,
            is_public: needs.access.iter().all(|(access, _)| *access == Access::Public),
            wants_cursor: text.contains("streamCursor"),
            needs,
            // Only numbers of rows make a difference.
            has_fixed_cost: types().all(|ty| !matches!(&ty.base, BaseType::Named(name) if name == "Int")),
            places: documents::uses_of_variables(&document, operation)?,
            is_plain: types().all(|ty| self.inputs.is_plain(ty)),
            is_valid: AtomicBool::new(false),
            operation_name,
            document,
        })
    }

    /// What a checked document costs with these variables.
    pub(super) fn cost(&self, checked: &Checked, variables: &Variables) -> Result<u64, Refusal> {
        if checked.has_fixed_cost {
            return Ok(checked.needs.cost);
        }
        Ok(self.index.requirements(&checked.document, checked.operation()?, variables).cost)
    }

    /// The schema that runs a document: the strict one until it has passed there.
    pub(super) fn api(&self, prepared: &Prepared) -> &Api {
        let checked = &prepared.checked;
        let is_settled = checked.is_plain && checked.is_valid.load(Ordering::Relaxed);
        if is_settled { &self.twin } else { &self.strict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::documents::RefusalCode;

    #[tokio::test]
    async fn a_document_is_checked_once_and_validated_until_it_has_passed() {
        let (server, _folder) = Server::for_tests().await;
        let (limits, text) = (Limits::signed_out(), "query ($id: ID!) { job(id: $id) { id } }");
        let first = server.checked(text, None, &limits).unwrap();
        assert!(Arc::ptr_eq(&first, &server.checked(text, None, &limits).unwrap()));
        let prepared =
            |checked: &Arc<Checked>| Prepared { checked: checked.clone(), variables: Variables::default(), cost: 1 };
        assert!(std::ptr::eq(server.api(&prepared(&first)), &server.strict));
        first.has_passed();
        assert!(std::ptr::eq(server.api(&prepared(&first)), &server.twin));
    }

    #[tokio::test]
    async fn what_only_validation_can_read_is_always_validated() {
        let (server, _folder) = Server::for_tests().await;
        let text = "query ($b: MoneyInput!) { feeQuote(budget: $b) { customerTotal { amount } } }";
        let checked = server.checked(text, None, &Limits::signed_out()).unwrap();
        checked.has_passed();
        let prepared = Prepared { checked, variables: Variables::default(), cost: 1 };
        assert!(std::ptr::eq(server.api(&prepared), &server.strict));
    }

    #[tokio::test]
    async fn a_long_document_of_somebody_signed_in_is_not_for_everybody() {
        let (server, _folder) = Server::for_tests().await;
        let text = format!("{{ viewer {{ user {{ id }} }} }} #{}", "x".repeat(Limits::signed_out().bytes));
        server.checked(&text, None, &Limits::signed_in()).unwrap();
        assert_eq!(server.checked(&text, None, &Limits::signed_out()).unwrap_err().code, RefusalCode::TooLarge);
    }
}
