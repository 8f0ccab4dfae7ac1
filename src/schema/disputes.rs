//! Disputes in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::money::{Money, MoneyInput};
use super::scalars::DateTime;
use crate::features::disputes as feature;
use crate::kernel::{By, Result};

/// The two parties of a booking disagree. While it goes on, the booking's money is frozen, and so are its timers.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct Dispute {
    /// The id.
    pub id: ID,
    /// Why it was opened.
    pub reason: DisputeReason,
    /// What the opener says to it.
    pub evidence: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What lies in escrow, and is shared in the end.
    pub escrow: Money,
    /// When it goes to staff, if it is still OPEN then. Each proposal puts it off, though not for ever: 14 days after it was
    /// opened, unless the server says otherwise, it goes to staff whatever is proposed.
    pub escalates_at: DateTime,
    /// When it ended; null while it goes on.
    pub ended_at: Option<DateTime>,
    /// Why staff decided so; null when they did not.
    pub decision_reason: Option<String>,
    /// When it was opened.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole dispute, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Dispute>,
}

impl From<Arc<feature::Dispute>> for Dispute {
    fn from(row: Arc<feature::Dispute>) -> Self {
        Dispute {
            id: row.id.into(),
            reason: row.reason.into(),
            evidence: row.evidence.clone(),
            status: row.status.into(),
            escrow: row.escrow.into(),
            escalates_at: DateTime(row.deadline),
            ended_at: row.ended_at.map(DateTime),
            decision_reason: row.decision.clone(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of disputes, the oldest first.
    DisputeConnection, DisputeEdge, Dispute, Access::Party
}

/// A file that a party brought forward. It stays for as long as the dispute.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Party))]
pub struct DisputeEvidence {
    /// When it was added.
    pub added_at: DateTime,
    /// Which file of whom.
    #[graphql(skip)]
    pub row: feature::Evidence,
}

impl From<feature::Evidence> for DisputeEvidence {
    fn from(row: feature::Evidence) -> Self {
        DisputeEvidence { added_at: DateTime(row.created_at), row }
    }
}

/// Why a dispute is opened.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Reason")]
pub enum DisputeReason {
    /// Nothing was delivered.
    NotDelivered,
    /// It is not what was agreed.
    NotAsAgreed,
    /// It comes too late.
    Late,
    /// The other party does not answer.
    NoAnswer,
    /// Something else.
    Other,
}

/// Where a dispute stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum DisputeStatus {
    /// The two parties talk about it.
    Open,
    /// They did not agree in time, and staff look at it.
    Escalated,
    /// Whoever opened it took it back, and the booking goes on.
    Withdrawn,
    /// The two agreed on a split.
    Agreed,
    /// Staff decided.
    Decided,
}

/// Who made a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeProposer {
    /// The booking's customer.
    Customer,
    /// The booking's contractor.
    Contractor,
    /// Staff: then both parties have to agree.
    Staff,
}

/// How the escrow is shared. The parts are the escrow to the last digit.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct DisputeSplit {
    /// What the customer gets.
    pub to_customer: Money,
    /// What the contractor gets.
    pub to_contractor: Money,
    /// What the platform gets: the service fee, unless staff decide otherwise.
    pub to_platform: Money,
    /// What becomes of the platform fee, which the customer paid on top of the price.
    pub platform_fee: DisputeFee,
}

impl DisputeSplit {
    /// A split in the API's shape.
    pub fn of(split: &crate::features::wallet::outcomes::Split) -> Self {
        DisputeSplit {
            to_customer: split.customer.into(),
            to_contractor: split.contractor.into(),
            to_platform: split.platform.into(),
            platform_fee: if split.fee_back { DisputeFee::Back } else { DisputeFee::Kept },
        }
    }
}

/// What becomes of the platform fee.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeFee {
    /// The platform keeps it.
    Kept,
    /// The customer gets it back.
    Back,
}

/// A proposal to end a dispute.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct DisputeProposal {
    /// Counts the proposals of the dispute from 1. Only the last one can be accepted.
    pub number: i32,
    /// Who made it.
    pub proposer: DisputeProposer,
    /// How the escrow would be shared.
    pub split: DisputeSplit,
    /// Whether the customer agrees.
    pub has_customer_agreed: bool,
    /// Whether the contractor agrees.
    pub has_contractor_agreed: bool,
    /// Until when it can be accepted.
    pub expires_at: DateTime,
}

impl DisputeProposal {
    /// The proposal of a dispute, if there is one.
    pub fn of(dispute: &feature::Dispute) -> Result<Option<Self>> {
        let Some(proposal) = dispute.proposal else { return Ok(None) };
        Ok(Some(DisputeProposal {
            number: super::int(proposal.number),
            proposer: match proposal.by {
                By::Customer => DisputeProposer::Customer,
                By::Contractor => DisputeProposer::Contractor,
                _ => DisputeProposer::Staff,
            },
            split: DisputeSplit::of(&dispute.split(proposal.customer)?),
            has_customer_agreed: proposal.customer_agrees,
            has_contractor_agreed: proposal.contractor_agrees,
            expires_at: DateTime(proposal.expires_at),
        }))
    }
}

/// A dispute to be opened.
#[derive(InputObject)]
pub struct DisputeOpenInput {
    /// The booking: CONFIRMED, IN_PROGRESS or DELIVERED, and the viewer a party of it.
    pub booking_id: ID,
    /// Why.
    pub reason: DisputeReason,
    /// What happened: 1 to 2000 characters, for the other party and for staff.
    pub evidence: String,
    /// Own uploads of the purpose EVIDENCE that show it, at most 10. The other party and staff see them.
    pub evidence_file_ids: Option<Vec<ID>>,
    /// A key of the client's own, 1 to 255 characters. The same key and input open it once.
    pub idempotency_key: String,
}

