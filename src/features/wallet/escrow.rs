//! What happens to the money of a deal, from the first hold to the last release.

use super::fees::Quote;
use super::ledger::{Batch, Leg};
use super::model::{Cause, Phase, PurseKey};
use super::outcomes::{Decided, Freed, Outcome, Part, Pot};
use crate::kernel::id::{OfferId, TransactionId, UserId};
use crate::kernel::{Error, Result};
use crate::platform::work::Unit;

/// A deal: whose money, for whom, how much.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    /// The offer that made it; names the escrow.
    pub offer: OfferId,
    /// Who pays.
    pub customer: UserId,
    /// Who works.
    pub contractor: UserId,
    /// All amounts.
    pub quote: Quote,
    /// What holds the customer's money, as long as it is only held.
    pub hold: Option<TransactionId>,
}

impl Deal {
    fn purse(&self, pot: Pot) -> PurseKey {
        let currency = self.quote.budget.currency;
        match pot {
            Pot::Customer | Pot::Held => PurseKey::available(self.customer, currency),
            Pot::Contractor => PurseKey::available(self.contractor, currency),
            Pot::Escrow => PurseKey::escrow(self.offer, self.customer, currency),
            Pot::Platform => PurseKey::fees(currency),
        }
    }

    fn legs(&self, parts: Vec<Part>) -> Vec<Leg> {
        let leg = |part: Part| Leg {
            debit: self.purse(part.from),
            credit: self.purse(part.to),
            amount: part.amount,
            kind: part.kind,
        };
        parts.into_iter().map(leg).collect()
    }
}

/// What comes with an outcome that the table cannot know.
#[derive(Default)]
pub struct Given<'a> {
    /// How the escrow is split, or what the deal costs from now on, when somebody decides it.
    pub decided: Decided,
    /// Holds of other offers that end in the same moment, so that they may pay for this one.
    pub lost: &'a [(TransactionId, Freed)],
}

/// Gives up holds of several deals at once, because of what they had in common.
pub async fn free(unit: &mut Unit, cause: Cause, lost: &[(TransactionId, Freed)]) -> Result<()> {
    let mut batch = Batch::new(cause);
    let resolved: Vec<_> = lost.iter().map(|(hold, why)| (*hold, phase(*why))).collect();
    batch.resolve(unit, &resolved).await?;
    batch.apply(unit).await.map(drop)
}

const fn phase(freed: Freed) -> Phase {
    match freed {
        Freed::Voided => Phase::Voided,
        Freed::Expired => Phase::Expired,
    }
}

/// Posts what an outcome says about a deal, because of an offer or a booking.
pub async fn post(unit: &mut Unit, cause: Cause, deal: Deal, outcome: Outcome, given: Given<'_>) -> Result<()> {
    let mut batch = Batch::new(cause);
    let mut resolved: Vec<_> = given.lost.iter().map(|(hold, why)| (*hold, phase(*why))).collect();
    match (outcome, deal.hold) {
        (Outcome::Held, Some(hold)) => {
            // Held money stays in its purse, and goes where it will go once it is paid.
            batch.hold(hold, deal.legs(Outcome::Funded.parts(&deal.quote, false, Decided::Nothing)?));
        }
        (Outcome::Held, None) => return Err(Error::internal("a hold without a name")),
        (Outcome::Funded, Some(hold)) => resolved.push((hold, Phase::Posted)),
        (Outcome::Freed(why), Some(hold)) => resolved.push((hold, phase(why))),
        (outcome, _) => {
            let legs = deal.legs(outcome.parts(&deal.quote, false, given.decided)?);
            batch.post(unit, legs);
        }
    }
    batch.resolve(unit, &resolved).await?;
    batch.apply(unit).await?;
    Ok(())
}
