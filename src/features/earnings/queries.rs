//! Reads of earnings. They are their contractor's.

use super::{Earning, store};
use crate::kernel::Result;
use crate::kernel::id::EarningId;
use crate::platform::Platform;

/// Earnings by id, in no particular order. The caller has a reason to see them.
pub async fn by_ids(platform: &Platform, ids: &[EarningId]) -> Result<Vec<Earning>> {
    store::by_ids(&platform.db, ids).await
}
