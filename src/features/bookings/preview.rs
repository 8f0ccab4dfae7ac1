//! What a transition would do: the very command, run to the brink of its commit and taken back, so that its rules cannot
//! differ from those of the real one.
//!
//! To add a transition: a line in [`job`], [`offer`] or [`booking`] that calls its command. Those of disputes, which stand
//! above bookings, have a file of the same name there.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::model::{ACCEPT, CANCEL, COMPLETE, DELIVER, Patience, START};
use super::{Status, commands, queries};
use crate::features::jobs::model::CANCEL as CANCEL_JOB;
use crate::features::offers::model::{COUNTER, DECLINE, WITHDRAW};
use crate::features::wallet::outcomes::Effect;
use crate::features::wallet::{self, Balance};
use crate::features::{jobs, offers};
use crate::kernel::id::{BookingId, JobId, OfferId, UserId, parse};
use crate::kernel::life::Available;
use crate::kernel::{Caller, Code, Currency, Error, Result};
use crate::platform::Platform;
use crate::platform::work::{Look, Once, Unit};

/// Where everything would stand.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The job.
    pub job: Option<jobs::Status>,
    /// The offer, when the transition is one of an offer.
    pub offer: Option<offers::Status>,
    /// The booking.
    pub booking: Option<Status>,
    /// What the transition moves.
    pub effect: Option<Effect>,
    /// The viewer's wallet.
    pub wallet: Balance,
}

/// What a mutation would do to the object with this id, for this caller.
pub async fn of(platform: &Platform, caller: &Caller, mutation: &'static str, id: &str) -> Result<Foreseen> {
    match mutation {
        CANCEL_JOB => job(platform, caller, parse(id)?).await,
        ACCEPT | DECLINE | WITHDRAW | COUNTER => offer(platform, caller, mutation, parse(id)?).await,
        START | DELIVER | COMPLETE | CANCEL => booking(platform, caller, mutation, parse(id)?).await,
        other => Err(Error::new(Code::BadUserInput, format!("There is no preview of {other}."))),
    }
}

/// The effect of a job is that of all its offers: the wallet shows it.
async fn job(platform: &Platform, caller: &Caller, id: JobId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let stage = Stage::new(platform, move |unit| Box::pin(after_job(unit, viewer.user, id)));
    // Why somebody gives up changes nothing.
    let input = offers::settling::CancelJob::new(id, None)?;
    offers::settling::cancel_job(&stage.platform, caller, key(platform, CANCEL_JOB)?, input).await.map(drop)?;
    stage.seen()
}

async fn offer(platform: &Platform, caller: &Caller, mutation: &'static str, id: OfferId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let found = offers::queries::by_ids(platform, &[id]).await?.pop();
    let stage = Stage::new(platform, move |unit| Box::pin(after_offer(unit, viewer.user, id)));
    match mutation {
        ACCEPT => commands::accept(&stage.platform, caller, key(platform, mutation)?, id).await.map(drop)?,
        DECLINE => offers::commands::decline(&stage.platform, caller, None, id).await.map(drop)?,
        WITHDRAW => offers::commands::withdraw(&stage.platform, caller, None, id).await.map(drop)?,
        _ => {
            // As if nothing but the direction changed: the terms are for the client to choose.
            let found = found.as_ref().ok_or_else(|| Error::not_found("offer"))?;
            let input = offers::NewCounter::new(id, found.quote.budget, "")?;
            offers::counter::counter(&stage.platform, caller, key(platform, mutation)?, input).await.map(drop)?;
        }
    }
    let found = found.ok_or_else(|| Error::not_found("offer"))?;
    let available = found.available(&viewer, platform.clock.now());
    let effect = found.effect(mutation, taken(&available, mutation)?.by)?;
    Ok(Foreseen { effect, ..stage.seen()? })
}

