//! Proof of the books: what must be true of all money at any moment, read from the tables.

use std::collections::{BTreeMap, HashMap, HashSet};

use gigwire::kernel::clock::DAY;
use gigwire::platform::db::{Row, q};
use gigwire::platform::{Platform, host};
use uuid::Uuid;

struct Purse {
    name: String,
    owner: Option<Uuid>,
    escrowed: i64,
    class: String,
    currency: String,
    totals: [i64; 4],
}

struct Transfer {
    id: Uuid,
    debit: Uuid,
    credit: Uuid,
    amount: i64,
    phase: String,
    pending: Option<Uuid>,
    group: Uuid,
}

struct Offer {
    total: i64,
    status: String,
    hold: Option<Uuid>,
}

struct Booking {
    /// What a dispute left to the platform of price and fee, if one ended it.
    settled: Option<i64>,
    amount: i64,
    fees: [i64; 2],
    currency: String,
    status: String,
    cancelled_by: Option<String>,
    /// Whether its price waits in escrow though it is completed.
    is_put_off: bool,
}

async fn read<T>(on: &Platform, sql: &'static str, row: impl Fn(&Row) -> gigwire::kernel::Result<T>) -> Vec<T> {
    q(sql).fetch(&on.db).await.unwrap().iter().map(|found| row(found).unwrap()).collect()
}

/// Checks everything. Nobody may be moving money meanwhile.
pub async fn assert_books(on: &Platform) {
    let purses: HashMap<Uuid, Purse> = read(on, "select * from purses", |row| {
        let totals = ["debits_posted", "credits_posted", "debits_pending", "credits_pending"];
        let totals = [row.get(totals[0])?, row.get(totals[1])?, row.get(totals[2])?, row.get(totals[3])?];
        let [name, class, currency] = [row.get("name")?, row.get("class")?, row.get("currency")?];
        let (owner, escrowed) = (row.get("owner_id")?, row.get("escrowed")?);
        Ok((row.get("id")?, Purse { name, owner, escrowed, class, currency, totals }))
    })
    .await
    .into_iter()
    .collect();
    let transfers = read(on, "select * from transfers", |row| {
        Ok(Transfer {
            id: row.get("id")?,
            debit: row.get("debit_purse")?,
            credit: row.get("credit_purse")?,
            amount: row.get("amount")?,
            phase: row.get("phase")?,
            pending: row.get("pending_id")?,
            group: row.get("group_id")?,
        })
    })
    .await;
    let offers: Vec<Offer> = read(on, "select * from offers", |row| {
        let total = row.get::<i64>("amount")? + row.get::<i64>("platform_fee")?;
        Ok(Offer { total, status: row.get("status")?, hold: row.get("hold_id")? })
    })
    .await;
    let sql = "select d.booking_id, d.to_platform, d.fee_back, b.platform_fee from disputes d
        join bookings b on b.id = d.booking_id where d.status in ('AGREED', 'DECIDED')";
    let settled: HashMap<Uuid, i64> = read(on, sql, |row| {
        let fee = if row.get("fee_back")? { 0 } else { row.get::<i64>("platform_fee")? };
        Ok((row.get("booking_id")?, row.get::<i64>("to_platform")? + fee))
    })
    .await
    .into_iter()
    .collect();
    let bookings: HashMap<String, Booking> = read(on, "select * from bookings", |row| {
        let booking = Booking {
            settled: settled.get(&row.get::<Uuid>("id")?).copied(),
            amount: row.get("amount")?,
            fees: [row.get("platform_fee")?, row.get("service_fee")?],
            currency: row.get("currency")?,
            status: row.get("status")?,
            cancelled_by: row.get("cancelled_by")?,
            is_put_off: row.get::<Option<i64>>("releases_at")?.is_some(),
        };
        Ok((format!("escrow:{}", row.get::<Uuid>("offer_id")?.simple()), booking))
    })
    .await
    .into_iter()
    .collect();
    nothing_is_lost(&purses);
    wallets_know_their_escrows(&purses);
    totals_are_those_of_the_transfers(&purses, &transfers);
    holds_are_those_of_the_offers(&offers, &transfers);
    escrows_are_those_of_the_bookings(&purses, &bookings);
    fees_are_those_of_the_bookings(&purses, &bookings);
    let completed = bookings.values().filter(|booking| booking.status == "COMPLETED").count();
    let earnings = read(on, "select booking_id from earnings", |row| row.get::<Uuid>("booking_id")).await;
    assert_eq!(earnings.len(), completed, "one earning for each completed booking");
}

