//! Movements of money between the places where the money of a deal can be.

use super::fees::Quote;
use super::model::Kind;
use crate::kernel::{Money, Result};

/// Where the money of a deal can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pot {
    /// What the customer may spend.
    Customer,
    /// What is held in the customer's wallet.
    Held,
    /// The escrow.
    Escrow,
    /// What the contractor may spend.
    Contractor,
    /// The platform's fees.
    Platform,
}

/// A movement of money.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where it leaves.
    pub from: Pot,
    /// Where it arrives.
    pub to: Pot,
    /// How much.
    pub amount: Money,
    /// What for.
    pub kind: Kind,
}

/// What moves when a deal costs something else: more is paid in by the customer, and less comes back.
pub(super) fn repriced(before: &Quote, after: &Quote) -> Result<Vec<Part>> {
    let moved = |was: Money, is: Money, pot, more, less| -> Result<Part> {
        let by = is.plus(Money::new(-was.minor, was.currency))?;
        Ok(match by.minor {
            0.. => Part { from: Pot::Customer, to: pot, amount: by, kind: more },
            _ => Part { from: pot, to: Pot::Customer, amount: Money::new(-by.minor, by.currency), kind: less },
        })
    };
    Ok(vec![
        moved(before.budget, after.budget, Pot::Escrow, Kind::Escrow, Kind::Refund)?,
        moved(before.platform_fee, after.platform_fee, Pot::Platform, Kind::PlatformFee, Kind::FeeRefund)?,
    ])
}

/// What parts of money change: below zero where money leaves. The five always add up to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What the customer may spend.
    pub customer: Money,
    /// What is held in the customer's wallet.
    pub held: Money,
    /// The escrow.
    pub escrow: Money,
    /// What the contractor may spend.
    pub contractor: Money,
    /// The platform's fees.
    pub platform: Money,
}

impl Effect {
    /// What these parts change.
    pub(super) fn of(quote: &Quote, parts: &[Part]) -> Result<Self> {
        let zero = Money::zero(quote.budget.currency);
        let mut effect = Effect { customer: zero, held: zero, escrow: zero, contractor: zero, platform: zero };
        for part in parts {
            let out = effect.pot(part.from);
            *out = out.plus(Money::new(-part.amount.minor, part.amount.currency))?;
            let into = effect.pot(part.to);
            *into = into.plus(part.amount)?;
        }
        Ok(effect)
    }

    const fn pot(&mut self, pot: Pot) -> &mut Money {
        match pot {
            Pot::Customer => &mut self.customer,
            Pot::Held => &mut self.held,
            Pot::Escrow => &mut self.escrow,
            Pot::Contractor => &mut self.contractor,
            Pot::Platform => &mut self.platform,
        }
    }
}
