//! All offers of a job at once: one wins and the others lose, or the job ends and takes them along.
//!
//! States and money change in one transaction, however many offers there are. When they are many, most contractors hear
//! of it by a task, a moment later.

use serde::{Deserialize, Serialize};

use super::commands::gone;
use super::model::ACCEPT;
use super::{LIFE, Offer, Reason, Status, events, store};
use crate::features::jobs::{self, Job};
use crate::features::wallet::model::Cause;
use crate::features::wallet::{escrow, outcomes};
use crate::kernel::id::{JobId, OfferId, TaskId};
use crate::kernel::{Actor, By, Caller, Result, text};
use crate::platform::Platform;
use crate::platform::queue::{self, NewTask};
use crate::platform::work::{AuditRow, Effect, Once, Unit};

/// The task that tells contractors whose offers were ended with many others.
pub const TELL: &str = "offer.tell";

/// The payload of [`TELL`].
#[derive(Serialize, Deserialize)]
pub struct Tell {
    /// Which offers.
    pub offers: Vec<OfferId>,
}

/// Contractors told in the transaction that ends their offers, and in each task: with both parties and the topics of the
/// deal it stays within the streams that one transaction may write to.
const TOLD_AT_ONCE: usize = 12;

/// The offers of a job, decided: one accepted, the others declined.
pub struct Decided {
    /// The accepted one.
    pub winner: Offer,
    /// The declined ones.
    pub losers: Vec<Offer>,
}

/// Accepts one offer of a job and declines the others. Money and booking are the caller's.
pub async fn decide(unit: &mut Unit, job: JobId, winner: OfferId) -> Result<Decided> {
    let from = Status::Pending;
    let (won, lost) = (LIFE.step(ACCEPT, from, By::Receiver)?, LIFE.step(ACCEPT, from, By::Rival)?);
    let decision = store::Decision { winner, from, won, lost, reason: Reason::of(ACCEPT, lost) };
    let offers = store::decide(&mut unit.tx, job, decision, unit.now).await?;
    let (mut won, losers): (Vec<_>, Vec<_>) = offers.into_iter().partition(|offer| offer.id == winner);
    let winner = won.pop().ok_or_else(gone)?;
    unit.state(events::ended(&winner)?);
    tell_of(unit, &losers)?;
    Ok(Decided { winner, losers })
}

/// What giving up a job needs, checked.
#[derive(Clone, Debug, Serialize)]
pub struct CancelJob {
    job: JobId,
    reason: Option<String>,
}

impl CancelJob {
    /// Checks what a person typed.
    pub fn new(job: JobId, reason: Option<&str>) -> Result<Self> {
        let reason = text::optional_paragraphs(reason.unwrap_or_default(), text::NOTE_MAX);
        let reason = reason.map_err(|error| error.at("reason"))?;
        Ok(CancelJob { job, reason: Some(reason).filter(|reason| !reason.is_empty()) })
    }
}

/// Its customer gives up a job that nobody works on: its offers are declined and what they held is free.
pub async fn cancel_job(platform: &Platform, caller: &Caller, key: Once, input: CancelJob) -> Result<Effect<JobId>> {
    let viewer = caller.viewer()?;
    platform
        .work
        .once(caller, key, input, move |unit, input| {
            Box::pin(async move {
                let job = jobs::commands::cancel(unit, &viewer, input.job, input.reason.as_deref()).await?;
                let row = AuditRow::new("job.cancel", job.id);
                unit.audit(match &input.reason {
                    Some(reason) => row.because(reason),
                    None => row,
                });
                close(unit, &job, jobs::model::CANCEL, By::Customer).await?;
                Ok(job.id)
            })
        })
        .await
}

/// Lets a job expire whose time is over, and its offers with it. One that is not open any more is left alone.
pub async fn expire_job(platform: &Platform, caller: &Caller, job: JobId) -> Result<()> {
    platform
        .work
        .run(caller, job, |unit, job| {
            Box::pin(async move {
                match jobs::commands::expire(unit, *job).await? {
                    Some(job) => close(unit, &job, jobs::model::EXPIRE, By::Timer).await,
                    None => Ok(()),
                }
            })
        })
        .await
}

/// Ends all pending offers of a job that has just ended, and frees what they hold.
async fn close(unit: &mut Unit, job: &Job, transition: &str, by: By) -> Result<()> {
    let from = Status::Pending;
    let to = LIFE.step(transition, from, by)?;
    let step = store::Step { from, to, reason: Reason::of(transition, to) };
    let ended = store::step_all(&mut unit.tx, job.id, step, unit.now).await?;
    let freed = outcomes::of(transition, Some(from.name()), by)?.frees();
    let lost: Vec<_> = ended.iter().filter_map(|offer| offer.hold.zip(freed)).collect();
    escrow::free(unit, Cause::of(job.id), &lost).await?;
    for offer in ended.iter().filter(|offer| offer.hold.is_some()) {
        unit.audit(AuditRow::new("offer.free", offer.id));
    }
    tell_of(unit, &ended)
}

/// States that these offers ended: the first of them here and now.
fn tell_of(unit: &mut Unit, ended: &[Offer]) -> Result<()> {
    let (now, later) = ended.split_at(ended.len().min(TOLD_AT_ONCE));
    for offer in now {
        let ended = events::ended(offer)?;
        match unit.actor() {
            // Who loses does not hear who won: offers are sealed.
            Actor::User(user, _) if !offer.parties().contains(&user) => unit.state_unnamed(ended),
            _ => unit.state(ended),
        }
    }
    for page in later.chunks(TOLD_AT_ONCE) {
        let offers = page.iter().map(|offer| offer.id).collect();
        unit.enqueue(NewTask::new(TELL, &Tell { offers }, unit.now)?);
    }
    Ok(())
}

/// Tells both sides of offers that ended without a word.
pub async fn tell(platform: &Platform, caller: &Caller, task: TaskId, offers: Vec<OfferId>) -> Result<()> {
    platform
        .work
        .run(caller, (task, offers), |unit, (task, offers)| {
            Box::pin(async move {
                // The task ends with its effect, so that nobody is told twice.
                if !queue::finish(&mut unit.tx, *task, unit.now).await? {
                    return Ok(());
                }
                for offer in store::by_ids(&mut unit.tx, offers).await? {
                    unit.state(events::ended(&offer)?);
                }
                Ok(())
            })
        })
        .await
}