fn nothing_is_lost(purses: &HashMap<Uuid, Purse>) {
    let mut sums: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    for purse in purses.values() {
        let [debits, credits, held, awaited] = purse.totals;
        let sum = sums.entry(&purse.currency).or_default();
        sum[0] += credits - debits;
        sum[1] += awaited - held;
        let guarded = purse.class == "AVAILABLE" || purse.class == "ESCROW";
        assert!(!guarded || credits - debits - held >= 0, "{} is below zero", purse.name);
    }
    assert!(sums.values().all(|sum| *sum == [0, 0]), "money was made or lost: {sums:?}");
}

fn wallets_know_their_escrows(purses: &HashMap<Uuid, Purse>) {
    let mut sums: HashMap<(Option<Uuid>, &str), i64> = HashMap::new();
    for purse in purses.values().filter(|purse| purse.class == "ESCROW") {
        *sums.entry((purse.owner, &purse.currency)).or_default() += purse.totals[1] - purse.totals[0];
    }
    for purse in purses.values() {
        let wanted = if purse.class == "AVAILABLE" { sums.remove(&(purse.owner, &*purse.currency)) } else { None };
        assert_eq!(purse.escrowed, wanted.unwrap_or_default(), "what {} knows of its escrows", purse.name);
    }
    assert!(sums.is_empty(), "escrows of nobody: {sums:?}");
}

fn totals_are_those_of_the_transfers(purses: &HashMap<Uuid, Purse>, transfers: &[Transfer]) {
    let mut sums: HashMap<Uuid, [i64; 4]> = HashMap::new();
    for transfer in transfers {
        let (posted, pending) = match transfer.phase.as_str() {
            "SINGLE" => (transfer.amount, 0),
            "PENDING" => (0, transfer.amount),
            "POSTED" => (transfer.amount, -transfer.amount),
            _ => (0, -transfer.amount),
        };
        assert_eq!(purses[&transfer.debit].currency, purses[&transfer.credit].currency);
        let debit = sums.entry(transfer.debit).or_default();
        debit[0] += posted;
        debit[2] += pending;
        let credit = sums.entry(transfer.credit).or_default();
        credit[1] += posted;
        credit[3] += pending;
    }
    for (id, purse) in purses {
        assert_eq!(purse.totals, sums.get(id).copied().unwrap_or_default(), "the totals of {}", purse.name);
    }
}

fn holds_are_those_of_the_offers(offers: &[Offer], transfers: &[Transfer]) {
    let mut held: HashMap<Uuid, Vec<&Transfer>> = HashMap::new();
    for transfer in transfers.iter().filter(|transfer| transfer.phase == "PENDING") {
        held.entry(transfer.group).or_default().push(transfer);
    }
    let resolutions: HashMap<Uuid, &Transfer> =
        transfers.iter().filter_map(|transfer| transfer.pending.map(|pending| (pending, transfer))).collect();
    let known: HashSet<Uuid> = offers.iter().filter_map(|offer| offer.hold).collect();
    assert!(held.keys().all(|hold| known.contains(hold)), "a hold without its offer");
    for offer in offers {
        let Some(hold) = offer.hold else { continue };
        let legs = held.get(&hold).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(legs.iter().map(|leg| leg.amount).sum::<i64>(), offer.total, "price and fee are held");
        let phase = match offer.status.as_str() {
            "PENDING" => None,
            "ACCEPTED" => Some("POSTED"),
            "EXPIRED" => Some("EXPIRED"),
            _ => Some("VOIDED"),
        };
        for leg in legs {
            let resolution = resolutions.get(&leg.id);
            assert_eq!(resolution.map(|end| end.phase.as_str()), phase, "the hold of a {} offer", offer.status);
            let facts = |of: &Transfer| (of.debit, of.credit, of.amount, of.group);
            assert!(resolution.is_none_or(|end| facts(end) == facts(leg)), "a hold ends as it began");
        }
    }
}

