//! Depositing.
//!
//! The payment's row exists before the provider is asked, and a task looks after it, so that a crash in between loses
//! nothing: whoever asks the provider next hears the same answer.

use serde::{Deserialize, Serialize};

use super::events::Figures;
use super::ledger::{Applied, Batch, Leg};
use super::model::{Cause, Kind, Payment, PaymentStatus, PurseKey};
use super::{events, store};
use crate::kernel::clock::MINUTE;
use crate::kernel::id::{PaymentId, UserId};
use crate::kernel::{Caller, Error, Money, Result, Role};
use crate::platform::Platform;
use crate::platform::payments::{Intent, Progress};
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The task that asks the provider again.
pub const COLLECT: &str = "payment.collect";

/// What a deposit needs.
#[derive(Clone, Debug)]
pub struct Deposit {
    /// How much.
    pub amount: Money,
    /// The client's key.
    pub key: Once,
}

/// The canonical input, as the idempotency key remembers it.
#[derive(Serialize)]
struct Canonical {
    minor: i64,
    currency: &'static str,
    provider: &'static str,
}

/// The payload of [`COLLECT`].
#[derive(Serialize, Deserialize)]
pub struct Collect {
    /// Which payment.
    pub payment: PaymentId,
}

/// Starts a deposit, and ends it when the provider says so at once.
pub async fn deposit(platform: &Platform, caller: &Caller, input: Deposit) -> Result<Effect<PaymentId>> {
    let viewer = caller.viewer()?;
    viewer.must_be(Role::Customer)?;
    let amount = input.amount.positive().map_err(|error| error.at("amount.amount"))?;
    let provider = platform.payments.name();
    let canonical = Canonical { minor: amount.minor, currency: amount.currency.code(), provider };
    let effect = platform
        .work
        .once(caller, input.key, canonical, move |unit, _| {
            Box::pin(async move { start(unit, viewer.user, amount, provider).await })
        })
        .await?;
    collect(platform, caller, effect.value).await?;
    Ok(effect)
}

async fn start(unit: &mut Unit, user: UserId, amount: Money, provider: &'static str) -> Result<PaymentId> {
    unit.act_as(Role::Customer);
    let payment = Payment {
        id: unit.ids.new_id(),
        user,
        amount,
        status: PaymentStatus::Pending,
        provider: provider.to_owned(),
        next_url: None,
        failure: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    store::insert_payment(&mut unit.tx, &payment).await?;
    unit.audit(AuditRow::new("deposit.start", payment.id).with(serde_json::json!({ "amount": amount.to_string() })));
    unit.enqueue(NewTask::new(COLLECT, &Collect { payment: payment.id }, unit.now.plus(MINUTE))?);
    Ok(payment.id)
}

/// Asks the provider how far a pending payment is, books the answer and says whether the payment has ended. Asking twice
/// changes nothing.
pub async fn collect(platform: &Platform, caller: &Caller, id: PaymentId) -> Result<bool> {
    let found = store::payments(&platform.db, &[id]).await?;
    let payment = found.into_iter().next().ok_or_else(|| Error::not_found("payment"))?;
    if payment.status != PaymentStatus::Pending {
        return Ok(true);
    }
    let progress = platform.payments.collect(&Intent { id, amount: payment.amount }).await?;
    let has_ended = !matches!(progress, Progress::Waiting { .. });
    platform.work.run(caller, (id, progress), |unit, (id, progress)| Box::pin(settle(unit, *id, progress))).await?;
    Ok(has_ended)
}

async fn settle(unit: &mut Unit, id: PaymentId, progress: &Progress) -> Result<()> {
    let now = unit.now;
    match progress {
        Progress::Captured { reference } => {
            let status = PaymentStatus::Completed;
            let ended = store::end_payment(&mut unit.tx, id, status, Some(reference), None, now).await?;
            // Somebody else was first: the money is booked already.
            let Some(payment) = ended else { return Ok(()) };
            let currency = payment.amount.currency;
            let mut batch = Batch::new(Cause::of(id));
            let leg = Leg {
                debit: PurseKey::gateway(currency),
                credit: PurseKey::available(payment.user, currency),
                amount: payment.amount,
                kind: Kind::Deposit,
            };
            let wallet = leg.credit.name.clone();
            batch.post(unit, vec![leg]);
            let Applied { purses, drafts } = batch.change(unit).await?;
            let purse = purses.iter().find(|purse| purse.name == wallet);
            let purse = purse.ok_or_else(|| Error::internal("a deposit without its wallet"))?;
            unit.state(events::payment_completed(&payment, Figures::of(purse))?);
            drafts.into_iter().for_each(|draft| unit.state(draft));
            unit.audit(AuditRow::new("deposit.complete", id));
        }
        Progress::Waiting { redirect_url } => store::await_user(&mut unit.tx, id, redirect_url, now).await?,
        Progress::Failed { code, reason } => {
            let status = PaymentStatus::Failed;
            let ended = store::end_payment(&mut unit.tx, id, status, None, Some(reason), now).await?;
            if let Some(payment) = ended {
                let key = PurseKey::available(payment.user, payment.amount.currency);
                let purse = store::purse(&mut unit.tx, &key.name).await?;
                let figures = purse.as_ref().map_or(Figures { available: 0, held: 0, escrow: 0 }, Figures::of);
                unit.state(events::payment_failed(&payment, *code, figures)?);
                unit.audit(AuditRow::new("deposit.fail", id).because(reason));
            }
        }
    }
    Ok(())
}
