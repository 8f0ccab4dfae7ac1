//! The chain of sealed days.
//!
//! The hash of a day is SHA-256, in hexadecimal, over these lines, each ended by a line feed: `gigwire-ledger-1`, the day's
//! first millisecond, the hash of the day before (64 zeros for the first one), then one line for each transfer in the
//! order of (created_at, id), as `line` writes it. Days without transfers are sealed as well, so that none can be left
//! out. Transactions last 30 seconds at most, so an hour after its end a day is complete.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::model::Chain;
use super::store;
use crate::kernel::clock::{DAY, HOUR};
use crate::kernel::{Caller, Result, Timestamp, text};
use crate::platform::Platform;
use crate::platform::db::Tx;

/// A day is sealed so long after its end.
pub const SEALED_AFTER_MS: i64 = HOUR;
/// What stands before the first hash, so that another form can never be mistaken for this one.
const FORM: &str = "gigwire-ledger-1";
/// Wrong days that are named.
const EXAMPLES: usize = 10;

/// The seal of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The day's first instant.
    pub day: Timestamp,
    /// How many transfers it has.
    pub transfers: i64,
    /// The hash of the day before.
    pub previous: String,
    /// The hash of this one.
    pub hash: String,
}

/// A transfer with all its columns, as it is hashed.
pub(super) struct Sealed {
    pub(super) ids: [uuid::Uuid; 5],
    pub(super) pending: Option<uuid::Uuid>,
    pub(super) amount: i64,
    pub(super) words: [String; 4],
    pub(super) created_at: Timestamp,
}

/// A day that is being hashed.
struct Open {
    day: Timestamp,
    previous: String,
    transfers: i64,
    hash: Sha256,
    line: String,
}

impl Open {
    fn new(day: Timestamp, previous: String) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{FORM}\n{}\n{previous}\n", day.0));
        Open { day, previous, transfers: 0, hash, line: String::with_capacity(320) }
    }

    fn add(&mut self, row: &Sealed) {
        self.line.clear();
        line(&mut self.line, row);
        self.hash.update(&self.line);
        self.transfers += 1;
    }

    fn close(self) -> Seal {
        let Open { day, previous, transfers, hash, .. } = self;
        Seal { day, transfers, previous, hash: text::hex(&hash.finalize()) }
    }
}

/// `id|debit|credit|group|cause_id|pending or -|amount|currency|kind|phase|cause|created_at`
fn line(text: &mut String, row: &Sealed) {
    for id in row.ids {
        let _ = write!(text, "{}|", id.simple());
    }
    match row.pending {
        Some(id) => {
            let _ = write!(text, "{}|", id.simple());
        }
        None => text.push_str("-|"),
    }
    let [currency, kind, phase, cause] = &row.words;
    let _ = writeln!(text, "{}|{currency}|{kind}|{phase}|{cause}|{}", row.amount, row.created_at.0);
}

fn genesis() -> String {
    "0".repeat(64)
}

/// Seals every day that is over for an hour and is not sealed yet.
pub async fn seal(platform: &Platform, caller: &Caller) -> Result<()> {
    let now = platform.clock.now();
    let mut tx = platform.db.long_snapshot().await?;
    let last = store::last_seal(&mut tx).await?;
    let first = match &last {
        Some(seal) => Some(seal.day.plus(DAY)),
        None => store::first_transfer(&mut tx).await?.map(Timestamp::day),
    };
    let mut day = first.unwrap_or(now);
    let mut previous = last.map_or_else(genesis, |seal| seal.hash);
    let mut seals = Vec::new();
    while day.plus(DAY + SEALED_AFTER_MS) <= now {
        let mut open = Open::new(day, previous);
        store::transfers(&mut tx, day, day.plus(DAY), |row| open.add(&row)).await?;
        let seal = open.close();
        previous = seal.hash.clone();
        seals.push(seal);
        day = day.plus(DAY);
    }
    tx.rollback().await?;
    if seals.is_empty() {
        return Ok(());
    }
    let insert = platform.work.run(caller, seals, |unit, seals| {
        Box::pin(async move { store::insert_seals(&mut unit.tx, seals, unit.now).await })
    });
    insert.await
}

/// What following the chain from its beginning found.
pub(super) struct Verified {
    pub(super) chain: Chain,
    pub(super) findings: i64,
    pub(super) examples: Vec<String>,
}

/// Hashes every sealed day once more, and compares.
pub(super) async fn verify(tx: &mut Tx) -> Result<Verified> {
    let seals = store::seals(tx).await?;
    let mut walk = Walk::new(&seals);
    let Some(first) = seals.first() else {
        walk.chain.unsealed = store::count_since(tx, Timestamp(i64::MIN)).await?;
        return Ok(walk.end());
    };
    let end = seals.last().map_or(first.day, |last| last.day).plus(DAY);
    let early = store::count_between(tx, Timestamp(i64::MIN), first.day).await?;
    if early > 0 {
        walk.wrong(early, format!("{early} transfers from before the first sealed day"));
    }
    store::transfers(tx, first.day, end, |row| walk.take(&row)).await?;
    walk.chain.unsealed = store::count_since(tx, end).await?;
    Ok(walk.end())
}

