//! Publishing.

use super::{Announcement, NewAnnouncement, events, store};
use crate::kernel::id::AnnouncementId;
use crate::kernel::{Caller, Result, Role};
use crate::platform::Platform;
use crate::platform::work::AuditRow;

/// Tells everyone, now and after they come back.
pub async fn publish(platform: &Platform, caller: &Caller, input: NewAnnouncement) -> Result<AnnouncementId> {
    let viewer = caller.viewer()?;
    viewer.must_be(Role::Admin)?;
    platform
        .work
        .run(caller, (viewer, input), |unit, (viewer, input)| {
            Box::pin(async move {
                unit.act_as(Role::Admin);
                let announcement = Announcement {
                    id: unit.ids.new_id(),
                    title: input.title.clone(),
                    body: input.body.clone(),
                    level: input.level,
                    published_by: viewer.user,
                    created_at: unit.now,
                    updated_at: unit.now,
                    version: 1,
                };
                store::insert(&mut unit.tx, &announcement).await?;
                unit.audit(AuditRow::new("announcement.publish", announcement.id));
                unit.state(events::added(&announcement));
                Ok(announcement.id)
            })
        })
        .await
}
