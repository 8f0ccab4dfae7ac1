//! What led to a wallet.

use async_graphql::{ComplexObject, Context};

use crate::features::wallet::{Transaction as Row, history};
use crate::kernel::id::TypedId;
use crate::kernel::page::{Cursor, Page};
use crate::resolvers::ask::Ask;
use crate::resolvers::connection::total;
use crate::resolvers::error::{Nullable, answer, nullable};
use crate::resolvers::node;
use crate::schema::cost::{HISTORY, cost};
use crate::schema::node::Node;
use crate::schema::scalars::DateTime;
use crate::schema::wallet::*;

/// An object that caused something; null when the viewer may not see it.
async fn cause(ctx: &Context<'_>, named: &Named) -> Nullable<Node> {
    nullable(node::find(ctx, &named.kind, named.id).await)
}

/// Fields of a wallet that need a look.
#[ComplexObject]
impl Wallet {
    /// What happened to it, newest first.
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when absent.")] filter: Option<TransactionFilter>,
    ) -> async_graphql::Result<TransactionConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), last, before.as_deref()))?;
        let filter: history::Filter = filter.unwrap_or_default().into();
        let (owner, currency) = (self.owner, self.currency.0);
        let slice = answer(history::transactions(ctx.platform(), owner, currency, &filter, &page).await)?;
        let total = total(ctx, move |platform| {
            let filter = filter.clone();
            async move { history::transaction_count(&platform, owner, currency, &filter).await }
        });
        let cursor = |row: &Row| Cursor { key: row.created_at.0, id: row.id.uuid() };
        Ok(TransactionConnection::of(slice, total, cursor, Into::into))
    }

    /// Why its figures are what they are: everything that they are the sum of.
    #[graphql(directive = cost::apply(HISTORY))]
    async fn explain(&self, ctx: &Context<'_>) -> async_graphql::Result<WalletExplanation> {
        Ok(answer(history::explain(ctx.platform(), self.owner, self.currency.0).await)?.into())
    }

    /// What was in it at an instant in the past.
    #[graphql(directive = cost::apply(HISTORY))]
    async fn balance_at(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instant.")] at: DateTime,
    ) -> async_graphql::Result<WalletBalance> {
        let then = answer(history::balance_at(ctx.platform(), self.owner, self.currency.0, at.0).await)?;
        let (available, held, escrow) = (then.available.into(), then.held.into(), then.escrow.into());
        Ok(WalletBalance { at, available, held, escrow })
    }

    /// Every movement of a month, with the balance behind each.
    #[graphql(directive = cost::apply(HISTORY))]
    async fn statement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month in UTC, such as `2026-03`; the current one when absent.")] month: Option<String>,
    ) -> async_graphql::Result<WalletStatement> {
        let found = history::statement(ctx.platform(), self.owner, self.currency.0, month.as_deref()).await;
        Ok(answer(found)?.into())
    }
}

/// Fields of a transaction that need a look.
#[ComplexObject]
impl Transaction {
    /// The offer, booking or payment that caused it; null when it is not the viewer's to see.
    async fn cause(&self, ctx: &Context<'_>) -> Nullable<Node> {
        cause(ctx, &self.named).await
    }
}

/// Fields of a reserve that need a look.
#[ComplexObject]
impl WalletReserve {
    /// The offer or booking that it is for; null when it is not the viewer's to see.
    async fn cause(&self, ctx: &Context<'_>) -> Nullable<Node> {
        cause(ctx, &self.named).await
    }
}

/// Fields of a line that need a look.
#[ComplexObject]
impl StatementLine {
    /// The offer, booking or payment that caused it; null when it is not the viewer's to see.
    async fn cause(&self, ctx: &Context<'_>) -> Nullable<Node> {
        cause(ctx, &self.named).await
    }
}

/// The parts of an explanation that come in pages, all of the same instant.
#[ComplexObject]
impl WalletExplanation {
    /// What is held for pending offers, newest first.
    async fn holds(
        &self,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<WalletReserveConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        Ok(WalletReserveConnection::within(&self.holds, &page))
    }

    /// What lies in the escrow of deals, newest first.
    async fn escrows(
        &self,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<WalletReserveConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        Ok(WalletReserveConnection::within(&self.escrows, &page))
    }
}

/// The parts of a statement that are long.
#[ComplexObject]
impl WalletStatement {
    /// Its lines, oldest first: together they are the way from the opening to the closing balance.
    async fn lines(
        &self,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<StatementLineConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        Ok(StatementLineConnection::within(&self.rows, &page))
    }

    /// All its lines as comma-separated values with a row of names on top, ready to be saved as a file.
    async fn csv(&self) -> String {
        self.rows.csv()
    }
}
