//! Disputes: opening, showing, proposing, agreeing, deciding. Hearing of it is in `live`.

mod live;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object};

pub use live::DisputeSubscription;

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle_with};
use super::{bookings, uploads};
use crate::features::disputes::{self as feature, commands, evidence, queries};
use crate::features::wallet::outcomes::Split;
use crate::kernel::id::{BookingId, DisputeId, FileId, TypedId, parse};
use crate::kernel::page::{Cursor, Page};
use crate::kernel::{Error, Result};
use crate::platform::work::Once;
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::Booking;
use crate::schema::cost::{TRANSITIONS, cost};
use crate::schema::disputes::*;
use crate::schema::transitions::Transition;
use crate::schema::uploads::File;

/// Queries of disputes.
#[derive(Default)]
pub struct DisputeQuery;

/// Looking at disputes.
#[Object]
impl DisputeQuery {
    /// One dispute; null when there is no such dispute for the viewer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Nullable<Dispute> {
        nullable(async { visible(ctx, parse(&id)?).await }.await)
    }

    /// All disputes that stand somewhere, the oldest first: for staff, who look at those that are ESCALATED.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn disputes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where they stand; ESCALATED when it is left out.")] status: Option<DisputeStatus>,
        #[graphql(desc = "So many from the start, at most 100; 20 when neither is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<DisputeConnection> {
        let page = Page::from_args(first, after.as_deref(), last, before.as_deref());
        let status = status.map_or(feature::Status::Escalated, Into::into);
        answer(async { listed(ctx, status, &page?).await }.await)
    }
}

async fn listed(ctx: &Context<'_>, status: feature::Status, page: &Page) -> Result<DisputeConnection> {
    let slice = queries::page(ctx.platform(), status, page).await?;
    let total = total(ctx, move |platform| async move { queries::count(&platform, status).await });
    let cursor = |dispute: &feature::Dispute| Cursor { key: dispute.created_at.0, id: dispute.id.uuid() };
    Ok(DisputeConnection::of(slice, total, cursor, |dispute| Arc::new(dispute).into()))
}

/// A dispute that the viewer may see.
pub async fn visible(ctx: &Context<'_>, id: DisputeId) -> Result<Option<Dispute>> {
    let viewer = ctx.viewer()?;
    Ok(ctx.loaders().dispute(id).await?.filter(|dispute| dispute.is_for(&viewer)).map(Into::into))
}

/// The last dispute of a booking, if the viewer may see it.
pub async fn of_booking(ctx: &Context<'_>, booking: BookingId) -> Result<Option<Dispute>> {
    let viewer = ctx.viewer()?;
    Ok(ctx.loaders().dispute_of_booking(booking).await?.filter(|dispute| dispute.is_for(&viewer)).map(Into::into))
}

/// Whether a file is evidence in a dispute that the viewer may see.
pub async fn is_evidence_for(ctx: &Context<'_>, file: FileId) -> Result<bool> {
    let Some(viewer) = ctx.caller().viewer else { return Ok(false) };
    let audience = ctx.loaders().audience(file).await?;
    Ok(audience.is_some_and(|it| viewer.roles.is_staff() || it.parties.contains(&viewer.user)))
}

/// Mutations of disputes.
#[derive(Default)]
pub struct DisputeMutation;

