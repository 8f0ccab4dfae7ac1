//! What led to a wallet, in the API: transactions, causes of a balance, past balances, statements.

use async_graphql::{ID, InputObject, SimpleObject};
use uuid::Uuid;

use super::{TransactionKind, TransactionPhase};
use crate::features::wallet::{self as feature, history, statement};
use crate::kernel::page::{Cursor, Page, Slice, Way};
use crate::schema::auth::{Access, auth};
use crate::schema::connection::{Total, connection};
use crate::schema::money::Money;
use crate::schema::scalars::DateTime;

/// An object that caused something, as the ledger names it.
#[derive(Clone, Debug)]
pub struct Named {
    /// The kind of object, as its ids begin.
    pub kind: String,
    /// The object.
    pub id: Uuid,
}

/// One line of a wallet's history. Lines never change: what resolves a hold is a line of its own.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct Transaction {
    /// The id.
    pub id: ID,
    /// What it is for.
    pub kind: TransactionKind,
    /// Whether it moved, held or freed money.
    pub phase: TransactionPhase,
    /// How much: below zero when it leaves the wallet.
    pub amount: Money,
    /// When.
    pub created_at: DateTime,
    /// What caused it.
    #[graphql(skip)]
    pub named: Named,
}

impl From<feature::Transaction> for Transaction {
    fn from(row: feature::Transaction) -> Self {
        Transaction {
            id: row.id.into(),
            kind: row.kind.into(),
            phase: row.phase.into(),
            amount: row.amount.into(),
            created_at: DateTime(row.created_at),
            named: Named { kind: row.cause_kind, id: row.cause_id },
        }
    }
}

connection! {
    /// A page of a wallet's history, newest first.
    TransactionConnection, TransactionEdge, Transaction, Access::SelfOnly
}

/// Which transactions are wanted; all when nothing is named.
#[derive(Default, InputObject)]
pub struct TransactionFilter {
    /// Only for these things.
    pub kinds: Option<Vec<TransactionKind>>,
    /// Not before this instant.
    pub from_at: Option<DateTime>,
    /// Before this instant.
    pub until_at: Option<DateTime>,
}

impl From<TransactionFilter> for history::Filter {
    fn from(filter: TransactionFilter) -> Self {
        let all = history::Filter::default();
        history::Filter {
            kinds: filter.kinds.unwrap_or_default().into_iter().map(Into::into).collect(),
            from: filter.from_at.map_or(all.from, |at| at.0),
            until: filter.until_at.map_or(all.until, |at| at.0),
        }
    }
}

/// Every cause of a wallet's figures, all at one instant. `available` is the sum of `movements` less `held`, `held` is the
/// sum of `holds`, and `escrow` the sum of `escrows`.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct WalletExplanation {
    /// What may be spent.
    pub available: Money,
    /// What pending offers hold.
    pub held: Money,
    /// What lies in the escrow of the user's bookings.
    pub escrow: Money,
    /// All that ever moved in or out, by what it was for.
    pub movements: Vec<WalletMovement>,
    /// What holds.
    #[graphql(skip)]
    pub holds: Vec<history::Reserve>,
    /// What lies in escrow.
    #[graphql(skip)]
    pub escrows: Vec<history::Reserve>,
}

impl From<history::Explanation> for WalletExplanation {
    fn from(all: history::Explanation) -> Self {
        WalletExplanation {
            available: all.balance.available.into(),
            held: all.balance.held.into(),
            escrow: all.balance.escrow.into(),
            movements: all.movements.into_iter().map(Into::into).collect(),
            holds: all.holds,
            escrows: all.escrows,
        }
    }
}

/// All movements for one thing.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct WalletMovement {
    /// What they were for.
    pub kind: TransactionKind,
    /// How many there were.
    pub count: i32,
    /// What they add up to: below zero for what left the wallet.
    pub amount: Money,
}