/// A walk along the chain, transfer by transfer.
struct Walk<'a> {
    seals: std::slice::Iter<'a, Seal>,
    open: Option<(Open, &'a Seal)>,
    chain: Chain,
    findings: i64,
    examples: Vec<String>,
}

impl<'a> Walk<'a> {
    fn new(seals: &'a [Seal]) -> Self {
        let last = seals.last();
        let chain = Chain {
            days: i64::try_from(seals.len()).unwrap_or(i64::MAX),
            last_day: last.map(|seal| seal.day),
            last_hash: last.map(|seal| seal.hash.clone()),
            unsealed: 0,
        };
        let mut walk = Walk { seals: seals.iter(), open: None, chain, findings: 0, examples: Vec::new() };
        let seal = walk.seals.next();
        walk.open = seal.map(|seal| (Open::new(seal.day, genesis()), seal));
        walk
    }

    fn take(&mut self, row: &Sealed) {
        while self.open.as_ref().is_some_and(|(open, _)| row.created_at >= open.day.plus(DAY)) {
            self.next();
        }
        if let Some((open, _)) = &mut self.open {
            open.add(row);
        }
    }

    /// Compares the day that ends here, and goes on with the next one.
    fn next(&mut self) {
        let Some((open, seal)) = self.open.take() else { return };
        let found = open.close();
        if found != *seal {
            let day = seal.day.rfc3339().unwrap_or_default();
            let (now, then) = (found.transfers, seal.transfers);
            self.wrong(1, format!("{day}: sealed with {then} transfers, now {now}, and another hash"));
        }
        let Some(next) = self.seals.next() else { return };
        if next.day != seal.day.plus(DAY) {
            self.wrong(1, format!("{}: the day before is not sealed", next.day.rfc3339().unwrap_or_default()));
        }
        // From the stored hash, so that one changed day is one finding.
        self.open = Some((Open::new(next.day, seal.hash.clone()), next));
    }

    fn wrong(&mut self, count: i64, example: String) {
        self.findings += count;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }

    fn end(mut self) -> Verified {
        while self.open.is_some() {
            self.next();
        }
        Verified { chain: self.chain, findings: self.findings, examples: self.examples }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(at: i64, amount: i64) -> Sealed {
        Sealed {
            ids: [Uuid::from_u128(u128::from(at.unsigned_abs())); 5],
            pending: None,
            amount,
            words: ["USD", "DEPOSIT", "SINGLE", "payment"].map(str::to_owned),
            created_at: Timestamp(at),
        }
    }

    /// Three days: one with two transfers, one without any, one with one.
    fn chain() -> (Vec<Seal>, Vec<Sealed>) {
        let days = [vec![row(5, 100), row(6, 200)], vec![], vec![row(2 * DAY + 1, 300)]];
        let mut seals: Vec<Seal> = Vec::new();
        for (number, rows) in (0..).zip(&days) {
            let previous = seals.last().map_or_else(genesis, |seal| seal.hash.clone());
            let mut open = Open::new(Timestamp(number * DAY), previous);
            rows.iter().for_each(|row| open.add(row));
            seals.push(open.close());
        }
        (seals, days.into_iter().flatten().collect())
    }

    fn findings(seals: &[Seal], rows: &[Sealed]) -> i64 {
        let mut walk = Walk::new(seals);
        rows.iter().for_each(|row| walk.take(row));
        walk.end().findings
    }

    #[test]
    fn an_untouched_chain_is_in_order() {
        let (seals, rows) = chain();
        assert_eq!(findings(&seals, &rows), 0);
        assert_eq!(findings(&[], &[]), 0);
        assert_eq!(seals.iter().map(|seal| seal.transfers).collect::<Vec<_>>(), [2, 0, 1]);
    }

    #[test]
    fn each_tampering_is_found() {
        let (seals, _) = chain();
        let with = |change: fn(&mut Vec<Sealed>)| {
            let (_, mut rows) = chain();
            change(&mut rows);
            findings(&seals, &rows)
        };
        assert_eq!(with(|rows| rows[0].amount += 1), 1);
        assert_eq!(with(|rows| rows[2].pending = Some(Uuid::nil())), 1);
        assert_eq!(with(|rows| drop(rows.remove(1))), 1);
        assert_eq!(with(|rows| rows.insert(2, row(DAY + 3, 1))), 1);
        assert_eq!(with(|rows| rows.swap(0, 1)), 1);
        assert_eq!(with(Vec::clear), 2);
        let (mut seals, rows) = chain();
        seals[1].hash = genesis();
        assert_eq!(findings(&seals, &rows), 2, "the changed seal, and the one that follows from it");
        let (mut seals, rows) = chain();
        seals.remove(1);
        assert_eq!(findings(&seals, &rows), 2, "a missing day, and a hash that does not follow");
    }
}
