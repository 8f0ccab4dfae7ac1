//! Reviewing, replying, and what staff do about reviews.

use serde::{Deserialize, Serialize};

use super::{Hide, NewReview, Reply, Review, Status, events, queries, store};
use crate::features::bookings;
use crate::kernel::clock::DAY;
use crate::kernel::id::ReviewId;
use crate::kernel::{Caller, Code, Error, Result, Role, Viewer};
use crate::platform::Platform;
use crate::platform::queue::NewTask;
use crate::platform::work::{AuditRow, Unit};

/// The task that publishes a review that stayed alone.
pub const PUBLISH: &str = "review.publish";

/// The payload of [`PUBLISH`].
#[derive(Serialize, Deserialize)]
pub struct Publish {
    /// Which review.
    pub review: ReviewId,
}

/// A party of a completed booking reviews the other, once. The second review of a booking publishes both.
pub async fn post(platform: &Platform, caller: &Caller, input: NewReview) -> Result<ReviewId> {
    let viewer = caller.viewer()?;
    let blind_ms = platform.config.reviews.blind_days * DAY;
    platform
        .work
        .run(caller, (viewer, input, blind_ms), |unit, (viewer, input, blind_ms)| {
            Box::pin(async move { write(unit, viewer, input, *blind_ms).await })
        })
        .await
}

async fn write(unit: &mut Unit, viewer: &Viewer, input: &NewReview, blind_ms: i64) -> Result<ReviewId> {
    // The lock lets two who post at once see each other: otherwise both reviews would wait for the other one.
    let booking = bookings::commands::lock(unit, input.booking).await?;
    let party = booking.party_of(viewer.user)?;
    unit.act_as(party.role());
    if booking.status != bookings::Status::Completed {
        let message = format!("This booking is {}; review it once it is COMPLETED.", booking.status.name());
        return Err(Error::conflict(message));
    }
    let review = Review {
        id: unit.ids.new_id(),
        booking: booking.id,
        author: viewer.user,
        subject: booking.other(party),
        rating: input.rating,
        text: input.text.clone(),
        status: Status::Pending,
        publish_at: unit.now.plus(blind_ms),
        published_at: None,
        reply: None,
        replied_at: None,
        hidden_reason: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    if !store::insert(&mut unit.tx, &review).await? {
        return Err(Error::new(Code::ReviewExists, "You have reviewed this booking; each party does so once."));
    }
    unit.state(events::happened(events::POSTED, &review));
    if store::by_bookings(&mut unit.tx, &[booking.id]).await?.len() == booking.parties().len() {
        let published = store::publish_of_booking(&mut unit.tx, booking.id, unit.now).await?;
        show(unit, published);
    } else {
        unit.enqueue(NewTask::new(PUBLISH, &Publish { review: review.id }, review.publish_at)?);
    }
    Ok(review.id)
}

/// Counts reviews that were just published, and tells.
fn show(unit: &mut Unit, mut published: Vec<Review>) {
    // Two bookings of the same two people count in the same order, and so do not wait for each other.
    published.sort_by_key(|review| review.subject);
    for review in &published {
        unit.later(store::count_in(review));
        unit.state(events::happened(events::PUBLISHED, review));
    }
}

/// Publishes a review whose time has come. One that is published already is left alone.
pub async fn publish(platform: &Platform, caller: &Caller, review: ReviewId) -> Result<()> {
    platform
        .work
        .run(caller, review, |unit, review| {
            Box::pin(async move {
                match queries::in_unit(unit, *review).await? {
                    Some(found) if found.status == Status::Pending && found.publish_at > unit.now => {
                        Err(Error::early("review"))
                    }
                    Some(found) if found.status == Status::Pending => {
                        let published = store::publish(&mut unit.tx, *review, unit.now).await?;
                        show(unit, published.into_iter().collect());
                        Ok(())
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
}

/// The reviewed user replies, once.
pub async fn reply(platform: &Platform, caller: &Caller, input: Reply) -> Result<ReviewId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, (viewer, input), |unit, (viewer, input)| {
            Box::pin(async move {
                let found = seen(unit, viewer, input.review).await?;
                found.must_be_about(viewer)?;
                let booking = bookings::queries::in_unit(unit, found.booking).await?;
                unit.act_as(booking.party_of(viewer.user)?.role());
                let refused = || match found.reply {
                    Some(_) => Error::new(Code::ReplyExists, "You have replied to this review; one reply is all."),
                    None => Error::conflict("This review is not published; there is nothing to reply to."),
                };
                let replied = store::reply(&mut unit.tx, found.id, &input.text, unit.now).await?.ok_or_else(refused)?;
                unit.state(events::happened(events::REPLIED, &replied));
                Ok(replied.id)
            })
        })
        .await
}

/// A review that somebody may see.
async fn seen(unit: &mut Unit, viewer: &Viewer, id: ReviewId) -> Result<Review> {
    let found = queries::in_unit(unit, id).await?.filter(|review| review.is_for(Some(viewer)));
    found.ok_or_else(|| Error::not_found("review"))
}

/// Staff take a published review out of sight, and out of the rating.
pub async fn hide(platform: &Platform, caller: &Caller, input: Hide) -> Result<ReviewId> {
    let viewer = caller.viewer()?;
    let role = staff(&viewer)?;
    platform
        .work
        .run(caller, (viewer, role, input), |unit, (viewer, role, input)| {
            Box::pin(async move {
                unit.act_as(*role);
                let found = seen(unit, viewer, input.review).await?;
                found.must_not_concern(viewer)?;
                let refused = || Error::conflict("Only a PUBLISHED review is hidden; look again.");
                let hidden = store::hide(&mut unit.tx, found.id, &input.reason, unit.now).await?.ok_or_else(refused)?;
                unit.later(store::count_out(&hidden));
                unit.audit(AuditRow::new("review.hide", hidden.id).because(&input.reason));
                unit.state(events::happened(events::HIDDEN, &hidden));
                Ok(hidden.id)
            })
        })
        .await
}

/// Staff put a hidden review back, also into the rating.
pub async fn unhide(platform: &Platform, caller: &Caller, review: ReviewId) -> Result<ReviewId> {
    let viewer = caller.viewer()?;
    let role = staff(&viewer)?;
    platform
        .work
        .run(caller, (viewer, role, review), |unit, (viewer, role, review)| {
            Box::pin(async move {
                unit.act_as(*role);
                let found = seen(unit, viewer, *review).await?;
                found.must_not_concern(viewer)?;
                let refused = || Error::conflict("This review is not hidden; look again.");
                let shown = store::unhide(&mut unit.tx, found.id, unit.now).await?.ok_or_else(refused)?;
                unit.later(store::count_in(&shown));
                let why = serde_json::json!({ "hiddenFor": found.hidden_reason });
                unit.audit(AuditRow::new("review.unhide", shown.id).with(why));
                unit.state(events::happened(events::UNHIDDEN, &shown));
                Ok(shown.id)
            })
        })
        .await
}

/// The role in which a member of staff acts; refused for everybody else.
fn staff(viewer: &Viewer) -> Result<Role> {
    let role = [Role::Moderator, Role::Admin].into_iter().find(|role| viewer.roles.has(*role));
    role.ok_or_else(|| Error::forbidden("Only staff hide reviews and show them again."))
}
