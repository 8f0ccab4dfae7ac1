//! From the completion of a booking to the earning, in the same transaction.

use futures_util::future::BoxFuture;

use super::{Earning, events, store};
use crate::features::bookings;
use crate::kernel::Result;
use crate::kernel::id::{BookingId, TypedId};
use crate::platform::streams::{Draft, Step};
use crate::platform::work::Unit;

/// Notes the earning of a booking that was completed.
pub fn project<'a>(unit: &'a mut Unit, draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if draft.kind != bookings::events::STATUS_CHANGED || !is_completion(draft)? {
            return Ok(());
        }
        let booking = bookings::queries::in_unit(unit, BookingId::of(draft.object)).await?;
        let [gross, service_fee, net] = booking.earned()?;
        let earning = Earning {
            id: unit.ids.new_id(),
            contractor: booking.contractor,
            booking: booking.id,
            gross,
            service_fee,
            net,
            created_at: unit.now,
            updated_at: unit.now,
            version: 1,
        };
        store::insert(&mut unit.tx, &earning).await?;
        unit.state(events::created(&earning));
        Ok(())
    })
}

fn is_completion(draft: &Draft) -> Result<bool> {
    let step: Step = draft.read_facts()?;
    Ok(step.to == bookings::Status::Completed.name())
}
