//! The SQL of histories: sums and lists of transfers, seen from one purse.

use crate::features::wallet::events::Figures;
use crate::features::wallet::history::{Filter, Moved, Movement, Reserve};
use crate::features::wallet::model::{Kind, Phase, Transaction};
use crate::kernel::id::UserId;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Currency, Money, Result, Timestamp};
use crate::platform::db::{Db, FromRow, Order, Query, Row, Tx, q};

impl FromRow for Transaction {
    fn from_row(row: &Row) -> Result<Self> {
        let money = row.money("amount")?;
        let leaves: bool = row.get::<String>("direction")? == "OUT";
        Ok(Transaction {
            id: row.get("id")?,
            kind: row.parsed("kind", Kind::parse)?,
            phase: row.parsed("phase", Phase::parse)?,
            amount: if leaves { Money::new(-money.minor, money.currency) } else { money },
            cause_kind: row.get("cause")?,
            cause_id: row.get("cause_id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Gives a statement the purse, the bounds and the kinds of a filter.
fn filtered(query: Query, purse: &str, filter: &Filter) -> Query {
    let kinds = if filter.kinds.is_empty() { &Kind::ALL[..] } else { &filter.kinds };
    query.bind(purse).bind(filter.from).bind(filter.until).list(kinds.iter().map(|kind| kind.name()))
}

/// A purse's transfers, newest first.
pub(in crate::features::wallet) async fn transactions(
    db: &Db,
    purse: &str,
    filter: &Filter,
    page: &Page,
) -> Result<Slice<Transaction>> {
    let query = q("select t.id, t.kind, t.phase, t.amount, t.currency, t.cause, t.cause_id, t.created_at,
            case when t.debit_purse = (select id from purses where name = $1) then 'OUT' else 'IN' end as direction
        from transfers t
        where (t.debit_purse = (select id from purses where name = $1)
                or t.credit_purse = (select id from purses where name = $1))
            and t.created_at >= $2 and t.created_at < $3 and t.kind in ({list})");
    filtered(query, purse, filter).page(db, page, Order::descending("t.created_at", "t.id")).await
}

pub(in crate::features::wallet) async fn transaction_count(db: &Db, purse: &str, filter: &Filter) -> Result<i64> {
    let query = q("select count(*) as n from transfers
        where (debit_purse = (select id from purses where name = $1)
                or credit_purse = (select id from purses where name = $1))
            and created_at >= $2 and created_at < $3 and kind in ({list})");
    filtered(query, purse, filter).one(db).await
}

impl FromRow for Movement {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Movement { kind: row.parsed("kind", Kind::parse)?, count: row.get("number")?, amount: row.money("amount")? })
    }
}

/// What moved in or out of a purse, by kind.
pub(in crate::features::wallet) async fn movements(tx: &mut Tx, purse: &str) -> Result<Vec<Movement>> {
    q("select t.kind, p.currency, count(*) as number,
            cast(sum(case when t.credit_purse = p.id then t.amount else -t.amount end) as bigint) as amount
        from purses p join transfers t on (t.debit_purse = p.id or t.credit_purse = p.id)
        where p.name = $1 and t.phase in ('SINGLE', 'POSTED')
        group by t.kind, p.currency order by t.kind")
    .bind(purse)
    .all(tx)
    .await
}

impl FromRow for Reserve {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Reserve {
            id: row.get("id")?,
            amount: row.money("amount")?,
            cause_kind: row.get("cause")?,
            cause_id: row.get("cause_id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// The holds of a purse that nothing has ended, newest first.
pub(in crate::features::wallet) async fn open_holds(tx: &mut Tx, purse: &str) -> Result<Vec<Reserve>> {
    q("select t.group_id as id, t.currency, t.cause, t.cause_id, t.created_at,
            cast(sum(t.amount) as bigint) as amount
        from purses p join transfers t on t.debit_purse = p.id left join transfers r on r.pending_id = t.id
        where p.name = $1 and t.phase = 'PENDING' and r.id is null
        group by t.group_id, t.currency, t.cause, t.cause_id, t.created_at
        order by t.created_at desc, t.group_id desc")
    .bind(purse)
    .all(tx)
    .await
}

/// The escrows of a user that hold something, newest first, each with what filled it.
pub(in crate::features::wallet) async fn escrows(
    tx: &mut Tx,
    owner: UserId,
    currency: Currency,
) -> Result<Vec<Reserve>> {
    q("select p.id, p.currency, p.credits_posted - p.debits_posted as amount, p.created_at, t.cause, t.cause_id
        from purses p join transfers t on t.id =
            (select f.id from transfers f where f.credit_purse = p.id order by f.created_at, f.id limit 1)
        where p.owner_id = $1 and p.currency = $2 and p.class = 'ESCROW' and p.credits_posted > p.debits_posted
        order by p.created_at desc, p.id desc")
    .bind(owner)
    .bind(currency.code())
    .all(tx)
    .await
}

/// What a wallet's figures were, from the transfers up to an instant.
pub(in crate::features::wallet) async fn figures_at(
    db: &Db,
    purse: &str,
    owner: UserId,
    currency: Currency,
    at: Timestamp,
) -> Result<Figures> {
    let rows = q("select p.name,
            cast(sum(case when t.phase not in ('SINGLE', 'POSTED') then 0
                when t.credit_purse = p.id then t.amount else -t.amount end) as bigint) as posted,
            cast(sum(case when t.credit_purse = p.id or t.phase = 'SINGLE' then 0
                when t.phase = 'PENDING' then t.amount else -t.amount end) as bigint) as held
        from purses p join transfers t on (t.debit_purse = p.id or t.credit_purse = p.id)
        where p.owner_id = $1 and p.currency = $2 and t.created_at <= $3
        group by p.name")
    .bind(owner)
    .bind(currency.code())
    .bind(at)
    .fetch(db)
    .await?;
    let mut figures = Figures { available: 0, held: 0, escrow: 0 };
    for row in rows {
        let (posted, held): (i64, i64) = (row.get("posted")?, row.get("held")?);
        if row.get::<String>("name")? == purse {
            figures.available = posted - held;
            figures.held = held;
        } else {
            figures.escrow += posted;
        }
    }
    Ok(figures)
}

/// What had moved into a purse, less what had left it, before an instant.
pub(in crate::features::wallet) async fn moved_before(tx: &mut Tx, purse: &str, then: Timestamp) -> Result<i64> {
    q("select cast(coalesce(sum(case when t.credit_purse = p.id then t.amount else -t.amount end), 0) as bigint) as n
        from purses p join transfers t on (t.debit_purse = p.id or t.credit_purse = p.id)
        where p.name = $1 and t.phase in ('SINGLE', 'POSTED') and t.created_at < $2")
    .bind(purse)
    .bind(then)
    .one(tx)
    .await
}

impl FromRow for Moved {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Moved { transaction: Transaction::from_row(row)?, fee: row.get("fee")? })
    }
}

/// What moved in or out of a purse, oldest first, each with the fee that was taken out of the same escrow.
pub(in crate::features::wallet) async fn moved_within(
    tx: &mut Tx,
    purse: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Moved>> {
    q("select t.id, t.kind, t.phase, t.amount, t.currency, t.cause, t.cause_id, t.created_at,
            case when t.debit_purse = p.id then 'OUT' else 'IN' end as direction,
            case when t.kind <> 'RELEASE' then 0 else (select cast(coalesce(sum(f.amount), 0) as bigint)
                from transfers f where f.group_id = t.group_id and f.kind = 'SERVICE_FEE') end as fee
        from purses p join transfers t on (t.debit_purse = p.id or t.credit_purse = p.id)
        where p.name = $1 and t.phase in ('SINGLE', 'POSTED') and t.created_at >= $2 and t.created_at < $3
        order by t.created_at, t.id")
    .bind(purse)
    .bind(from)
    .bind(until)
    .all(tx)
    .await
}
