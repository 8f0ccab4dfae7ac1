//! What a proof says.

use serde::Serialize;

use crate::features::wallet::freezing::Freeze;
use crate::kernel::clock::DAY;
use crate::kernel::{Currency, Timestamp};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Check {
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
    /// Each open hold is a pending offer's, over its price and fee, and each pending offer of a customer has one.
    Offers,
    /// Each escrow holds what the state of its booking says.
    Escrows,
    /// Each wallet's escrow is the sum of the escrows that the user filled.
    Wallets,
    /// No transfer of a sealed day was added, changed or removed.
    Chain,
}

impl Check {
    /// The name that people and programs see.
    pub const fn name(self) -> &'static str {
        match self {
            Check::Balance => "BALANCE",
            Check::Totals => "TOTALS",
            Check::Currencies => "CURRENCIES",
            Check::Floors => "FLOORS",
            Check::Holds => "HOLDS",
            Check::Resolutions => "RESOLUTIONS",
            Check::Offers => "OFFERS",
            Check::Escrows => "ESCROWS",
            Check::Wallets => "WALLETS",
            Check::Chain => "CHAIN",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Which check.
    pub check: Check,
    /// How many things are wrong.
    pub findings: i64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// All money of one currency, in minor units.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sums {
    /// Which currency.
    #[serde(serialize_with = "code")]
    pub currency: Currency,
    /// What users may spend.
    pub available: i64,
    /// What is held for offers.
    pub held: i64,
    /// What lies in escrow.
    pub escrow: i64,
    /// What the platform earned.
    pub fees: i64,
    /// What came in from outside, below zero.
    pub gateway: i64,
    /// All of it: zero.
    pub balance: i64,
    /// What is awaited, less what is held: zero.
    pub pending: i64,
}

fn code<S: serde::Serializer>(currency: &Currency, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(currency.code())
}

/// How long a hold has been open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Age {
    /// Less than a day.
    Day,
    /// Less than three days.
    ThreeDays,
    /// Less than a week.
    Week,
    /// A week or more.
    Older,
}

impl Age {
    /// All of them, the youngest first, each with the milliseconds at which it ends.
    pub const ALL: [(Age, i64); 4] =
        [(Age::Day, DAY), (Age::ThreeDays, 3 * DAY), (Age::Week, 7 * DAY), (Age::Older, i64::MAX)];

    /// The name that people see.
    pub const fn words(self) -> &'static str {
        match self {
            Age::Day => "under a day",
            Age::ThreeDays => "1 to 3 days",
            Age::Week => "3 to 7 days",
            Age::Older => "a week or more",
        }
    }
}

/// Open holds of one age.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holds {
    /// Their currency.
    #[serde(serialize_with = "code")]
    pub currency: Currency,
    /// How old they are.
    pub age: Age,
    /// How many.
    pub count: i64,
    /// What they hold, in minor units.
    pub amount: i64,
    /// When the oldest of them began.
    pub oldest_at: Timestamp,
}

/// The chain of sealed days.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// How many days are sealed.
    pub days: i64,
    /// The last of them, by its first instant.
    pub last_day: Option<Timestamp>,
    /// The hash of the last one: who keeps it elsewhere can tell whether all of them were replaced.
    pub last_hash: Option<String>,
    /// Transfers since then.
    pub unsealed: i64,
}

/// A whole proof.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The instant that it speaks of.
    pub proved_at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// Everything that was checked.
    pub checks: Vec<Outcome>,
    /// The money, by currency.
    pub currencies: Vec<Sums>,
    /// The open holds, by currency and age.
    pub open_holds: Vec<Holds>,
    /// The sealed days.
    pub chain: Chain,
    /// Why and since when nothing is paid out, if that is so.
    pub freeze: Option<Freeze>,
}

impl Proof {
    /// How many things are wrong.
    pub fn findings(&self) -> i64 {
        self.checks.iter().map(|check| check.findings).sum()
    }

    /// Whether the books are in order.
    pub fn is_proved(&self) -> bool {
        self.findings() == 0
    }

    /// What is wrong, in one line.
    pub fn summary(&self) -> String {
        let wrong = self.checks.iter().filter(|check| check.findings > 0);
        let parts: Vec<_> = wrong.map(|check| format!("{} {}", check.check.name(), check.findings)).collect();
        if parts.is_empty() { "the books are in order".to_owned() } else { parts.join(", ") }
    }
}

/// The last proof that a night left behind.
#[derive(Clone, Copy, Debug)]
pub struct Nightly {
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the books were in order.
    pub is_proved: bool,
    /// How many things were wrong.
    pub findings: i64,
    /// How many holds were open.
    pub open_holds: i64,
    /// When the oldest of them began.
    pub oldest_hold_at: Option<Timestamp>,
}
