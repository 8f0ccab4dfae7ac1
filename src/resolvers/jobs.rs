//! Jobs: posting, listing, and hearing of them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, Subscription};

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle, settle_with};
use super::live::{Live, durable, live_events, only, own, step};
use super::{bookings, chat, offers};
use crate::features::jobs::{self as feature, commands, events, queries};
use crate::features::offers::settling;
use crate::kernel::id::{JobId, TypedId, UserId, parse};
use crate::kernel::page::{Cursor, Page, Slice};
use crate::kernel::{Code, Error, Result, Viewer};
use crate::loaders::OfferedJob;
use crate::platform::streams::Event;
use crate::platform::work::Once;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::Booking;
use crate::schema::chat::Conversation;
use crate::schema::cost::{TRANSITIONS, cost};
use crate::schema::jobs::*;
use crate::schema::offers::{OfferConnection, OfferFilter, OfferOrder, OfferSummary};
use crate::schema::transitions::Transition;

/// Queries of jobs.
#[derive(Default)]
pub struct JobQuery;

/// Finding work.
#[Object]
impl JobQuery {
    /// OPEN jobs, newest first unless ordered otherwise.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    #[allow(clippy::too_many_arguments, reason = "a connection has four arguments besides filter and order")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<JobFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<JobOrder>,
        #[graphql(desc = "How many from the start: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<JobConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), last, before.as_deref()))?;
        let sort = order_by.as_ref().map_or(feature::Sort::Newest, Into::into);
        let filter = answer(read_filter(filter.unwrap_or_default()))?;
        answer(open(ctx, filter, sort, &page).await)
    }

    /// One job; null when there is no such job for the viewer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn job(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Nullable<Job> {
        nullable(async { visible(ctx, &ctx.viewer()?, parse(&id)?).await }.await)
    }
}

fn read_filter(filter: JobFilter) -> Result<feature::Filter> {
    let bound = |money: Option<crate::schema::money::MoneyInput>, field| {
        let read = money.map(|money| money.read(field)).transpose();
        read.map_err(|error| Error::new(Code::BadUserInput, error.message))
    };
    let filter = feature::Filter {
        currency: filter.currency.map(|currency| currency.0),
        budget_at_least: bound(filter.budget_at_least, "filter.budgetAtLeast")?,
        budget_at_most: bound(filter.budget_at_most, "filter.budgetAtMost")?,
        customer: filter.customer_id.map(|id| parse::<UserId>(&id)).transpose()?,
    };
    let first = filter.currencies().next();
    if filter.currencies().any(|currency| Some(currency) != first) {
        return Err(Error::new(Code::BadUserInput, "A job has one currency: name the same one in all of filter."));
    }
    Ok(filter)
}

async fn open(ctx: &Context<'_>, filter: feature::Filter, sort: feature::Sort, page: &Page) -> Result<JobConnection> {
    let slice = queries::open(ctx.platform(), &filter, sort, page).await?;
    let total = total(ctx, move |platform| {
        let filter = filter.clone();
        async move { queries::open_count(&platform, &filter).await }
    });
    let by_budget = matches!(sort, feature::Sort::LargestBudget | feature::Sort::SmallestBudget);
    let key = move |job: &feature::Job| if by_budget { job.budget.minor } else { job.created_at.0 };
    let cursor = move |job: &feature::Job| Cursor { key: key(job), id: job.id.uuid() };
    Ok(JobConnection::of(slice, total, cursor, |job| Arc::new(job).into()))
}

/// A job that the viewer may see.
pub async fn visible(ctx: &Context<'_>, viewer: &Viewer, id: JobId) -> Result<Option<Job>> {
    let Some(job) = ctx.loaders().job(id).await? else { return Ok(None) };
    let is_visible = queries::is_for(&job, viewer)
        || ctx.loaders().offered_job(OfferedJob { job: id, contractor: viewer.user }).await?.is_some();
    Ok(Some(job).filter(|_| is_visible).map(Into::into))
}

/// A user's own jobs, newest first.
pub async fn of_customer(ctx: &Context<'_>, customer: UserId, page: &Page) -> Result<JobConnection> {
    let slice: Slice<feature::Job> = queries::of_customer(ctx.platform(), customer, page).await?;
    let total = total(ctx, move |platform| async move { queries::count_of_customer(&platform, customer).await });
    let cursor = |job: &feature::Job| Cursor { key: job.created_at.0, id: job.id.uuid() };
    Ok(JobConnection::of(slice, total, cursor, |job| Arc::new(job).into()))
}

/// Mutations of jobs.
#[derive(Default)]
pub struct JobMutation;

/// Asking for work.
#[Object]
impl JobMutation {
    /// Posts a job: contractors may offer from now on.
    #[graphql(directive = auth::apply(Access::Customer))]
    async fn job_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new job.")] input: JobPostInput,
    ) -> Nullable<JobPostPayload> {
        settle(post(ctx, input).await)
    }

    /// Gives up an OPEN job of the viewer's own: its offers are declined, and what they held is free again. A job with a
    /// booking ends with that.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn job_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobCancelInput,
    ) -> Nullable<JobCancelPayload> {
        let now = async |refused| JobCancelPayload { job: current(ctx, &input.job_id).await, ..refused };
        settle_with(cancel(ctx, &input).await, now).await
    }
}

