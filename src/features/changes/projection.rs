//! From the steps of a booking to the end of its pending change, in the same transaction.

use futures_util::future::BoxFuture;

use super::model::closing;
use super::{LIFE, Status, events, store};
use crate::features::bookings;
use crate::kernel::Result;
use crate::kernel::id::{BookingId, TypedId};
use crate::kernel::life::State;
use crate::platform::streams::{Draft, Step};
use crate::platform::work::Unit;

/// Closes the pending change of a booking that went where nothing is changed any more.
pub fn project<'a>(unit: &'a mut Unit, draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let to = match draft.kind {
            bookings::events::CANCELLED => Some(bookings::Status::Cancelled),
            bookings::events::STATUS_CHANGED => bookings::Status::parse(&draft.read_facts::<Step>()?.to),
            _ => None,
        };
        let Some(transition) = to.and_then(closing) else { return Ok(()) };
        let to = LIFE.driven(transition, Status::Pending, Status::Closed)?;
        if let Some(closed) = store::end(&mut unit.tx, BookingId::of(draft.object), to, unit.now).await? {
            unit.state(events::ended(&closed)?);
        }
        Ok(())
    })
}
