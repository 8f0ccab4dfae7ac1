//! The only writer of transfers.
//!
//! A [`Batch`] collects what happens to money in one unit of work and applies it at once: the purses' totals change in one
//! statement, whose guard refuses to spend what is not there, and the transfers are stored in another. Purses are locked
//! in the order of their names, so that two batches never wait for each other in a circle.

use std::collections::BTreeMap;

use super::model::{Cause, Class, Kind, Phase, Purse, PurseKey};
use super::{events, store};
use crate::kernel::id::{PurseId, TransactionId, TransferId};
use crate::kernel::{Code, Error, Money, Result};
use crate::platform::streams::Draft;
use crate::platform::work::Unit;

/// A movement from one purse to another.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Where it leaves.
    pub debit: PurseKey,
    /// Where it arrives.
    pub credit: PurseKey,
    /// How much. Nothing moves when it is zero.
    pub amount: Money,
    /// What for.
    pub kind: Kind,
}

/// One row to be written.
struct Entry {
    debit: PurseKey,
    credit: PurseKey,
    amount: Money,
    kind: Kind,
    phase: Phase,
    pending: Option<TransferId>,
    group: TransactionId,
    cause: Cause,
}

/// A transfer that is held, as it is read back to be resolved.
pub(super) struct Held {
    pub(super) id: TransferId,
    pub(super) group: TransactionId,
    pub(super) debit: PurseKey,
    pub(super) credit: PurseKey,
    pub(super) amount: Money,
    pub(super) kind: Kind,
}

/// What changes in one purse.
#[derive(Default)]
pub(super) struct Delta {
    pub(super) debits_posted: i64,
    pub(super) credits_posted: i64,
    pub(super) debits_pending: i64,
    pub(super) credits_pending: i64,
    /// By how much the escrows that the purse's owner filled change.
    pub(super) escrowed: i64,
}

/// Where the purses stand after a batch, and what their owners are to hear of it.
pub(super) struct Applied {
    pub(super) purses: Vec<Purse>,
    pub(super) drafts: Vec<Draft>,
}

/// What happens to money in one unit of work.
pub struct Batch {
    cause: Cause,
    entries: Vec<Entry>,
}

impl Batch {
    /// Nothing yet, because of this.
    pub const fn new(cause: Cause) -> Self {
        Batch { cause, entries: Vec::new() }
    }

    /// Moves at once.
    pub fn post(&mut self, unit: &Unit, legs: Vec<Leg>) {
        self.add(unit.ids.new_id(), legs, Phase::Single);
    }

    /// Holds: the money stays where it is and cannot be spent. The group's id is the hold's.
    pub fn hold(&mut self, group: TransactionId, legs: Vec<Leg>) {
        self.add(group, legs, Phase::Pending);
    }

    fn add(&mut self, group: TransactionId, legs: Vec<Leg>, phase: Phase) {
        let cause = self.cause;
        self.entries.extend(legs.into_iter().filter(|leg| leg.amount.minor != 0).map(|leg| Entry {
            debit: leg.debit,
            credit: leg.credit,
            amount: leg.amount,
            kind: leg.kind,
            phase,
            pending: None,
            group,
            cause,
        }));
    }

    /// Resolves holds: posts, voids or expires all of each. A second resolution fails on the unique `pending_id`.
    pub async fn resolve(&mut self, unit: &mut Unit, holds: &[(TransactionId, Phase)]) -> Result<()> {
        if holds.is_empty() {
            return Ok(());
        }
        let groups: Vec<_> = holds.iter().map(|(group, _)| *group).collect();
        let found = store::held(&mut unit.tx, &groups).await?;
        if groups.iter().any(|group| found.iter().all(|held| held.group != *group)) {
            return Err(Error::internal("a hold without transfers"));
        }
        for held in found {
            let phase = holds.iter().find(|(group, _)| *group == held.group).map(|(_, phase)| *phase);
            self.entries.push(Entry {
                debit: held.debit,
                credit: held.credit,
                amount: held.amount,
                kind: held.kind,
                phase: phase.ok_or_else(|| Error::internal("a hold that nobody asked for"))?,
                pending: Some(held.id),
                group: held.group,
                cause: self.cause,
            });
        }
        Ok(())
    }

    /// Applies everything, states the events of the wallets concerned, and says where these now stand.
    pub async fn apply(self, unit: &mut Unit) -> Result<Vec<Purse>> {
        let Applied { purses, drafts } = self.change(unit).await?;
        drafts.into_iter().for_each(|draft| unit.state(draft));
        Ok(purses)
    }

