//! The proof of the ledger in the API.

use async_graphql::{Enum, SimpleObject};

use super::auth::{Access, auth};
use super::money::Money;
use super::scalars::{CurrencyCode, DateTime};
use crate::features::proof::model;
use crate::features::wallet::freezing;
use crate::kernel;

/// What a proof of the whole ledger found, all at one instant.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct LedgerProof {
    /// Whether the books are in order: no check found anything.
    pub is_proved: bool,
    /// The instant that it speaks of.
    pub proved_at: DateTime,
    /// How many milliseconds it took.
    pub duration_ms: i32,
    /// Everything that was checked.
    pub checks: Vec<LedgerCheck>,
    /// The money, by currency.
    pub currencies: Vec<LedgerSums>,
    /// The open holds, by currency and age.
    pub open_holds: Vec<LedgerHolds>,
    /// The sealed days.
    pub chain: LedgerChain,
    /// Why nothing is paid out. Null while payouts are not frozen.
    pub payout_freeze: Option<PayoutFreeze>,
}

impl From<model::Proof> for LedgerProof {
    fn from(proof: model::Proof) -> Self {
        LedgerProof {
            is_proved: proof.is_proved(),
            proved_at: DateTime(proof.proved_at),
            duration_ms: super::int(proof.duration_ms),
            checks: proof.checks.into_iter().map(Into::into).collect(),
            currencies: proof.currencies.into_iter().map(Into::into).collect(),
            open_holds: proof.open_holds.into_iter().map(Into::into).collect(),
            chain: proof.chain.into(),
            payout_freeze: proof.freeze.map(Into::into),
        }
    }
}

/// What one check found.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct LedgerCheck {
    /// Which check.
    pub name: LedgerCheckName,
    /// How many things are wrong: 0 when all is well.
    pub findings: i32,
    /// The first of them, by name or id.
    pub examples: Vec<String>,
}

impl From<model::Outcome> for LedgerCheck {
    fn from(outcome: model::Outcome) -> Self {
        let (name, findings) = (outcome.check.into(), super::int(outcome.findings));
        LedgerCheck { name, findings, examples: outcome.examples }
    }
}

/// What a proof checks.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Check")]
pub enum LedgerCheckName {
    /// All purses of a currency add up to nothing.
    Balance,
    /// Each purse's totals are those of its transfers.
    Totals,
    /// Each transfer is in the currency of both its purses.
    Currencies,
    /// No user's money and no escrow is below zero.
    Floors,
    /// What each purse has pending is what its open holds are.
    Holds,
    /// Each hold ended as it began.
    Resolutions,
    /// Each open hold is a pending offer's, over its price and fee.
    Offers,
    /// Each escrow holds what the state of its booking says.
    Escrows,
    /// Each wallet's escrow is the sum of the escrows that the user filled.
    Wallets,
    /// No transfer of a sealed day was added, changed or removed.
    Chain,
}

/// All money of one currency.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct LedgerSums {
    /// Which currency.
    pub currency: CurrencyCode,
    /// What users may spend.
    pub available: Money,
    /// What is held for offers.
    pub held: Money,
    /// What lies in escrow.
    pub escrow: Money,
    /// What the platform earned.
    pub fees: Money,
    /// What came in from outside, below zero.
    pub gateway: Money,
    /// The sum of all purses: zero, or money was made or lost.
    pub balance: Money,
}

impl From<model::Sums> for LedgerSums {
    fn from(sums: model::Sums) -> Self {
        let money = |minor| kernel::Money::new(minor, sums.currency).into();
        LedgerSums {
            currency: CurrencyCode(sums.currency),
            available: money(sums.available),
            held: money(sums.held),
            escrow: money(sums.escrow),
            fees: money(sums.fees),
            gateway: money(sums.gateway),
            balance: money(sums.balance),
        }
    }
}

/// Open holds of one currency and age.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct LedgerHolds {
    /// How long they have been open.
    pub age: LedgerHoldAge,
    /// How many.
    pub count: i32,
    /// What they hold.
    pub amount: Money,
    /// When the oldest of them began.
    pub oldest_at: DateTime,
}

impl From<model::Holds> for LedgerHolds {
    fn from(holds: model::Holds) -> Self {
        LedgerHolds {
            age: holds.age.into(),
            count: super::int(holds.count),
            amount: kernel::Money::new(holds.amount, holds.currency).into(),
            oldest_at: DateTime(holds.oldest_at),
        }
    }
}

/// How long a hold has been open.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Age")]
pub enum LedgerHoldAge {
    /// Less than a day.
    Day,
    /// Less than three days.
    ThreeDays,
    /// Less than a week.
    Week,
    /// A week or more.
    Older,
}

/// The chain of sealed days.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct LedgerChain {
    /// How many days are sealed.
    pub days: i32,
    /// The first instant of the last sealed day. Null before the first one.
    pub last_day_at: Option<DateTime>,
    /// The hash of that day, in hexadecimal. Kept elsewhere, it shows whether the whole chain was replaced.
    pub last_hash: Option<String>,
    /// Transfers since then.
    pub unsealed: i32,
}

impl From<model::Chain> for LedgerChain {
    fn from(chain: model::Chain) -> Self {
        LedgerChain {
            days: super::int(chain.days),
            last_day_at: chain.last_day.map(DateTime),
            last_hash: chain.last_hash,
            unsealed: super::int(chain.unsealed),
        }
    }
}

/// Nothing is paid out.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct PayoutFreeze {
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: DateTime,
}

impl From<freezing::Freeze> for PayoutFreeze {
    fn from(freeze: freezing::Freeze) -> Self {
        PayoutFreeze { reason: freeze.reason, created_at: DateTime(freeze.created_at) }
    }
}