/// Disagreeing, and coming to an end.
#[Object]
impl DisputeMutation {
    /// Opens a dispute about a booking whose money lies in escrow. The booking is DISPUTED at once: nobody and no timer
    /// moves it on until the dispute has ended.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "About which booking, and why.")] input: DisputeOpenInput,
    ) -> Nullable<DisputeOpenPayload> {
        let now = async |refused| DisputeOpenPayload { dispute: current_of(ctx, &input.booking_id).await, ..refused };
        settle_with(open(ctx, &input).await, now).await
    }

    /// Proposes how to share the escrow, in the place of the proposal before. Either party does, or staff, who join the
    /// conversation by it.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to share it.")] input: DisputeProposeInput,
    ) -> Nullable<DisputeProposePayload> {
        let now = async |refused| DisputeProposePayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(propose(ctx, &input).await, now).await
    }

    /// Adds files to a dispute, for the other party and for staff. They are not taken back. May be repeated: a file that is
    /// there already stays as it is.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_add_evidence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which files.")] input: DisputeAddEvidenceInput,
    ) -> Nullable<DisputeAddEvidencePayload> {
        let now =
            async |refused| DisputeAddEvidencePayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(add_evidence(ctx, &input).await, now).await
    }

    /// Accepts the last proposal. When both parties agree the escrow is shared at once, and the dispute is AGREED.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_accept_proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which proposal.")] input: DisputeAcceptProposalInput,
    ) -> Nullable<DisputeAcceptProposalPayload> {
        let now =
            async |refused| DisputeAcceptProposalPayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(accept(ctx, &input).await, now).await
    }

    /// Takes a dispute back that the viewer opened. The booking goes on from where it stood.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn dispute_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute.")] input: DisputeWithdrawInput,
    ) -> Nullable<DisputeWithdrawPayload> {
        let now = async |refused| DisputeWithdrawPayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(withdraw(ctx, &input).await, now).await
    }

    /// Staff join the conversation of the two parties, to read it until the dispute has ended. Both see that.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn dispute_join(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute.")] input: DisputeJoinInput,
    ) -> Nullable<DisputeJoinPayload> {
        let now = async |refused| DisputeJoinPayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(join(ctx, &input).await, now).await
    }

    /// Ends a dispute by a split of the escrow. All parts are posted together, or none. The booking is COMPLETED if the
    /// contractor gets anything, and CANCELLED if not.
    #[graphql(directive = auth::apply(Access::Admin))]
    async fn dispute_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The decision.")] input: DisputeDecideInput,
    ) -> Nullable<DisputeDecidePayload> {
        let now = async |refused| DisputeDecidePayload { dispute: current(ctx, &input.dispute_id).await, ..refused };
        settle_with(decide(ctx, &input).await, now).await
    }
}

async fn open(ctx: &Context<'_>, input: &DisputeOpenInput) -> Result<DisputeOpenPayload> {
    let key = Once::new("disputeOpen", &input.idempotency_key)?;
    let files = files(input.evidence_file_ids.as_deref().unwrap_or_default())?;
    let new = feature::NewDispute::new(parse(&input.booking_id)?, input.reason.into(), &input.evidence, files)?;
    let id = ctx.done(commands::open(ctx.platform(), ctx.caller(), key, new).await?);
    Ok(DisputeOpenPayload { dispute: visible(ctx, id).await?, ..Default::default() })
}

async fn propose(ctx: &Context<'_>, input: &DisputeProposeInput) -> Result<DisputeProposePayload> {
    let new = feature::Propose { dispute: parse(&input.dispute_id)?, customer: input.to_customer.read("toCustomer")? };
    let id = commands::propose(ctx.platform(), ctx.caller(), new).await?;
    Ok(DisputeProposePayload { dispute: fresh(ctx, id).await?, ..Default::default() })
}

async fn add_evidence(ctx: &Context<'_>, input: &DisputeAddEvidenceInput) -> Result<DisputeAddEvidencePayload> {
    let add = feature::AddEvidence::new(parse(&input.dispute_id)?, files(&input.file_ids)?)?;
    let id = evidence::add(ctx.platform(), ctx.caller(), add).await?;
    Ok(DisputeAddEvidencePayload { dispute: fresh(ctx, id).await?, ..Default::default() })
}

fn files(ids: &[ID]) -> Result<Vec<FileId>> {
    ids.iter().map(|id| parse(id)).collect()
}

async fn accept(ctx: &Context<'_>, input: &DisputeAcceptProposalInput) -> Result<DisputeAcceptProposalPayload> {
    let key = Once::new("disputeAcceptProposal", &input.idempotency_key)?;
    let proposal = (parse(&input.dispute_id)?, input.proposal_number.into());
    let id = ctx.done(commands::accept(ctx.platform(), ctx.caller(), key, proposal).await?);
    Ok(DisputeAcceptProposalPayload { dispute: visible(ctx, id).await?, ..Default::default() })
}