/// A proposal to be made.
#[derive(InputObject)]
pub struct DisputeProposeInput {
    /// The dispute: OPEN or ESCALATED.
    pub dispute_id: ID,
    /// What the customer gets of the escrow. The rest is the contractor's, less the service fee.
    pub to_customer: MoneyInput,
}

/// Which proposal to accept.
#[derive(InputObject)]
pub struct DisputeAcceptProposalInput {
    /// The dispute: OPEN or ESCALATED.
    pub dispute_id: ID,
    /// The number of its last proposal, so that nobody accepts one unseen.
    pub proposal_number: i32,
    /// A key of the client's own, 1 to 255 characters. The same key and input accept it once.
    pub idempotency_key: String,
}

/// Which files to add.
#[derive(InputObject)]
pub struct DisputeAddEvidenceInput {
    /// The dispute: OPEN or ESCALATED, and the viewer a party of it.
    pub dispute_id: ID,
    /// Own uploads of the purpose EVIDENCE. Each party adds 10 to a dispute at most; one that is there already counts once.
    pub file_ids: Vec<ID>,
}

/// Which dispute to take back.
#[derive(InputObject)]
pub struct DisputeWithdrawInput {
    /// The dispute: OPEN or ESCALATED, and opened by the viewer.
    pub dispute_id: ID,
}

/// Whose conversation to join.
#[derive(InputObject)]
pub struct DisputeJoinInput {
    /// The dispute: OPEN or ESCALATED.
    pub dispute_id: ID,
}

/// A decision. The three parts together are the escrow to the last digit.
#[derive(InputObject)]
pub struct DisputeDecideInput {
    /// The dispute: OPEN or ESCALATED.
    pub dispute_id: ID,
    /// What the customer gets.
    pub to_customer: MoneyInput,
    /// What the contractor gets.
    pub to_contractor: MoneyInput,
    /// What the platform gets.
    pub to_platform: MoneyInput,
    /// What becomes of the platform fee, which the customer paid on top of the price.
    pub platform_fee: DisputeFee,
    /// Why: 1 to 1000 characters, shown to both parties.
    pub reason: String,
    /// A key of the client's own, 1 to 255 characters. The same key and input decide once.
    pub idempotency_key: String,
}

macro_rules! dispute_payload {
    ($(#[$doc:meta])* $payload:ident, $access:expr) => {
        $(#[$doc])*
        #[derive(Default, SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = auth::apply($access))]
        pub struct $payload {
            /// The dispute, as it is now; with CONFLICT as well, if there is one to show.
            pub dispute: Option<Dispute>,
            /// Why it was refused. Empty when it was done.
            pub user_errors: Vec<DisputeError>,
        }
        payload!($payload, DisputeError);
    };
}
dispute_payload! {
    /// The dispute that was opened.
    DisputeOpenPayload, Access::Party
}
dispute_payload! {
    /// The dispute with the proposal.
    DisputeProposePayload, Access::Party
}
dispute_payload! {
    /// The dispute with the files.
    DisputeAddEvidencePayload, Access::Party
}
dispute_payload! {
    /// The dispute whose proposal was accepted.
    DisputeAcceptProposalPayload, Access::Party
}
dispute_payload! {
    /// The dispute that was taken back.
    DisputeWithdrawPayload, Access::Party
}
dispute_payload! {
    /// The dispute whose conversation was joined.
    DisputeJoinPayload, Access::Moderator
}
dispute_payload! {
    /// The dispute that was decided.
    DisputeDecidePayload, Access::Admin
}

user_error! {
    /// Why something about a dispute was refused.
    DisputeError, DisputeErrorCode {
        /// A value breaks a rule: empty, malformed, or a file that was uploaded for something else.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such booking or dispute for you, or no such finished upload of yours.
        NotFound,
        /// The dispute or its booking changed meanwhile, or their state does not allow this.
        Conflict,
        /// The booking has ended: there is nothing to disagree about any more.
        DisputeTooLate,
        /// The parts are not the escrow to the last digit, or one is below zero.
        SplitMismatch,
        /// You have added as many files as you may.
        TooManyFiles,
        /// The proposal's time is over.
        ProposalExpired,
        /// The amount is in another currency than the booking.
        CurrencyMismatch,
        /// The amount has more digits than its currency.
        ExcessDigits,
        /// The amount is beyond what the ledger can hold.
        AmountTooLarge,
        /// The key was used with another input.
        IdempotencyMismatch,
        /// The same key is being worked on right now; ask again in a moment.
        IdempotencyInFlight,
    }
}

event_object! {
    /// A dispute was opened.
    DisputeOpened, Access::Party
}
event_object! {
    /// Somebody made a proposal.
    DisputeProposed, Access::Party
}
event_object! {
    /// One party agrees to what staff propose; the other has not yet.
    DisputeProposalAccepted, Access::Party
}
event_object! {
    /// A party added files.
    DisputeEvidenceAdded, Access::Party
}
event_object! {
    /// A dispute went to staff, or it ended.
    DisputeStatusChanged, Access::Party
}

event_interface! {
    /// What happens to disputes of the viewer's bookings.
    DisputeEvent, Access::SignedIn, {
        /// A dispute was opened.
        Opened(DisputeOpened),
        /// Somebody made a proposal.
        Proposed(DisputeProposed),
        /// One party agrees to what staff propose.
        ProposalAccepted(DisputeProposalAccepted),
        /// A party added files.
        EvidenceAdded(DisputeEvidenceAdded),
        /// A dispute went to staff, or it ended.
        StatusChanged(DisputeStatusChanged),
    }
}
