//! The SQL of the wallet.

pub(super) mod freezing;
pub(super) mod history;

use super::ledger::{Delta, Held, insufficient};
use super::model::{Class, Kind, Payment, PaymentStatus, Purse, PurseKey};
use crate::kernel::id::{PaymentId, PurseId, TransactionId, UserId};
use crate::kernel::money::MAX_AMOUNT;
use crate::kernel::{Currency, Money, Result, Timestamp};
use crate::platform::db::{Db, FromRow, Kind as Failure, On, Row, Tx, Value, q, q2};
use crate::platform::work::Unit;

impl FromRow for Purse {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Purse {
            id: row.get("id")?,
            name: row.get("name")?,
            class: row.parsed("class", Class::parse)?,
            owner: row.get("owner_id")?,
            currency: row.get("currency")?,
            debits_posted: row.get("debits_posted")?,
            credits_posted: row.get("credits_posted")?,
            debits_pending: row.get("debits_pending")?,
            escrowed: row.get("escrowed")?,
            version: row.get("version")?,
        })
    }
}

/// Makes the purses that do not exist yet.
pub(super) async fn ensure_purses(unit: &mut Unit, keys: &[&PurseKey]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(keys.len());
    for key in keys {
        rows.push(vec![
            unit.ids.new_id::<PurseId>().into(),
            key.name.as_str().into(),
            key.class.name().into(),
            key.owner.into(),
            key.currency.code().into(),
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
            unit.now.into(),
            unit.now.into(),
            1_i64.into(),
        ]);
    }
    q("insert into purses (id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending,
        credits_pending, created_at, updated_at, version) values {rows} on conflict (name) do nothing")
    .rows(rows)
    .execute(&mut unit.tx)
    .await?;
    Ok(())
}

/// Changes the totals of purses and gives those that could be changed. A purse that would fall below zero is left out, and
/// one whose totals would not fit into 64 bits.
pub(super) async fn change_purses(unit: &mut Unit, changes: &[(&str, &Delta)]) -> Result<Vec<Purse>> {
    let rows = changes
        .iter()
        .map(|(name, delta)| {
            vec![
                (*name).into(),
                delta.debits_posted.into(),
                delta.credits_posted.into(),
                delta.debits_pending.into(),
                delta.credits_pending.into(),
                delta.escrowed.into(),
            ]
        })
        .collect();
    // PostgreSQL locks the rows in the order of their names before it changes the first one.
    q2(
        "with delta (purse, dp, cp, dh, ch, es) as (values {rows}),
        locked as (select p.id from purses p join delta d on d.purse = p.name order by p.name for update of p)
        update purses set debits_posted = debits_posted + dp, credits_posted = credits_posted + cp,
            debits_pending = debits_pending + dh, credits_pending = credits_pending + ch,
            escrowed = escrowed + es, updated_at = $1, version = version + 1
        from delta where name = purse and (select count(*) from locked) > 0
            and debits_posted <= 9000000000000000000 - dp and credits_posted <= 9000000000000000000 - cp
            and (class not in ('AVAILABLE', 'ESCROW')
                or credits_posted + cp - debits_posted - dp - debits_pending - dh >= 0)
        returning id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, escrowed, version",
        "with delta (purse, dp, cp, dh, ch, es) as (values {rows})
        update purses set debits_posted = debits_posted + dp, credits_posted = credits_posted + cp,
            debits_pending = debits_pending + dh, credits_pending = credits_pending + ch,
            escrowed = escrowed + es, updated_at = $1, version = version + 1
        from delta where name = purse
            and debits_posted <= 9000000000000000000 - dp and credits_posted <= 9000000000000000000 - cp
            and (class not in ('AVAILABLE', 'ESCROW')
                or credits_posted + cp - debits_posted - dp - debits_pending - dh >= 0)
        returning id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, escrowed, version",
    )
    .bind(unit.now)
    .rows(rows)
    .fetch(&mut unit.tx)
    .await
    .map_err(|error| if error.kind == Failure::Constraint { insufficient() } else { error.into() })?
    .iter()
    .map(Purse::from_row)
    .collect()
}

