//! What the text of a notification needs, through loaders: a page of notifications asks once for each kind of object.
//!
//! To let the text of a new kind of subject name people, jobs or amounts: a line in `of`.

use async_graphql::Context;
use futures_util::future::try_join;

use crate::features::notifications::{Notification, Words};
use crate::kernel::id::{
    BookingId, ChangeId, ConversationId, DisputeId, JobId, OfferId, PaymentId, ReviewId, TypedId, UserId,
};
use crate::kernel::{Money, Result};
use crate::resolvers::ask::Ask;

/// What is known about a subject.
#[derive(Default)]
struct Known {
    parties: Option<[UserId; 2]>,
    job: Option<JobId>,
    amount: Option<Money>,
}

/// The words for a notification, as its user would read them.
pub(super) async fn of(ctx: &Context<'_>, row: &Notification) -> Result<Words> {
    let known = known(ctx, row).await?;
    let (other, job) = try_join(name(ctx, &known, row.user), title(ctx, &known)).await?;
    Ok(Words { other, job, amount: known.amount })
}

async fn known(ctx: &Context<'_>, row: &Notification) -> Result<Known> {
    let (loaders, subject) = (ctx.loaders(), &row.subject);
    let known = match subject.kind.as_str() {
        JobId::PREFIX => Some(Known { job: Some(subject.typed()), ..Known::default() }),
        OfferId::PREFIX => loaders.offer(subject.typed()).await?.map(|offer| Known {
            parties: Some(offer.parties()),
            job: Some(offer.job),
            amount: Some(offer.quote.budget),
        }),
        BookingId::PREFIX => loaders.booking(subject.typed()).await?.map(|booking| Known {
            parties: Some(booking.parties()),
            job: booking.job,
            amount: Some(booking.quote.budget),
        }),
        ChangeId::PREFIX => match loaders.change(subject.typed()).await? {
            Some(change) => loaders.booking(change.booking).await?.map(|booking| Known {
                parties: Some(change.parties()),
                job: booking.job,
                amount: Some(change.terms.quote.budget),
            }),
            None => None,
        },
        DisputeId::PREFIX => match loaders.dispute(subject.typed()).await? {
            Some(dispute) => loaders.booking(dispute.booking).await?.map(|booking| Known {
                parties: Some(booking.parties()),
                job: booking.job,
                amount: Some(dispute.escrow),
            }),
            None => None,
        },
        ReviewId::PREFIX => loaders
            .review(subject.typed())
            .await?
            .map(|review| Known { parties: Some([review.author, review.subject]), ..Known::default() }),
        ConversationId::PREFIX => loaders
            .conversation((subject.typed(), row.user))
            .await?
            .map(|seen| Known { parties: Some(seen.people()), ..Known::default() }),
        PaymentId::PREFIX => loaders
            .payment(subject.typed())
            .await?
            .map(|payment| Known { amount: Some(payment.amount), ..Known::default() }),
        _ => None,
    };
    Ok(known.unwrap_or_default())
}

/// The name of the other person.
async fn name(ctx: &Context<'_>, known: &Known, me: UserId) -> Result<Option<String>> {
    let Some(other) = known.parties.and_then(|both| both.into_iter().find(|user| *user != me)) else {
        return Ok(None);
    };
    Ok(ctx.loaders().user(other).await?.map(|user| user.display_name.clone()))
}

/// The job's title. Whoever was told about a job has seen it.
async fn title(ctx: &Context<'_>, known: &Known) -> Result<Option<String>> {
    let Some(job) = known.job else { return Ok(None) };
    Ok(ctx.loaders().job(job).await?.map(|job| job.title.clone()))
}
