//! What happens to the money of a deal, from the first hold to the last release.

use super::fees::Quote;
use super::ledger::{Batch, Leg};
use super::model::{Cause, Kind, Phase, PurseKey};
use crate::kernel::Result;
use crate::kernel::id::{BookingId, OfferId, TransactionId, UserId};
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
}

impl Deal {
    fn escrow(&self) -> PurseKey {
        PurseKey::escrow(self.offer, self.customer, self.quote.budget.currency)
    }

    fn fees(&self) -> PurseKey {
        PurseKey::fees(self.quote.budget.currency)
    }

    fn wallet(&self, user: UserId) -> PurseKey {
        PurseKey::available(user, self.quote.budget.currency)
    }

    /// The price into the escrow and the fee to the platform.
    fn paid(&self) -> Vec<Leg> {
        let wallet = self.wallet(self.customer);
        vec![
            Leg { debit: wallet.clone(), credit: self.escrow(), amount: self.quote.budget, kind: Kind::Escrow },
            Leg { debit: wallet, credit: self.fees(), amount: self.quote.platform_fee, kind: Kind::PlatformFee },
        ]
    }
}

/// Holds the price and the fee of an offer that its customer made, under the id that the offer names.
pub async fn hold(unit: &mut Unit, deal: Deal, hold: TransactionId) -> Result<()> {
    let mut batch = Batch::new(Cause::of(deal.offer));
    batch.hold(hold, deal.paid());
    batch.apply(unit).await?;
    Ok(())
}

/// Why a hold is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// Declined or withdrawn.
    Voided,
    /// Its time was over.
    Expired,
}

/// Frees a hold, fee included.
pub async fn free(unit: &mut Unit, offer: OfferId, hold: Option<TransactionId>, why: Freed) -> Result<()> {
    let Some(hold) = hold else { return Ok(()) };
    let phase = match why {
        Freed::Voided => Phase::Voided,
        Freed::Expired => Phase::Expired,
    };
    let mut batch = Batch::new(Cause::of(offer));
    batch.resolve(unit, &[(hold, phase)]).await?;
    batch.apply(unit).await?;
    Ok(())
}

/// Funds a deal: posts its hold, or pays at once when there is none, and frees the holds of the offers that lost.
pub async fn fund(unit: &mut Unit, deal: Deal, hold: Option<TransactionId>, lost: &[TransactionId]) -> Result<()> {
    let mut batch = Batch::new(Cause::of(deal.offer));
    let mut resolved: Vec<_> = lost.iter().map(|lost| (*lost, Phase::Voided)).collect();
    match hold {
        Some(hold) => resolved.push((hold, Phase::Posted)),
        None => batch.post(unit, deal.paid()),
    }
    batch.resolve(unit, &resolved).await?;
    batch.apply(unit).await?;
    Ok(())
}

/// Releases the escrow of a finished booking: the service fee to the platform, the rest to the contractor.
pub async fn release(unit: &mut Unit, booking: BookingId, deal: Deal) -> Result<()> {
    let mut batch = Batch::new(Cause::of(booking));
    let net = deal.quote.contractor_net()?;
    batch.post(
        unit,
        vec![
            Leg { debit: deal.escrow(), credit: deal.fees(), amount: deal.quote.service_fee, kind: Kind::ServiceFee },
            Leg { debit: deal.escrow(), credit: deal.wallet(deal.contractor), amount: net, kind: Kind::Release },
        ],
    );
    batch.apply(unit).await?;
    Ok(())
}

/// Gives the price back to the customer, and the platform fee as well when `with_fee`.
pub async fn refund(unit: &mut Unit, booking: BookingId, deal: Deal, with_fee: bool) -> Result<()> {
    let mut batch = Batch::new(Cause::of(booking));
    let wallet = deal.wallet(deal.customer);
    let budget = deal.quote.budget;
    let mut legs = vec![Leg { debit: deal.escrow(), credit: wallet.clone(), amount: budget, kind: Kind::Refund }];
    if with_fee {
        let fee = deal.quote.platform_fee;
        legs.push(Leg { debit: deal.fees(), credit: wallet, amount: fee, kind: Kind::FeeRefund });
    }
    batch.post(unit, legs);
    batch.apply(unit).await?;
    Ok(())
}
