//! The facts that wallets state.

use serde::{Deserialize, Serialize};

use super::ledger::Delta;
use super::model::{Kind, Payment, Purse};
use crate::kernel::{Currency, Money, Result};
use crate::platform::streams::Draft;

/// The subscription that shows them.
pub const NOUN: &str = "wallet";
/// More may be spent than before.
pub const CREDITED: &str = "WalletCredited";
/// Less may be spent than before, or what was held is gone.
pub const DEBITED: &str = "WalletDebited";
/// A deposit has arrived.
pub const PAYMENT_COMPLETED: &str = "PaymentCompleted";
/// A deposit will not arrive.
pub const PAYMENT_FAILED: &str = "PaymentFailed";

/// What a change of a wallet says about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// By how much, in minor units, above zero.
    pub minor: i64,
    /// The wallet's currency.
    pub currency: String,
    /// What for.
    pub kind: String,
}

impl Change {
    /// By how much.
    pub fn amount(&self) -> Result<Money> {
        Ok(Money::new(self.minor, Currency::parse(&self.currency)?))
    }
}

/// A wallet changed; `None` when it did not.
pub(super) fn wallet_changed(purse: &Purse, delta: &Delta, kind: Option<Kind>) -> Result<Option<Draft>> {
    let (Some(owner), Some(kind)) = (purse.owner, kind) else { return Ok(None) };
    let spendable = delta.credits_posted - delta.debits_posted - delta.debits_pending;
    let (event, minor) = match spendable {
        1.. => (CREDITED, spendable),
        0 if delta.debits_posted == 0 => return Ok(None),
        0 => (DEBITED, delta.debits_posted),
        _ => (DEBITED, -spendable),
    };
    let change = Change { minor, currency: purse.currency.code().to_owned(), kind: kind.name().to_owned() };
    let draft = Draft::new(NOUN, event, purse.id, purse.version).to([owner]).facts(&change)?;
    Ok(Some(draft))
}

/// A deposit ended, one way or the other.
pub(super) fn payment_ended(payment: &Payment, kind: &'static str) -> Result<Draft> {
    let change = Change {
        minor: payment.amount.minor,
        currency: payment.amount.currency.code().to_owned(),
        kind: Kind::Deposit.name().to_owned(),
    };
    Draft::new(NOUN, kind, payment.id, payment.version).to([payment.user]).facts(&change)
}
