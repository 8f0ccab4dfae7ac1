//! The facts that wallets state.

use serde::{Deserialize, Serialize};

use super::ledger::Delta;
use super::model::{Balance, Kind, Payment, Purse};
use crate::kernel::id::UserId;
use crate::kernel::{Currency, Money, Result};
use crate::platform::payments::Failure;
use crate::platform::streams::Draft;

/// The subscription that shows them.
pub const NOUN: &str = "wallet";
/// More may be spent than before.
pub const CREDITED: &str = "WalletCredited";
/// Less may be spent than before, or what was held or lay in escrow is gone.
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
    /// The whole wallet after the change. Events from before this was noted lack it.
    #[serde(default)]
    pub wallet: Option<Figures>,
    /// Why a payment failed.
    #[serde(default)]
    pub failure: Option<String>,
}

/// A wallet's figures at one moment, in minor units.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// What may be spent.
    pub available: i64,
    /// What pending offers hold.
    pub held: i64,
    /// What lies in escrow.
    pub escrow: i64,
}

impl Figures {
    /// The figures of a user's own purse.
    pub(super) const fn of(purse: &Purse) -> Self {
        Figures { available: purse.available(), held: purse.debits_pending, escrow: purse.escrowed }
    }
}

impl Change {
    fn new(amount: Money, kind: Kind, wallet: Figures) -> Self {
        let (minor, currency) = (amount.minor, amount.currency.code().to_owned());
        Change { minor, currency, kind: kind.name().to_owned(), wallet: Some(wallet), failure: None }
    }

    /// By how much.
    pub fn amount(&self) -> Result<Money> {
        Ok(Money::new(self.minor, Currency::parse(&self.currency)?))
    }

    /// Why a payment failed; a failure that nobody named counts as the provider's.
    pub fn failure(&self) -> Failure {
        self.failure.as_deref().and_then(Failure::parse).unwrap_or(Failure::ProviderError)
    }

    /// The user's whole wallet as it was right after the change, if the event knows it.
    pub fn balance(&self, user: UserId) -> Result<Option<Balance>> {
        let currency = Currency::parse(&self.currency)?;
        let money = |minor| Money::new(minor, currency);
        Ok(self.wallet.map(|figures| Balance {
            user,
            available: money(figures.available),
            held: money(figures.held),
            escrow: money(figures.escrow),
            pending_payout: Money::zero(currency),
        }))
    }
}

/// A wallet changed; `None` when it did not.
pub(super) fn wallet_changed(purse: &Purse, delta: &Delta, kind: Kind) -> Result<Option<Draft>> {
    let Some(owner) = purse.owner else { return Ok(None) };
    let spendable = delta.credits_posted - delta.debits_posted - delta.debits_pending;
    let (event, minor) = match spendable {
        1.. => (CREDITED, spendable),
        0 if delta.debits_posted > 0 => (DEBITED, delta.debits_posted),
        0 if delta.escrowed < 0 => (DEBITED, -delta.escrowed),
        0 => return Ok(None),
        _ => (DEBITED, -spendable),
    };
    let change = Change::new(Money::new(minor, purse.currency), kind, Figures::of(purse));
    let draft = Draft::new(NOUN, event, purse.id, purse.version).to([owner]).facts(&change)?;
    Ok(Some(draft))
}

/// A deposit has arrived, and this is the wallet that it went to.
pub(super) fn payment_completed(payment: &Payment, wallet: Figures) -> Result<Draft> {
    ended(payment, PAYMENT_COMPLETED, &Change::new(payment.amount, Kind::Deposit, wallet))
}

/// A deposit will not arrive, for this reason; the wallet is as it was.
pub(super) fn payment_failed(payment: &Payment, why: Failure, wallet: Figures) -> Result<Draft> {
    let change = Change::new(payment.amount, Kind::Deposit, wallet);
    ended(payment, PAYMENT_FAILED, &Change { failure: Some(why.name().to_owned()), ..change })
}

fn ended(payment: &Payment, kind: &'static str, change: &Change) -> Result<Draft> {
    Draft::new(NOUN, kind, payment.id, payment.version).to([payment.user]).facts(change)
}