async fn withdraw(ctx: &Context<'_>, input: &DisputeWithdrawInput) -> Result<DisputeWithdrawPayload> {
    let id = commands::withdraw(ctx.platform(), ctx.caller(), parse(&input.dispute_id)?).await?;
    Ok(DisputeWithdrawPayload { dispute: fresh(ctx, id).await?, ..Default::default() })
}

async fn join(ctx: &Context<'_>, input: &DisputeJoinInput) -> Result<DisputeJoinPayload> {
    let id = commands::join(ctx.platform(), ctx.caller(), parse(&input.dispute_id)?).await?;
    Ok(DisputeJoinPayload { dispute: fresh(ctx, id).await?, ..Default::default() })
}

async fn decide(ctx: &Context<'_>, input: &DisputeDecideInput) -> Result<DisputeDecidePayload> {
    let key = Once::new("disputeDecide", &input.idempotency_key)?;
    let split = Split {
        customer: input.to_customer.read("toCustomer")?,
        contractor: input.to_contractor.read("toContractor")?,
        platform: input.to_platform.read("toPlatform")?,
        fee_back: input.platform_fee == DisputeFee::Back,
    };
    let decision = feature::Decide::new(parse(&input.dispute_id)?, split, &input.reason)?;
    let id = ctx.done(commands::decide(ctx.platform(), ctx.caller(), key, decision).await?);
    Ok(DisputeDecidePayload { dispute: visible(ctx, id).await?, ..Default::default() })
}

/// A dispute that was just changed.
async fn fresh(ctx: &Context<'_>, id: DisputeId) -> Result<Option<Dispute>> {
    ctx.loaders().renew();
    visible(ctx, id).await
}

/// The dispute as it is now, to be shown with a conflict.
async fn current(ctx: &Context<'_>, id: &str) -> Option<Dispute> {
    fresh(ctx, parse(id).ok()?).await.ok()?
}

/// The dispute of a booking as it is now, to be shown with a conflict.
async fn current_of(ctx: &Context<'_>, booking: &str) -> Option<Dispute> {
    ctx.loaders().renew();
    of_booking(ctx, parse(booking).ok()?).await.ok()?
}

/// Fields of a dispute that need a look.
#[ComplexObject]
impl Dispute {
    /// The booking.
    async fn booking(&self, ctx: &Context<'_>) -> async_graphql::Result<Booking> {
        let missing = || Error::internal("a dispute without its booking");
        answer(bookings::visible(ctx, self.row.booking).await.and_then(|found| found.ok_or_else(missing)))
    }

    /// Who opened it.
    async fn opener(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.opener).await
    }

    /// The files that the parties brought forward, the oldest first: at most 10 of each.
    async fn evidence_files(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<DisputeEvidence>> {
        let found = answer(ctx.loaders().evidence(self.row.id).await)?;
        Ok(found.iter().flat_map(|it| it.files.iter().copied()).map(Into::into).collect())
    }

    /// What was proposed last; null before the first proposal.
    async fn proposal(&self) -> Nullable<DisputeProposal> {
        nullable(DisputeProposal::of(&self.row))
    }

    /// How the escrow was shared; null unless it ended in a split.
    async fn split(&self) -> Option<DisputeSplit> {
        self.row.ending.map(|ending| DisputeSplit::of(&ending.split))
    }

    /// What the viewer may do next with it; empty for strangers.
    #[graphql(directive = cost::apply(TRANSITIONS))]
    async fn available_transitions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Transition>> {
        let found = self.row.available(&answer(ctx.viewer())?, ctx.platform().clock.now());
        let deadline = (self.row.status == feature::Status::Open).then_some(self.row.deadline);
        answer(Transition::list(found, deadline, |it| self.row.effect(it.name, it.by)))
    }
}

/// Fields of evidence that need a look.
#[ComplexObject]
impl DisputeEvidence {
    /// The file. Its `url` opens for 5 minutes, for whoever has it.
    async fn file(&self, ctx: &Context<'_>) -> async_graphql::Result<File> {
        let gone = || Error::internal("evidence without its file");
        answer(uploads::visible(ctx, self.row.file).await.and_then(|found| found.ok_or_else(gone)))
    }

    /// Who added it.
    async fn author(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        super::accounts::user(ctx, self.row.author).await
    }
}
