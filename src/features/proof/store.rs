//! The SQL of the proof: sums, seals, and what a night leaves behind. The checks have a file of their own.

pub(super) mod checks;

use super::model::{Age, Holds, Nightly, Proof, Sums};
use super::seals::{Seal, Sealed};
use crate::kernel::id::ProofId;
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, Row, Tx, q};

impl FromRow for Sums {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Sums {
            currency: row.get("currency")?,
            available: row.get("available")?,
            held: row.get("held")?,
            escrow: row.get("escrow")?,
            fees: row.get("fees")?,
            gateway: row.get("gateway")?,
            balance: row.get("balance")?,
            pending: row.get("pending")?,
        })
    }
}

pub(super) async fn sums(tx: &mut Tx) -> Result<Vec<Sums>> {
    q("select currency,
            cast(sum(case class when 'AVAILABLE' then credits_posted - debits_posted - debits_pending else 0 end)
                as bigint) as available,
            cast(sum(case class when 'AVAILABLE' then debits_pending else 0 end) as bigint) as held,
            cast(sum(case class when 'ESCROW' then credits_posted - debits_posted else 0 end) as bigint) as escrow,
            cast(sum(case class when 'FEES' then credits_posted - debits_posted else 0 end) as bigint) as fees,
            cast(sum(case class when 'GATEWAY' then credits_posted - debits_posted else 0 end) as bigint) as gateway,
            cast(sum(credits_posted - debits_posted) as bigint) as balance,
            cast(sum(credits_pending - debits_pending) as bigint) as pending
        from purses group by currency order by currency")
    .all(tx)
    .await
}

impl FromRow for Holds {
    fn from_row(row: &Row) -> Result<Self> {
        let place = usize::try_from(row.get::<i64>("age")?).unwrap_or(usize::MAX);
        Ok(Holds {
            currency: row.get("currency")?,
            age: Age::ALL.get(place).map_or(Age::Older, |(age, _)| *age),
            count: row.get("number")?,
            amount: row.get("amount")?,
            oldest_at: row.get("oldest_at")?,
        })
    }
}

pub(super) async fn open_holds(tx: &mut Tx, now: Timestamp) -> Result<Vec<Holds>> {
    let [day, three, week, _] = Age::ALL.map(|(_, ms)| now.plus(-ms));
    q("with held as (
            select t.group_id, t.currency, sum(t.amount) as amount, min(t.created_at) as since
            from transfers t left join transfers r on r.pending_id = t.id
            where t.phase = 'PENDING' and r.id is null group by t.group_id, t.currency),
        aged as (select currency, amount, since, cast(case when since > $1 then 0 when since > $2 then 1
            when since > $3 then 2 else 3 end as bigint) as age from held)
        select currency, age, count(*) as number, cast(sum(amount) as bigint) as amount, min(since) as oldest_at
        from aged group by currency, age order by currency, age")
    .bind(day)
    .bind(three)
    .bind(week)
    .all(tx)
    .await
}

impl FromRow for Seal {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Seal {
            day: row.get("day")?,
            transfers: row.get("transfers")?,
            previous: row.get("previous")?,
            hash: row.get("hash")?,
        })
    }
}

pub(super) async fn seals(tx: &mut Tx) -> Result<Vec<Seal>> {
    q("select day, transfers, previous, hash from ledger_seals order by day").all(tx).await
}

pub(super) async fn last_seal(tx: &mut Tx) -> Result<Option<Seal>> {
    q("select day, transfers, previous, hash from ledger_seals order by day desc limit 1").optional(tx).await
}

/// Another instance may have been quicker: its seals are the same.
pub(super) async fn insert_seals(tx: &mut Tx, seals: &[Seal], now: Timestamp) -> Result<()> {
    for some in seals.chunks(100) {
        let row = |seal: &Seal| {
            vec![
                seal.day.into(),
                seal.transfers.into(),
                seal.previous.as_str().into(),
                seal.hash.as_str().into(),
                now.into(),
            ]
        };
        q("insert into ledger_seals (day, transfers, previous, hash, sealed_at) values {rows} on conflict do nothing")
            .rows(some.iter().map(row).collect())
            .execute(tx)
            .await?;
    }
    Ok(())
}

pub(super) async fn first_transfer(tx: &mut Tx) -> Result<Option<Timestamp>> {
    let rows = q("select created_at from transfers order by created_at, id limit 1").fetch(tx).await?;
    rows.first().map(|row| row.get("created_at")).transpose()
}

impl FromRow for Sealed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Sealed {
            ids: [
                row.get("id")?,
                row.get("debit_purse")?,
                row.get("credit_purse")?,
                row.get("group_id")?,
                row.get("cause_id")?,
            ],
            pending: row.get("pending_id")?,
            amount: row.get("amount")?,
            words: [row.get("currency")?, row.get("kind")?, row.get("phase")?, row.get("cause")?],
            created_at: row.get("created_at")?,
        })
    }
}

/// Hands over the transfers of a time, in the order in which they are sealed.
pub(super) async fn transfers(
    tx: &mut Tx,
    from: Timestamp,
    until: Timestamp,
    mut take: impl FnMut(Sealed),
) -> Result<()> {
    q("select id, debit_purse, credit_purse, group_id, cause_id, pending_id, amount, currency, kind, phase, cause,
            created_at
        from transfers where created_at >= $1 and created_at < $2 order by created_at, id")
    .bind(from)
    .bind(until)
    .each(tx, |row| {
        take(Sealed::from_row(row)?);
        Ok(())
    })
    .await
}

pub(super) async fn count_since(tx: &mut Tx, from: Timestamp) -> Result<i64> {
    q("select count(*) as n from transfers where created_at >= $1").bind(from).one(tx).await
}

pub(super) async fn count_between(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<i64> {
    q("select count(*) as n from transfers where created_at >= $1 and created_at < $2")
        .bind(from)
        .bind(until)
        .one(tx)
        .await
}

pub(super) async fn insert_proof(tx: &mut Tx, id: ProofId, proof: &Proof, report: &str, now: Timestamp) -> Result<()> {
    q("insert into ledger_proofs (id, is_proved, findings, open_holds, oldest_hold_at, sealed_day, sealed_hash, report,
            duration_ms, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(id)
    .bind(proof.is_proved())
    .bind(proof.findings())
    .bind(proof.open_holds.iter().map(|holds| holds.count).sum::<i64>())
    .bind(proof.open_holds.iter().map(|holds| holds.oldest_at).min())
    .bind(proof.chain.last_day)
    .bind(proof.chain.last_hash.as_deref())
    .bind(report)
    .bind(proof.duration_ms)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

impl FromRow for Nightly {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Nightly {
            created_at: row.get("created_at")?,
            is_proved: row.get("is_proved")?,
            findings: row.get("findings")?,
            open_holds: row.get("open_holds")?,
            oldest_hold_at: row.get("oldest_hold_at")?,
        })
    }
}

pub(super) async fn last_nightly(db: &Db) -> Result<Option<Nightly>> {
    q("select created_at, is_proved, findings, open_holds, oldest_hold_at from ledger_proofs
        order by created_at desc, id desc limit 1")
    .optional(db)
    .await
}
