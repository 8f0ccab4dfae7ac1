//! Reads of announcements. They are public.

use super::{Announcement, store};
use crate::kernel::Result;
use crate::kernel::id::AnnouncementId;
use crate::platform::Platform;

/// Announcements by id, in no particular order.
pub async fn by_ids(platform: &Platform, ids: &[AnnouncementId]) -> Result<Vec<Announcement>> {
    store::by_ids(&platform.db, ids).await
}