async fn booking(platform: &Platform, caller: &Caller, mutation: &'static str, id: BookingId) -> Result<Foreseen> {
    let viewer = caller.viewer()?;
    let found = queries::by_ids(platform, &[id]).await?.pop();
    let stage = Stage::new(platform, move |unit| Box::pin(after_booking(unit, viewer.user, id)));
    // Why somebody does it changes nothing.
    let input = commands::Move::new(id, Some(mutation))?;
    match mutation {
        START => commands::start(&stage.platform, caller, input).await.map(drop)?,
        DELIVER => commands::deliver(&stage.platform, caller, input).await.map(drop)?,
        COMPLETE => commands::complete(&stage.platform, caller, key(platform, mutation)?, input).await.map(drop)?,
        _ => {
            let input = commands::Cancel::new(id, mutation)?;
            commands::cancel(&stage.platform, caller, key(platform, mutation)?, input).await.map(drop)?;
        }
    }
    let found = found.ok_or_else(|| Error::not_found("booking"))?;
    let by = taken(&found.available(&viewer), mutation)?.by;
    let effect = found.effect(mutation, by, Patience::of(platform))?;
    Ok(Foreseen { effect, ..stage.seen()? })
}

/// A key of its own, so that a rehearsal never repeats what was done.
pub fn key(platform: &Platform, mutation: &'static str) -> Result<Once> {
    Once::new(mutation, &platform.ids.uuid().to_string())
}

/// The step as it was foreseen when the object was read, a moment before the command ran.
pub fn taken<'a>(available: &'a [Available], mutation: &str) -> Result<&'a Available> {
    let step = available.iter().find(|it| it.name == mutation && it.refused.is_none());
    step.ok_or_else(|| Error::conflict("This changed just now; look again."))
}

/// A platform on which nothing lasts, and what was seen on it.
pub struct Stage<T> {
    /// Where the command runs.
    pub platform: Platform,
    seen: Arc<Mutex<Option<T>>>,
}

impl<T: Send + 'static> Stage<T> {
    /// A stage on which `look` sees what would be.
    pub fn new<L>(platform: &Platform, look: L) -> Self
    where
        L: for<'a> Fn(&'a mut Unit) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let seen: Arc<Mutex<Option<T>>> = Arc::new(Mutex::new(None));
        let (kept, look) = (seen.clone(), Arc::new(look));
        let look: Look = Arc::new(move |unit| {
            let (kept, look) = (kept.clone(), look.clone());
            Box::pin(async move {
                let foreseen = look(unit).await?;
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(foreseen);
                Ok(())
            })
        });
        Stage { platform: platform.rehearsing(look), seen }
    }

    /// What was seen, once the command has run.
    pub fn seen(&self) -> Result<T> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        seen.ok_or_else(|| Error::internal("a rehearsal that nobody looked at"))
    }
}

async fn after_job(unit: &mut Unit, viewer: UserId, id: JobId) -> Result<Foreseen> {
    let found = jobs::queries::in_unit(unit, id).await?.ok_or_else(|| Error::not_found("job"))?;
    after(unit, viewer, Some(id), found.budget.currency).await
}

async fn after_offer(unit: &mut Unit, viewer: UserId, id: OfferId) -> Result<Foreseen> {
    let offer = offers::queries::in_unit(unit, id).await?.ok_or_else(|| Error::not_found("offer"))?;
    let booking = queries::of_job_in_unit(unit, offer.job).await?.filter(|booking| booking.offer == id);
    let currency = offer.quote.budget.currency;
    let seen = after(unit, viewer, Some(offer.job), currency).await?;
    Ok(Foreseen { offer: Some(offer.status), booking: booking.map(|booking| booking.status), ..seen })
}

/// What is looked at after a transition of a booking, or of what stands above it.
pub async fn after_booking(unit: &mut Unit, viewer: UserId, id: BookingId) -> Result<Foreseen> {
    let booking = queries::in_unit(unit, id).await?;
    let seen = after(unit, viewer, booking.job, booking.quote.budget.currency).await?;
    Ok(Foreseen { booking: Some(booking.status), ..seen })
}

/// What is looked at after every transition.
async fn after(unit: &mut Unit, viewer: UserId, job: Option<JobId>, currency: Currency) -> Result<Foreseen> {
    let job = match job {
        Some(id) => jobs::queries::in_unit(unit, id).await?.map(|job| job.status),
        None => None,
    };
    let wallet = wallet::queries::balance_in_unit(unit, viewer, currency).await?;
    Ok(Foreseen { job, offer: None, booking: None, effect: None, wallet })
}
