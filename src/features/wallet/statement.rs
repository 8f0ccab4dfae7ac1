//! The statement of a month: every movement of a wallet with the balance behind it, also as a table for spreadsheets.

use uuid::Uuid;

use super::history::Moved;
use super::model::{Kind, Transaction};
use crate::kernel::clock::Month;
use crate::kernel::csv::Csv;
use crate::kernel::id::encode;
use crate::kernel::{Money, Timestamp};

/// One line of a statement.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the statement, from 0.
    pub place: i64,
    /// The transaction. A contractor's part has two lines: the price, and the fee taken out of it.
    pub transaction: Uuid,
    /// When.
    pub created_at: Timestamp,
    /// What for.
    pub kind: Kind,
    /// How much: below zero when it leaves.
    pub amount: Money,
    /// What was in the wallet behind this line, held or not.
    pub balance: Money,
    /// The kind of object that caused it.
    pub cause_kind: String,
    /// That object.
    pub cause_id: Uuid,
}

impl Line {
    pub(super) fn new(transaction: &Transaction, kind: Kind, amount: Money) -> Self {
        Line {
            place: 0,
            transaction: crate::kernel::id::TypedId::uuid(transaction.id),
            created_at: transaction.created_at,
            kind,
            amount,
            balance: amount,
            cause_kind: transaction.cause_kind.clone(),
            cause_id: transaction.cause_id,
        }
    }
}

/// All movements of a month. What is only held has not moved.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Which month, in UTC.
    pub month: Month,
    /// What was in the wallet when it began, held or not.
    pub opening: Money,
    /// What was in it when it ended, or is in it now.
    pub closing: Money,
    /// The lines, oldest first: together they are the way from `opening` to `closing`.
    pub lines: Vec<Line>,
}

impl Statement {
    pub(super) fn of(month: Month, opening: Money, moved: Vec<Moved>) -> Self {
        let mut closing = opening;
        let mut lines: Vec<Line> = moved.into_iter().flat_map(Moved::lines).collect();
        for (place, line) in (0..).zip(&mut lines) {
            closing = Money::new(closing.minor + line.amount.minor, closing.currency);
            line.place = place;
            line.balance = closing;
        }
        Statement { month, opening, closing, lines }
    }

    /// The lines as comma-separated values, with a row of names on top.
    pub fn csv(&self) -> String {
        let mut table = Csv::new(&["time", "kind", "reference", "transaction", "amount", "balance", "currency"]);
        for line in &self.lines {
            table.row(&[
                &line.created_at.rfc3339().unwrap_or_default(),
                line.kind.name(),
                &encode(&line.cause_kind, line.cause_id),
                &encode("transfer", line.transaction),
                &line.amount.decimal(),
                &line.balance.decimal(),
                line.amount.currency.code(),
            ]);
        }
        table.text()
    }
}
