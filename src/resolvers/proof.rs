//! The proof of the ledger, for administrators.

use async_graphql::{Context, Object};

use super::ask::Ask;
use super::error::{Nullable, nullable};
use crate::features::proof::queries;
use crate::schema::auth::{Access, auth};
use crate::schema::proof::LedgerProof;

/// Queries of the proof.
#[derive(Default)]
pub struct ProofQuery;

/// Looking into the books.
#[Object]
impl ProofQuery {
    /// Proves the whole ledger now, in one snapshot: sums, holds, escrows, and the chain of sealed days. It reads every
    /// transfer; a ledger that takes longer than a request may is proved by `gigwire proof` and each night.
    #[graphql(directive = auth::apply(Access::Admin))]
    async fn ledger_proof(&self, ctx: &Context<'_>) -> Nullable<LedgerProof> {
        nullable(queries::for_admin(ctx.platform(), ctx.caller()).await.map(|proof| Some(proof.into())))
    }
}
