//! The checks: each statement lists what is wrong, by a name in `what` or an id in `id`, and nothing when all is well.

use crate::features::bookings::Status;
use crate::kernel::Result;
use crate::kernel::id::{OfferId, TransactionId, TransferId};
use crate::kernel::life::State;
use crate::platform::db::{Query, Row, Tx, q, q2};

/// Things that are named for each check.
pub(in crate::features::proof) const EXAMPLES: usize = 10;

/// How many things a statement finds, and the first of them. Each ends in `limit 10` and counts all in `findings`.
pub(in crate::features::proof) async fn find(tx: &mut Tx, statement: Query) -> Result<(i64, Vec<String>)> {
    let rows = statement.fetch(tx).await?;
    let findings = rows.first().map_or(Ok(0), |row| row.get("findings"))?;
    Ok((findings, rows.iter().map(named).collect::<Result<_>>()?))
}

fn named(row: &Row) -> Result<String> {
    match row.get::<String>("what")?.as_str() {
        "transfer" => Ok(row.get::<TransferId>("id")?.to_string()),
        "hold" => Ok(row.get::<TransactionId>("id")?.to_string()),
        "offer" => Ok(row.get::<OfferId>("id")?.to_string()),
        name => Ok(name.to_owned()),
    }
}

pub(in crate::features::proof) fn balance() -> Query {
    q("select currency as what, count(*) over () as findings from purses group by currency
        having sum(credits_posted - debits_posted) <> 0 or sum(credits_pending - debits_pending) <> 0
        order by currency limit 10")
}

pub(in crate::features::proof) fn totals() -> Query {
    q("with legs (purse, dp, cp, dh, ch) as (
            select debit_purse, case when phase in ('SINGLE', 'POSTED') then amount else 0 end, 0,
                case phase when 'PENDING' then amount when 'SINGLE' then 0 else -amount end, 0 from transfers
            union all
            select credit_purse, 0, case when phase in ('SINGLE', 'POSTED') then amount else 0 end, 0,
                case phase when 'PENDING' then amount when 'SINGLE' then 0 else -amount end from transfers),
        sums as (select purse, sum(dp) as dp, sum(cp) as cp, sum(dh) as dh, sum(ch) as ch from legs group by purse)
        select p.name as what, count(*) over () as findings from purses p left join sums s on s.purse = p.id
        where p.debits_posted <> coalesce(s.dp, 0) or p.credits_posted <> coalesce(s.cp, 0)
            or p.debits_pending <> coalesce(s.dh, 0) or p.credits_pending <> coalesce(s.ch, 0)
        order by p.name limit 10")
}

pub(in crate::features::proof) fn currencies() -> Query {
    q("select 'transfer' as what, t.id, count(*) over () as findings
        from transfers t join purses d on d.id = t.debit_purse join purses c on c.id = t.credit_purse
        where t.currency <> d.currency or t.currency <> c.currency
        order by t.id limit 10")
}

pub(in crate::features::proof) fn floors() -> Query {
    q("select name as what, count(*) over () as findings from purses
        where class in ('AVAILABLE', 'ESCROW') and credits_posted - debits_posted - debits_pending < 0
        order by name limit 10")
}

pub(in crate::features::proof) fn holds() -> Query {
    q("with held as (select t.debit_purse, t.credit_purse, t.amount
            from transfers t left join transfers r on r.pending_id = t.id
            where t.phase = 'PENDING' and r.id is null),
        legs (purse, dh, ch) as (
            select debit_purse, amount, 0 from held union all select credit_purse, 0, amount from held),
        sums as (select purse, sum(dh) as dh, sum(ch) as ch from legs group by purse)
        select p.name as what, count(*) over () as findings from purses p left join sums s on s.purse = p.id
        where p.debits_pending <> coalesce(s.dh, 0) or p.credits_pending <> coalesce(s.ch, 0)
        order by p.name limit 10")
}

pub(in crate::features::proof) fn resolutions() -> Query {
    q("select 'transfer' as what, r.id, count(*) over () as findings
        from transfers r join transfers t on t.id = r.pending_id
        where t.phase <> 'PENDING' or t.amount <> r.amount or t.currency <> r.currency or t.group_id <> r.group_id
            or t.debit_purse <> r.debit_purse or t.credit_purse <> r.credit_purse or t.kind <> r.kind
            or r.created_at < t.created_at
        order by r.id limit 10")
}

pub(in crate::features::proof) fn offers() -> Query {
    q("with held as (select t.group_id, sum(t.amount) as amount
            from transfers t left join transfers r on r.pending_id = t.id
            where t.phase = 'PENDING' and r.id is null group by t.group_id),
        wrong as (
            select 'hold' as what, h.group_id as id from held h left join offers o
                on o.hold_id = h.group_id and o.status = 'PENDING' and o.amount + o.platform_fee = h.amount
            where o.id is null
            union all
            select 'offer' as what, o.id from offers o left join held h on h.group_id = o.hold_id
            where o.status = 'PENDING' and h.group_id is null
                and (o.hold_id is not null or o.made_by = 'CUSTOMER'))
        select what, id, count(*) over () as findings from wrong order by id limit 10")
}

pub(in crate::features::proof) fn escrows() -> Query {
    let keeping = Status::ALL.iter().copied().filter(|status| status.keeps_escrow()).map(Status::name);
    q2(
        "with due as (select 'escrow:' || replace(cast(offer_id as text), '-', '') as name, currency,
                case when status in ({list}) or releases_at is not null then amount else 0 end
                    as amount
            from bookings where offer_id is not null),
        wrong as (
            select p.name from purses p left join due d on d.name = p.name
            where p.class = 'ESCROW' and (p.credits_posted - p.debits_posted <> coalesce(d.amount, 0)
                or p.currency <> coalesce(d.currency, p.currency))
            union all
            select d.name from due d left join purses p on p.name = d.name where p.id is null and d.amount > 0)
        select name as what, count(*) over () as findings from wrong order by name limit 10",
        "with due as (select 'escrow:' || lower(hex(offer_id)) as name, currency,
                case when status in ({list}) or releases_at is not null then amount else 0 end
                    as amount
            from bookings where offer_id is not null),
        wrong as (
            select p.name from purses p left join due d on d.name = p.name
            where p.class = 'ESCROW' and (p.credits_posted - p.debits_posted <> coalesce(d.amount, 0)
                or p.currency <> coalesce(d.currency, p.currency))
            union all
            select d.name from due d left join purses p on p.name = d.name where p.id is null and d.amount > 0)
        select name as what, count(*) over () as findings from wrong order by name limit 10",
    )
    .list(keeping)
}

pub(in crate::features::proof) fn wallets() -> Query {
    q("with sums as (select owner_id, currency, sum(credits_posted - debits_posted) as amount
            from purses where class = 'ESCROW' group by owner_id, currency),
        wrong as (
            select p.name from purses p left join sums s on s.owner_id = p.owner_id and s.currency = p.currency
            where p.escrowed <> case p.class when 'AVAILABLE' then coalesce(s.amount, 0) else 0 end
            union all
            select e.name from purses e left join purses p
                on p.owner_id = e.owner_id and p.currency = e.currency and p.class = 'AVAILABLE'
            where e.class = 'ESCROW' and p.id is null)
        select name as what, count(*) over () as findings from wrong order by name limit 10")
}

/// Seals that a proof saw and that are gone or have another hash now.
pub(in crate::features::proof) fn lost_seals() -> Query {
    q("with seen as (select distinct sealed_day, sealed_hash from ledger_proofs where sealed_day is not null)
        select 'a seal that a proof saw is gone: ' || seen.sealed_hash as what, count(*) over () as findings
        from seen left join ledger_seals s on s.day = seen.sealed_day and s.hash = seen.sealed_hash
        where s.day is null order by seen.sealed_day limit 10")
}
