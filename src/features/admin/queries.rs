//! Counting. Each count reads an index of what is open, not what ever was.

use super::Figures;
use crate::features::disputes::Status;
use crate::features::{alerts, bookings, disputes, jobs, offers, presence, wallet};
use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::queue;

/// The figures as they are now. Asked through a [`Board`](super::Board), which counts once for all who look.
pub async fn figures(platform: &Platform) -> Result<Figures> {
    let today = platform.clock.now().day();
    // One after the other: nobody waits for it, and the pool is for those who do.
    let (tasks_waiting, tasks_failed) = queue::counts(&platform.db).await?;
    let (payments_completed, payments_failed) = wallet::queries::payments_since(platform, today).await?;
    Ok(Figures {
        users_online: presence::queries::count(platform).await,
        jobs_open: jobs::queries::open_count(platform, &jobs::Filter::default()).await?,
        offers_pending: offers::queries::pending_count(platform).await?,
        bookings_active: bookings::queries::active_count(platform).await?,
        disputes_open: disputes::queries::count(platform, Status::Open).await?,
        disputes_escalated: disputes::queries::count(platform, Status::Escalated).await?,
        tasks_waiting,
        tasks_failed,
        payments_completed,
        payments_failed,
        alerts: alerts::queries::open_counts(platform).await?,
    })
}
