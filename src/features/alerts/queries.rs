//! Reads of alerts. They are for staff; those about money for administrators.

use super::{Alert, Filter, Kind, store};
use crate::kernel::id::AlertId;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Caller, Result};
use crate::platform::Platform;

/// Alerts by id, in no particular order. The caller shows them to those whom their kind is for.
pub async fn by_ids(platform: &Platform, ids: &[AlertId]) -> Result<Vec<Alert>> {
    store::by_ids(&platform.db, ids).await
}

/// The filter as far as the caller may look: of what it wants, the kinds that are for it.
pub fn allowed(caller: &Caller, filter: Filter) -> Result<Filter> {
    let viewer = caller.viewer()?;
    viewer.must_be_staff()?;
    let mut kinds = Kind::all_for(viewer.roles);
    kinds.retain(|kind| filter.kinds.is_empty() || filter.kinds.contains(kind));
    Ok(Filter { kinds, ..filter })
}

/// A page of the alerts that an [`allowed`] filter lets pass, newest first.
pub async fn page(platform: &Platform, filter: &Filter, page: &Page) -> Result<Slice<Alert>> {
    if filter.kinds.is_empty() {
        return Ok(Slice::empty());
    }
    store::page(&platform.db, filter, page).await
}

/// How many those are.
pub async fn count(platform: &Platform, filter: &Filter) -> Result<i64> {
    if filter.kinds.is_empty() {
        return Ok(0);
    }
    store::count(&platform.db, filter).await
}

/// How many alerts of each kind are on the list.
pub async fn open_counts(platform: &Platform) -> Result<Vec<(Kind, i64)>> {
    store::open_counts(&platform.db).await
}