async fn post(ctx: &Context<'_>, input: JobPostInput) -> Result<JobPostPayload> {
    let new = feature::NewJob::new(&input.title, &input.description, input.budget.read("budget")?)?;
    let key = Once::optional("jobPost", input.idempotency_key.as_deref())?;
    let id = ctx.done(commands::post(ctx.platform(), ctx.caller(), key, new).await?);
    Ok(JobPostPayload { job: fresh(ctx, id).await?, ..Default::default() })
}

async fn cancel(ctx: &Context<'_>, input: &JobCancelInput) -> Result<JobCancelPayload> {
    let cancel = settling::CancelJob::new(parse(&input.job_id)?, input.reason.as_deref())?;
    let key = Once::new("jobCancel", &input.idempotency_key)?;
    let id = ctx.done(settling::cancel_job(ctx.platform(), ctx.caller(), key, cancel).await?);
    Ok(JobCancelPayload { job: fresh(ctx, id).await?, ..Default::default() })
}

async fn fresh(ctx: &Context<'_>, id: JobId) -> Result<Option<Job>> {
    Ok(ctx.loaders().job(id).await?.map(Into::into))
}

/// The job as it is now, to be shown with a conflict.
async fn current(ctx: &Context<'_>, id: &str) -> Option<Job> {
    ctx.loaders().renew();
    visible(ctx, &ctx.viewer().ok()?, parse(id).ok()?).await.ok()?
}

/// Fields of a job that need a look.
#[ComplexObject]
impl Job {
    /// Whose it is.
    async fn customer(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.customer).await
    }

    /// Offers on it, newest first unless ordered otherwise. Sealed: the customer sees all, a contractor its own, staff
    /// all.
    #[allow(clippy::too_many_arguments, reason = "a connection has four arguments besides filter and order")]
    async fn offers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<OfferFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<OfferOrder>,
        #[graphql(desc = "How many from the start: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<OfferConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), last, before.as_deref()))?;
        let filter = filter.unwrap_or_default().into();
        let sort = order_by.map(Into::into).unwrap_or_default();
        // In a box: the engine gives each field of an object the room of its largest one.
        answer(Box::pin(offers::of_job(ctx, &self.row, filter, sort, page)).await)
    }

    /// Its pending offers at a glance. For its customer and staff; null for others.
    async fn offer_summary(&self, ctx: &Context<'_>) -> Nullable<OfferSummary> {
        nullable(offers::summary(ctx, &self.row).await)
    }

    /// The booking that it became. For its two parties and staff; null for others.
    async fn booking(&self, ctx: &Context<'_>) -> Nullable<Booking> {
        nullable(bookings::of_job(ctx, self.row.id).await)
    }

    /// Where the viewer talks about it; null while there is no conversation.
    async fn conversation(&self, ctx: &Context<'_>) -> Nullable<Conversation> {
        nullable(chat::of_job(ctx, self.row.id).await)
    }

    /// What the viewer may do next with it; empty for strangers.
    #[graphql(directive = cost::apply(TRANSITIONS))]
    async fn available_transitions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Transition>> {
        let found = self.row.available(&answer(ctx.viewer())?);
        let deadline = (self.row.status == feature::Status::Open).then_some(self.row.expires_at);
        answer(Transition::list(found, deadline, |_| Ok(None)))
    }
}

/// Subscriptions of jobs.
#[derive(Default)]
pub struct JobSubscription;

/// Hearing of jobs.
#[Subscription]
impl JobSubscription {
    /// What happens to jobs that concern the viewer, or to one of them.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn job_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this job.")] job_id: Option<ID>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<JobEvent>> {
        durable(ctx, (after, throttle_ms), async || {
            let viewer = ctx.viewer()?;
            own(ctx, events::NOUN, only(job_id, async |id| visible(ctx, &viewer, id).await).await?)
        })
        .await
    }
}

live_events!(JobEvent {
    events::POSTED => Posted(JobPosted),
    events::STATUS_CHANGED => StatusChanged(JobStatusChanged),
});

async fn job_of(ctx: &Context<'_>, event: &Event) -> Nullable<Job> {
    nullable(ctx.loaders().job(event.object_id()).await.map(|found| found.map(Into::into)))
}

/// A job was posted.
#[ComplexObject]
impl JobPosted {
    /// The job; null once it is gone.
    async fn job(&self, ctx: &Context<'_>) -> Nullable<Job> {
        job_of(ctx, &self.event).await
    }
}

/// A job took a step.
#[ComplexObject]
impl JobStatusChanged {
    /// The job; null once it is gone.
    async fn job(&self, ctx: &Context<'_>) -> Nullable<Job> {
        job_of(ctx, &self.event).await
    }
    /// Where it stood.
    async fn from(&self) -> async_graphql::Result<JobStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.0)
    }
    /// Where it stood afterwards.
    async fn to(&self) -> async_graphql::Result<JobStatus> {
        Ok(step::<feature::Status, _>(&self.event)?.1)
    }
}