impl From<history::Movement> for WalletMovement {
    fn from(row: history::Movement) -> Self {
        WalletMovement { kind: row.kind.into(), count: crate::schema::int(row.count), amount: row.amount.into() }
    }
}

/// Money that is the user's and cannot be spent: held for an offer, or in the escrow of a deal.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct WalletReserve {
    /// How much.
    pub amount: Money,
    /// Since when.
    pub created_at: DateTime,
    /// What it is for.
    #[graphql(skip)]
    pub named: Named,
}

impl From<history::Reserve> for WalletReserve {
    fn from(row: history::Reserve) -> Self {
        WalletReserve {
            amount: row.amount.into(),
            created_at: DateTime(row.created_at),
            named: Named { kind: row.cause_kind, id: row.cause_id },
        }
    }
}

connection! {
    /// A page of what cannot be spent, newest first.
    WalletReserveConnection, WalletReserveEdge, WalletReserve, Access::SelfOnly
}

impl WalletReserveConnection {
    /// A page of reserves that are there as a whole.
    pub fn within(all: &[history::Reserve], page: &Page) -> Self {
        let place = |row: &history::Reserve| Cursor { key: row.created_at.0, id: row.id };
        let slice = Slice::within(page, all.to_vec(), Way::Descending, place);
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        Self::of(slice, Total::Known(total), place, Into::into)
    }
}

/// What was in a wallet at one instant.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct WalletBalance {
    /// The instant.
    pub at: DateTime,
    /// What could be spent.
    pub available: Money,
    /// What pending offers held.
    pub held: Money,
    /// What lay in the escrow of the user's bookings.
    pub escrow: Money,
}

/// Every movement of a wallet in one month, in UTC. What is only held has not moved.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct WalletStatement {
    /// The month, such as `2026-03`.
    pub month: String,
    /// Its first instant.
    pub begins_at: DateTime,
    /// The first instant of the next month.
    pub ends_at: DateTime,
    /// What was in the wallet when it began, held or not.
    pub opening_balance: Money,
    /// What was in the wallet when it ended, held or not; as it is now, if the month is not over.
    pub closing_balance: Money,
    /// The whole statement, for fields that need a look.
    #[graphql(skip)]
    pub rows: statement::Statement,
}

impl From<statement::Statement> for WalletStatement {
    fn from(rows: statement::Statement) -> Self {
        WalletStatement {
            month: rows.month.to_string(),
            begins_at: DateTime(rows.month.begins_at),
            ends_at: DateTime(rows.month.ends_at),
            opening_balance: rows.opening.into(),
            closing_balance: rows.closing.into(),
            rows,
        }
    }
}

/// One line of a statement. A contractor's part of a deal has two: its price, and the service fee taken out of it.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct StatementLine {
    /// When.
    pub created_at: DateTime,
    /// What for.
    pub kind: TransactionKind,
    /// How much: below zero when it leaves the wallet.
    pub amount: Money,
    /// What was in the wallet behind this line, held or not.
    pub balance: Money,
    /// What caused it.
    #[graphql(skip)]
    pub named: Named,
}

impl From<statement::Line> for StatementLine {
    fn from(row: statement::Line) -> Self {
        StatementLine {
            created_at: DateTime(row.created_at),
            kind: row.kind.into(),
            amount: row.amount.into(),
            balance: row.balance.into(),
            named: Named { kind: row.cause_kind, id: row.cause_id },
        }
    }
}

connection! {
    /// A page of a statement, oldest first.
    StatementLineConnection, StatementLineEdge, StatementLine, Access::SelfOnly
}

impl StatementLineConnection {
    /// A page of the lines of a statement.
    pub fn within(rows: &statement::Statement, page: &Page) -> Self {
        let place = |row: &statement::Line| Cursor { key: row.place, id: row.transaction };
        let slice = Slice::within(page, rows.lines.clone(), Way::Ascending, place);
        let total = i64::try_from(rows.lines.len()).unwrap_or(i64::MAX);
        Self::of(slice, Total::Known(total), place, Into::into)
    }
}
