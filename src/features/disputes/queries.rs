//! Reads of disputes. They are for the two parties of their booking and for staff.

use std::collections::HashMap;

use super::{Audience, Dispute, Evidence, EvidenceOf, Status, store};
use crate::kernel::id::{BookingId, DisputeId, FileId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Disputes by id, in no particular order. The caller shows them to those whom [`Dispute::is_for`] names.
pub async fn by_ids(platform: &Platform, ids: &[DisputeId]) -> Result<Vec<Dispute>> {
    store::by_ids(&platform.db, ids).await
}

/// All disputes of these bookings, the newest one of each last.
pub async fn of_bookings(platform: &Platform, bookings: &[BookingId]) -> Result<Vec<Dispute>> {
    store::of_bookings(&platform.db, bookings).await
}

/// A dispute, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: DisputeId) -> Result<Dispute> {
    let found = store::by_ids(&mut unit.tx, &[id]).await?.pop();
    found.ok_or_else(|| Error::not_found("dispute"))
}

/// The last dispute of a booking, read inside a unit of work.
pub async fn last_in_unit(unit: &mut Unit, booking: BookingId) -> Result<Option<Dispute>> {
    Ok(store::of_bookings(&mut unit.tx, &[booking]).await?.pop())
}

/// The files of these disputes. The caller shows them to those whom [`Dispute::is_for`] names.
pub async fn evidence(platform: &Platform, disputes: &[DisputeId]) -> Result<Vec<EvidenceOf>> {
    let mut found: HashMap<DisputeId, Vec<Evidence>> = HashMap::new();
    for evidence in store::evidence(&platform.db, disputes).await? {
        found.entry(evidence.dispute).or_default().push(evidence);
    }
    Ok(found.into_iter().map(|(dispute, files)| EvidenceOf { dispute, files }).collect())
}

/// Whom these files are shown to, those of them that are evidence.
pub async fn audiences(platform: &Platform, files: &[FileId]) -> Result<Vec<Audience>> {
    let mut found: HashMap<FileId, Vec<UserId>> = HashMap::new();
    for store::Shown(file, parties) in store::audiences(&platform.db, files).await? {
        found.entry(file).or_default().extend(parties);
    }
    Ok(found.into_iter().map(|(file, parties)| Audience { file, parties }).collect())
}

/// A page of all disputes in a state, the oldest first. For staff.
pub async fn page(platform: &Platform, status: Status, page: &Page) -> Result<Slice<Dispute>> {
    store::page(&platform.db, status, page).await
}

/// How many those are.
pub async fn count(platform: &Platform, status: Status) -> Result<i64> {
    store::count(&platform.db, status).await
}

/// Open disputes whose time was over at `then`, a hundred at a time.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<DisputeId>> {
    store::overdue(&platform.db, then).await
}
