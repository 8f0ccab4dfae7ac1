//! Silent bookings: one that was delivered is completed by itself, any other one that nobody moves on is given up. A
//! completed one is paid for, if its release was put off.
//!
//! Each step enqueues the task that ends the next silence; the version that it carries says which step it follows. A
//! dispute, like any other step, makes the tasks before it idle.

use serde::{Deserialize, Serialize};

use super::commands::{lock, release, step};
use super::model::{RELEASE, TIME_OUT, stored};
use super::{Booking, Status, events};
use crate::features::wallet::outcomes::Outcome;
use crate::kernel::clock::{DAY, HOUR};
use crate::kernel::id::BookingId;
use crate::kernel::{By, Caller, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Unit};

/// After how many days a timer acts.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A silent delivered booking is completed.
    pub complete_days: i64,
    /// Any other silent one is given up.
    pub lapse_days: i64,
    /// The price of a completed one goes to the contractor; at once when it is 0.
    pub release_days: i64,
}

impl Patience {
    /// As the settings say it.
    pub fn of(platform: &Platform) -> Self {
        let rules = &platform.config.bookings;
        Patience {
            complete_days: rules.complete_after_days,
            lapse_days: rules.lapse_after_days,
            release_days: rules.release_delay_days,
        }
    }

    /// When the money of a step that is taken now follows it, if that is later.
    pub fn releases_at(self, outcome: Outcome, now: Timestamp) -> Option<Timestamp> {
        self.puts_off(outcome).then(|| now.plus(self.release_days * DAY))
    }

    /// Whether what a step does to the money is for later.
    pub const fn puts_off(self, outcome: Outcome) -> bool {
        outcome.pays() && self.release_days > 0
    }
}

/// The payload of all these tasks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Silence {
    /// Which booking.
    pub booking: BookingId,
    /// Its version when the silence began.
    pub version: i64,
}

/// Enqueues the timer that waits for a booking, if one does.
pub(super) fn wait(unit: &mut Unit, booking: &Booking, patience: Patience) -> Result<()> {
    if let Some((task, at)) = booking.timer(patience) {
        let silence = Silence { booking: booking.id, version: booking.version };
        unit.enqueue(NewTask::new(task, &silence, at)?);
    }
    Ok(())
}

/// Ends the silence of a booking. One that moved meanwhile is left alone.
pub async fn end_silence(platform: &Platform, caller: &Caller, silence: Silence) -> Result<()> {
    let patience = Patience::of(platform);
    platform
        .work
        .run(caller, silence, move |unit, silence| {
            Box::pin(async move {
                let found = lock(unit, silence.booking).await?;
                match found.timer(patience) {
                    Some(_) if found.version != silence.version => Ok(()),
                    // Put off by other settings: another task waits for that.
                    Some((_, at)) if at > unit.now.plus(HOUR) => wait(unit, &found, patience),
                    Some((_, at)) if at > unit.now => Err(Error::early("booking")),
                    Some((task, _)) => act(unit, &found, task, patience).await,
                    None => Ok(()),
                }
            })
        })
        .await
}

async fn act(unit: &mut Unit, found: &Booking, task: &'static str, patience: Patience) -> Result<()> {
    if task == RELEASE {
        return release(unit, found).await;
    }
    let reason = (task != TIME_OUT).then_some("Nobody moved this booking on.");
    let ended = step(unit, found, task, By::Timer, reason, patience).await?;
    let change = serde_json::json!({ "from": found.status.name(), "to": ended.status.name() });
    unit.audit(AuditRow::new(task, ended.id).with(change));
    unit.state(match ended.status {
        Status::Cancelled => events::cancelled(&ended, &stored(By::Timer), found.refund(task, By::Timer)?)?,
        _ => events::status_changed(&ended, found.status)?,
    });
    Ok(())
}