fn escrows_are_those_of_the_bookings(purses: &HashMap<Uuid, Purse>, bookings: &HashMap<String, Booking>) {
    let escrows: HashMap<&str, i64> = purses
        .values()
        .filter(|purse| purse.class == "ESCROW")
        .map(|purse| (purse.name.as_str(), purse.totals[1] - purse.totals[0]))
        .collect();
    for (name, posted) in &escrows {
        let wanted = bookings.get(*name).map_or(0, |booking| match booking.status.as_str() {
            "COMPLETED" | "CANCELLED" if !booking.is_put_off => 0,
            _ => booking.amount,
        });
        assert_eq!(*posted, wanted, "{name}");
    }
    assert!(bookings.keys().all(|name| escrows.contains_key(name.as_str())), "a booking without escrow");
}

fn fees_are_those_of_the_bookings(purses: &HashMap<Uuid, Purse>, bookings: &HashMap<String, Booking>) {
    for purse in purses.values().filter(|purse| purse.class == "FEES") {
        let earned = |booking: &Booking| match (booking.status.as_str(), booking.cancelled_by.as_deref()) {
            _ if booking.settled.is_some() => booking.settled.unwrap_or_default(),
            ("COMPLETED", _) if !booking.is_put_off => booking.fees[0] + booking.fees[1],
            ("CANCELLED", Some("CONTRACTOR" | "TIMER" | "STAFF")) => 0,
            _ => booking.fees[0],
        };
        let wanted: i64 = bookings.values().filter(|booking| booking.currency == purse.currency).map(earned).sum();
        assert_eq!(purse.totals[1] - purse.totals[0], wanted, "{}", purse.name);
    }
}

/// Checks that every stream counts from 1 without gaps up to its head, and that an object's versions never go back. Where
/// the clock was moved so far that events had their time, a stream may begin later.
pub async fn assert_streams(on: &Platform) {
    let is_pruned = on.clock.now().0 - host::clock().now().0 >= on.config.streams.keep_days * DAY;
    let heads =
        read(on, "select * from streams", |row| Ok((row.get::<String>("name")?, row.get::<i64>("head")?))).await;
    let mut numbers: HashMap<String, i64> = HashMap::new();
    let mut versions: HashMap<(String, Uuid), i64> = HashMap::new();
    let events = read(on, "select stream, seq, object_id, version from events order by stream, seq", |row| {
        Ok((
            row.get::<String>("stream")?,
            row.get::<i64>("seq")?,
            row.get::<Uuid>("object_id")?,
            row.get::<i64>("version")?,
        ))
    })
    .await;
    for (stream, seq, object, version) in events {
        let last = numbers.entry(stream.clone()).or_insert(if is_pruned { seq - 1 } else { 0 });
        assert_eq!(seq, *last + 1, "a gap in {stream}");
        *last = seq;
        let before = versions.insert((stream.clone(), object), version).unwrap_or(0);
        assert!(version >= before, "a version went back in {stream}");
    }
    for (stream, head) in heads {
        assert_eq!(numbers.get(&stream).copied().unwrap_or(0), head, "the head of {stream}");
    }
}

/// What any change of a deal or of money would leave something in.
const TRACES: [&str; 10] = [
    "select count(*) as n from events",
    "select cast(coalesce(sum(head), 0) as bigint) as n from streams",
    "select count(*) as n from tasks",
    "select count(*) as n from audit",
    "select count(*) as n from idempotency",
    "select count(*) as n from transfers",
    "select cast(coalesce(sum(version), 0) as bigint) as n from purses",
    "select (select count(*) from payments) + (select count(*) from conversations) + (select count(*) from earnings)
        as n",
    "select cast((select coalesce(sum(version), 0) from offers) as bigint)
        + cast((select coalesce(sum(version), 0) from jobs) as bigint) as n",
    "select cast((select coalesce(sum(version), 0) from bookings) as bigint)
        + cast((select coalesce(sum(version), 0) from disputes) as bigint)
        + cast((select coalesce(sum(version), 0) from booking_changes) as bigint) as n",
];

/// Figures that a change of anything moves: equal before and after, when nothing was done.
pub async fn traces(on: &Platform) -> Vec<i64> {
    let mut found = Vec::new();
    for sql in TRACES {
        found.push(q(sql).one(&on.db).await.unwrap());
    }
    found
}