/// Whether one of these purses is so full that its totals would not fit: as full as the guard of [`change_purses`] lets it
/// become, less what one operation may move.
pub(super) async fn is_full(tx: &mut Tx, names: &[&str]) -> Result<bool> {
    let full: i64 = q("select count(*) as n from purses
        where (debits_posted > $1 or credits_posted > $1) and name in ({list})")
    .bind(9_000_000_000_000_000_000 - 2 * MAX_AMOUNT)
    .list(names.iter().copied())
    .one(tx)
    .await?;
    Ok(full > 0)
}

pub(super) fn insert_transfers(unit: &mut Unit, rows: Vec<Vec<Value>>) {
    let statement = q("insert into transfers (id, debit_purse, credit_purse, amount, currency, kind, phase, pending_id, group_id, cause,
        cause_id, created_at) values {rows}")
    .rows(rows);
    unit.later(statement);
}

impl FromRow for Held {
    fn from_row(row: &Row) -> Result<Self> {
        let currency: Currency = row.get("currency")?;
        let purse = |name: &str, class: &str, owner: &str| -> Result<PurseKey> {
            let class = row.parsed(class, Class::parse)?;
            Ok(PurseKey { name: row.get(name)?, class, owner: row.get(owner)?, currency })
        };
        Ok(Held {
            id: row.get("id")?,
            group: row.get("group_id")?,
            debit: purse("debit_name", "debit_class", "debit_owner")?,
            credit: purse("credit_name", "credit_class", "credit_owner")?,
            amount: Money::new(row.get("amount")?, currency),
            kind: row.parsed("kind", Kind::parse)?,
        })
    }
}

/// The pending transfers of these holds.
pub(super) async fn held(tx: &mut Tx, groups: &[TransactionId]) -> Result<Vec<Held>> {
    q("select t.id, t.group_id, t.amount, t.currency, t.kind,
            d.name as debit_name, d.class as debit_class, d.owner_id as debit_owner,
            c.name as credit_name, c.class as credit_class, c.owner_id as credit_owner
        from transfers t join purses d on d.id = t.debit_purse join purses c on c.id = t.credit_purse
        where t.phase = 'PENDING' and t.group_id in ({list})")
    .list(groups.iter().copied())
    .all(tx)
    .await
}

/// One purse by its name, if it was ever needed.
pub(super) async fn purse(on: impl Into<On<'_>>, name: &str) -> Result<Option<Purse>> {
    q("select id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, escrowed, version
        from purses where name = $1")
    .bind(name)
    .optional(on)
    .await
}

/// The own purses of users, which tell their whole wallets.
pub(super) async fn purses_of(on: impl Into<On<'_>>, users: &[UserId]) -> Result<Vec<Purse>> {
    q("select id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, escrowed, version
        from purses where owner_id in ({list}) and class = 'AVAILABLE' order by created_at, id")
    .list(users.iter().copied())
    .all(on)
    .await
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Payment {
            id: row.get("id")?,
            user: row.get("user_id")?,
            amount: row.money("amount")?,
            status: row.parsed("status", PaymentStatus::parse)?,
            provider: row.get("provider")?,
            next_url: row.get("next_url")?,
            failure: row.get("failure")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

pub(super) async fn insert_payment(tx: &mut Tx, payment: &Payment) -> Result<()> {
    q("insert into payments (id, user_id, amount, currency, status, provider, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $7, 1)")
    .bind(payment.id)
    .bind(payment.user)
    .bind(payment.amount.minor)
    .bind(payment.amount.currency.code())
    .bind(payment.status.name())
    .bind(payment.provider.as_str())
    .bind(payment.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a pending payment; `None` when it had ended already.
pub(super) async fn end_payment(
    tx: &mut Tx,
    id: PaymentId,
    status: PaymentStatus,
    reference: Option<&str>,
    failure: Option<&str>,
    now: Timestamp,
) -> Result<Option<Payment>> {
    q("update payments set status = $2, provider_ref = $3, failure = $4, next_url = null, updated_at = $5, version = version + 1
        where id = $1 and status = 'PENDING' returning *")
    .bind(id)
    .bind(status.name())
    .bind(reference)
    .bind(failure)
    .bind(now)
    .optional(tx)
    .await
}

/// Notes where the user confirms a pending payment.
pub(super) async fn await_user(tx: &mut Tx, id: PaymentId, url: &str, now: Timestamp) -> Result<()> {
    q("update payments set next_url = $2, updated_at = $3, version = version + 1
        where id = $1 and status = 'PENDING' and (next_url is null or next_url <> $2)")
    .bind(id)
    .bind(url)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn payments(on: impl Into<On<'_>>, ids: &[PaymentId]) -> Result<Vec<Payment>> {
    q("select * from payments where id in ({list})").list(ids.iter().copied()).all(on).await
}

pub(super) async fn payments_since(db: &Db, status: PaymentStatus, then: Timestamp) -> Result<i64> {
    q("select count(*) as n from payments where status = $1 and status <> 'PENDING' and updated_at >= $2")
        .bind(status.name())
        .bind(then)
        .one(db)
        .await
}