    /// Applies everything, and leaves it to the caller to state the events.
    pub(super) async fn change(self, unit: &mut Unit) -> Result<Applied> {
        if self.entries.is_empty() {
            return Ok(Applied { purses: Vec::new(), drafts: Vec::new() });
        }
        let deltas = deltas(&self.entries)?;
        let keys = deltas.values().map(|(key, _)| key);
        // Purses are born empty, by whatever reaches them first. What is only spent from must exist already.
        let receiving: Vec<_> = keys.filter(|key| may_be_new(key, &self.entries)).collect();
        store::ensure_purses(unit, &receiving).await?;
        let changes: Vec<_> = deltas.iter().map(|(name, (_, delta))| (name.as_str(), delta)).collect();
        let purses = store::change_purses(unit, &changes).await?;
        if purses.len() < deltas.len() {
            let names: Vec<_> = deltas.keys().map(String::as_str).collect();
            return Err(if store::is_full(&mut unit.tx, &names).await? { too_large() } else { insufficient() });
        }
        self.store(unit, &purses)?;
        let mut drafts = Vec::new();
        for purse in purses.iter().filter(|purse| purse.class == Class::Available) {
            if let (Some((_, delta)), Some(kind)) = (deltas.get(&purse.name), self.kind_for(purse)) {
                drafts.extend(events::wallet_changed(purse, delta, kind)?);
            }
        }
        Ok(Applied { purses, drafts })
    }

    /// What a user's wallet changed for: what moved there, else the largest movement out of or into the user's escrows.
    fn kind_for(&self, purse: &Purse) -> Option<Kind> {
        let own = self.entries.iter().find(|entry| entry.debit.name == purse.name || entry.credit.name == purse.name);
        let of_owner = |key: &PurseKey| key.class == Class::Escrow && key.owner == purse.owner;
        let escrows = self.entries.iter().filter(|entry| of_owner(&entry.debit) || of_owner(&entry.credit));
        own.or_else(|| escrows.max_by_key(|entry| entry.amount.minor)).map(|entry| entry.kind)
    }

    fn store(&self, unit: &mut Unit, purses: &[Purse]) -> Result<()> {
        let ids: BTreeMap<&str, PurseId> = purses.iter().map(|purse| (purse.name.as_str(), purse.id)).collect();
        let id_of = |key: &PurseKey| {
            ids.get(key.name.as_str()).copied().ok_or_else(|| Error::internal("a transfer without its purse"))
        };
        let mut rows = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            rows.push(vec![
                unit.ids.new_id::<TransferId>().into(),
                id_of(&entry.debit)?.into(),
                id_of(&entry.credit)?.into(),
                entry.amount.minor.into(),
                entry.amount.currency.code().into(),
                entry.kind.name().into(),
                entry.phase.name().into(),
                entry.pending.into(),
                entry.group.into(),
                entry.cause.kind.into(),
                entry.cause.id.into(),
                unit.now.into(),
            ]);
        }
        store::insert_transfers(unit, rows);
        Ok(())
    }
}

/// The refusal when a purse does not hold enough.
pub(super) fn insufficient() -> Error {
    Error::new(Code::InsufficientFunds, "The wallet does not hold enough; deposit first, or choose a smaller amount.")
}

fn may_be_new(key: &PurseKey, entries: &[Entry]) -> bool {
    let reaches = |entry: &Entry| entry.credit == *key && entry.pending.is_none();
    entries.iter().any(reaches) || matches!(key.class, Class::Gateway)
}

/// What changes in each purse, sorted by name.
type Deltas = BTreeMap<String, (PurseKey, Delta)>;

fn deltas(entries: &[Entry]) -> Result<Deltas> {
    let mut all = Deltas::new();
    for entry in entries {
        if entry.amount.currency != entry.debit.currency || entry.amount.currency != entry.credit.currency {
            return Err(Error::new(Code::CurrencyMismatch, "Money moves only between purses of its currency."));
        }
        let amount = entry.amount.positive()?.minor;
        let (posted, pending) = match entry.phase {
            Phase::Single => (amount, 0),
            Phase::Pending => (0, amount),
            Phase::Posted => (amount, -amount),
            Phase::Voided | Phase::Expired => (0, -amount),
        };
        let debit = of(&mut all, &entry.debit);
        add(&mut debit.debits_posted, posted)?;
        add(&mut debit.debits_pending, pending)?;
        let credit = of(&mut all, &entry.credit);
        add(&mut credit.credits_posted, posted)?;
        add(&mut credit.credits_pending, pending)?;
        escrowed(&mut all, &entry.debit, -posted)?;
        escrowed(&mut all, &entry.credit, posted)?;
    }
    Ok(all)
}

fn of<'a>(all: &'a mut Deltas, key: &PurseKey) -> &'a mut Delta {
    &mut all.entry(key.name.clone()).or_insert_with(|| (key.clone(), Delta::default())).1
}

fn add(total: &mut i64, amount: i64) -> Result<()> {
    *total = total.checked_add(amount).ok_or_else(too_large)?;
    Ok(())
}

fn too_large() -> Error {
    Error::new(Code::AmountTooLarge, "The amount is larger than one operation or purse may hold.")
}

/// An escrow's money is noted in its owner's own purse as well, which locks that one: whatever happens to a wallet happens
/// in one order, and its row tells all of it.
fn escrowed(all: &mut Deltas, key: &PurseKey, posted: i64) -> Result<()> {
    match key.owner {
        Some(owner) if key.class == Class::Escrow && posted != 0 => {
            add(&mut of(all, &PurseKey::available(owner, key.currency)).escrowed, posted)
        }
        _ => Ok(()),
    }
}
