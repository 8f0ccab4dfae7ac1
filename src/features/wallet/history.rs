//! What led to a wallet: its transactions, the causes of its balance, past balances, and the statement of a month.
//!
//! Everything here is summed up from the transfers, which never change, and not from the totals of the purses. What must
//! fit together is read in one snapshot.

use uuid::Uuid;

use super::events::Figures;
use super::model::{Balance, Kind, PurseKey, Transaction};
use super::statement::{Line, Statement};
use super::store;
use crate::kernel::clock::Month;
use crate::kernel::id::UserId;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Code, Currency, Error, Money, Result, Timestamp};
use crate::platform::Platform;

/// Which transactions are wanted.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only for these things; for any when empty.
    pub kinds: Vec<Kind>,
    /// Not before this instant.
    pub from: Timestamp,
    /// Before this instant.
    pub until: Timestamp,
}

impl Default for Filter {
    fn default() -> Self {
        Filter { kinds: Vec::new(), from: Timestamp(i64::MIN), until: Timestamp(i64::MAX) }
    }
}

/// A user's history in one currency, newest first.
pub async fn transactions(
    platform: &Platform,
    user: UserId,
    currency: Currency,
    filter: &Filter,
    page: &Page,
) -> Result<Slice<Transaction>> {
    store::history::transactions(&platform.db, &PurseKey::available(user, currency).name, filter, page).await
}

/// How long that history is.
pub async fn transaction_count(platform: &Platform, user: UserId, currency: Currency, filter: &Filter) -> Result<i64> {
    store::history::transaction_count(&platform.db, &PurseKey::available(user, currency).name, filter).await
}

/// All movements of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Movement {
    /// What for.
    pub kind: Kind,
    /// How many there were.
    pub count: i64,
    /// What they add up to: below zero for what left.
    pub amount: Money,
}

/// Money that is the user's and cannot be spent: one hold, or one escrow.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// The hold or the purse.
    pub id: Uuid,
    /// How much.
    pub amount: Money,
    /// The kind of object that it is for.
    pub cause_kind: String,
    /// That object.
    pub cause_id: Uuid,
    /// Since when.
    pub created_at: Timestamp,
}

/// Every cause of a balance, at one instant: available is the sum of the movements less the sum of the holds, held is the
/// sum of the holds, and escrow the sum of the escrows.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What is explained.
    pub balance: Balance,
    /// What moved, by kind.
    pub movements: Vec<Movement>,
    /// What is held, newest first.
    pub holds: Vec<Reserve>,
    /// What lies in escrow, newest first.
    pub escrows: Vec<Reserve>,
}

/// Explains a balance.
pub async fn explain(platform: &Platform, user: UserId, currency: Currency) -> Result<Explanation> {
    let name = PurseKey::available(user, currency).name;
    let mut tx = platform.db.snapshot().await?;
    let purse = store::purse(&mut tx, &name).await?;
    let balance = purse.map_or(Balance::empty(user, currency), |purse| Balance::of(user, &purse));
    let movements = store::history::movements(&mut tx, &name).await?;
    let holds = store::history::open_holds(&mut tx, &name).await?;
    let escrows = store::history::escrows(&mut tx, user, currency).await?;
    tx.rollback().await?;
    Ok(Explanation { balance, movements, holds, escrows })
}

/// The wallet as it was at an instant, what happened in that very millisecond included.
pub async fn balance_at(platform: &Platform, user: UserId, currency: Currency, at: Timestamp) -> Result<Balance> {
    if at > platform.clock.now() {
        return Err(Error::new(Code::BadUserInput, "This instant is still to come; ask for one in the past."));
    }
    let name = PurseKey::available(user, currency).name;
    let Figures { available, held, escrow } =
        store::history::figures_at(&platform.db, &name, user, currency, at).await?;
    let money = |minor| Money::new(minor, currency);
    let pending_payout = Money::zero(currency);
    Ok(Balance { user, available: money(available), held: money(held), escrow: money(escrow), pending_payout })
}

/// The statement of a month, named like `2026-03`; of the current one when none is named.
pub async fn statement(
    platform: &Platform,
    user: UserId,
    currency: Currency,
    month: Option<&str>,
) -> Result<Statement> {
    let now = platform.clock.now();
    let bad = |why| Error::new(Code::BadUserInput, why);
    let month = match month {
        None => Month::of(now),
        Some(text) => Month::parse(text).ok_or_else(|| bad("Write the month as year and number, such as 2026-03."))?,
    };
    if month.begins_at > now {
        return Err(bad("This month is still to come; ask for one that has begun."));
    }
    let name = PurseKey::available(user, currency).name;
    let mut tx = platform.db.snapshot().await?;
    let opening = store::history::moved_before(&mut tx, &name, month.begins_at).await?;
    let moved = store::history::moved_within(&mut tx, &name, month.begins_at, month.ends_at).await?;
    tx.rollback().await?;
    Ok(Statement::of(month, Money::new(opening, currency), moved))
}

/// A movement of a statement, as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub(super) transaction: Transaction,
    /// The service fee that was taken out of a contractor's part.
    pub(super) fee: i64,
}

impl Moved {
    /// Its lines: a contractor's part shows the price, and the fee that was taken out of it.
    pub(super) fn lines(self) -> impl Iterator<Item = Line> {
        let Moved { transaction, fee } = self;
        let currency = transaction.amount.currency;
        let gross = Money::new(transaction.amount.minor + fee, currency);
        let taken = (fee != 0).then(|| Line::new(&transaction, Kind::ServiceFee, Money::new(-fee, currency)));
        std::iter::once(Line::new(&transaction, transaction.kind, gross)).chain(taken)
    }
}
