//! What a dispute is, its life, and how a proposal shares the escrow.

use super::evidence;
use crate::features::bookings;
use crate::features::bookings::model::{AGREE, DECIDE, DISPUTE, RETRACT};
use crate::features::offers::Party;
use crate::features::wallet::outcomes::{self, Decided, Effect, Split};
use crate::features::wallet::{Quote, Rates};
use crate::kernel::id::{BookingId, DisputeId, FileId, UserId};
use crate::kernel::life::{Available, Life, State, row};
use crate::kernel::{By, Code, Error, Money, Result, Role, Timestamp, Viewer, text};

/// The mutation that makes a proposal.
pub const PROPOSE: &str = "disputePropose";
/// The mutation that adds files to a dispute.
pub const ADD_EVIDENCE: &str = "disputeAddEvidence";
/// The task that hands a dispute to staff.
pub const ESCALATE: &str = "dispute.escalate";

/// Why somebody opens a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
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

impl Reason {
    const ALL: [Reason; 5] = [Reason::NotDelivered, Reason::NotAsAgreed, Reason::Late, Reason::NoAnswer, Reason::Other];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::NotDelivered => "NOT_DELIVERED",
            Reason::NotAsAgreed => "NOT_AS_AGREED",
            Reason::Late => "LATE",
            Reason::NoAnswer => "NO_ANSWER",
            Reason::Other => "OTHER",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The two parties talk about it.
    Open,
    /// They did not agree in time, and staff look at it.
    Escalated,
    /// Whoever opened it took it back.
    Withdrawn,
    /// The two agreed on a split.
    Agreed,
    /// Staff decided.
    Decided,
}

impl Status {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Open => "OPEN",
            Status::Escalated => "ESCALATED",
            Status::Withdrawn => "WITHDRAWN",
            Status::Agreed => "AGREED",
            Status::Decided => "DECIDED",
        }
    }
}

impl State for Status {
    const ALL: &'static [Status] =
        &[Status::Open, Status::Escalated, Status::Withdrawn, Status::Agreed, Status::Decided];

    fn name(self) -> &'static str {
        self.name()
    }
}

const GOING_ON: &[Status] = &[Status::Open, Status::Escalated];

/// The life of a dispute.
pub const LIFE: Life<Status> = Life {
    noun: "dispute",
    ends: &[Status::Withdrawn, Status::Agreed, Status::Decided],
    rows: &[
        row(DISPUTE, "Open a dispute", &[], Status::Open, &[By::Deal]),
        row(PROPOSE, "Propose a split", &[Status::Open], Status::Open, PROPOSERS),
        row(PROPOSE, "Propose a split", &[Status::Escalated], Status::Escalated, PROPOSERS),
        row(AGREE, "Accept the proposal", GOING_ON, Status::Agreed, PARTIES),
        row(ADD_EVIDENCE, "Add evidence", &[Status::Open], Status::Open, PARTIES),
        row(ADD_EVIDENCE, "Add evidence", &[Status::Escalated], Status::Escalated, PARTIES),
        row(RETRACT, "Withdraw the dispute", GOING_ON, Status::Withdrawn, &[By::Maker]),
        row(ESCALATE, "Hand it to staff", &[Status::Open], Status::Escalated, &[By::Timer]),
        row(DECIDE, "Decide", GOING_ON, Status::Decided, &[By::Staff]),
    ],
};

/// Who agrees, and brings files forward.
const PARTIES: &[By] = &[By::Customer, By::Contractor];

/// Who proposes.
const PROPOSERS: &[By] = &[By::Customer, By::Contractor, By::Staff];

/// What somebody proposes: so much of the escrow for the customer, the rest for the contractor, less the service fee.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// Counts the proposals of a dispute from 1.
    pub number: i64,
    /// Who proposes.
    pub proposer: UserId,
    /// As what.
    pub by: By,
    /// What the customer would get.
    pub customer: Money,
    /// Whether the customer agrees.
    pub customer_agrees: bool,
    /// Whether the contractor agrees.
    pub contractor_agrees: bool,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

impl Proposal {
    /// The same, once a party agrees.
    pub const fn agreed_by(mut self, by: By) -> Self {
        match by {
            By::Customer => self.customer_agrees = true,
            _ => self.contractor_agrees = true,
        }
        self
    }

    /// Whether both parties agree.
    pub const fn is_agreed(&self) -> bool {
        self.customer_agrees && self.contractor_agrees
    }
}

/// How a dispute ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// The split.
    pub split: Split,
}

/// A disagreement of a booking's two parties.
#[derive(Clone, Debug)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The booking.
    pub booking: BookingId,
    /// The booking's customer.
    pub customer: UserId,
    /// The booking's contractor.
    pub contractor: UserId,
    /// Who opened it.
    pub opener: UserId,
    /// Why.
    pub reason: Reason,
    /// What the opener says to it.
    pub evidence: String,
    /// Where the booking stood.
    pub booking_was: bookings::Status,
    /// What lies in escrow.
    pub escrow: Money,
    /// The frozen rate of the service fee, in basis points.
    pub service_bps: i64,
    /// Where it stands.
    pub status: Status,
    /// When it goes to staff, if it is still open then.
    pub deadline: Timestamp,
    /// What was proposed last.
    pub proposal: Option<Proposal>,
    /// How it ended, if it ended in a split.
    pub ending: Option<Ending>,
    /// Why staff decided so.
    pub decision: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Dispute {
    /// Both parties.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// Whether a viewer may see it.
    pub fn is_for(&self, viewer: &Viewer) -> bool {
        self.parties().contains(&viewer.user) || viewer.roles.is_staff()
    }

    /// How a viewer stands to it, and in which role: a party, or staff; `NOT_FOUND` for strangers.
    pub fn hand_of(&self, viewer: &Viewer) -> Result<(By, Role)> {
        match Party::of(viewer.user, self.parties()) {
            Some(party) => Ok((party.by(), party.role())),
            None => viewer.staff_role().map(|role| (By::Staff, role)).ok_or_else(|| Error::not_found("dispute")),
        }
    }

    /// What a viewer may do next with it.
    pub fn available(&self, viewer: &Viewer, now: Timestamp) -> Vec<Available> {
        let Ok((hand, role)) = self.hand_of(viewer) else { return Vec::new() };
        let maker = (viewer.user == self.opener).then_some(By::Maker);
        let by: Vec<_> = [hand].into_iter().chain(maker).collect();
        let mut found = LIFE.available(self.status, &by, |name, by| match name {
            AGREE => self.acceptable(None, by, now).and_then(|_| LIFE.step(name, self.status, by)),
            _ => LIFE.step(name, self.status, by),
        });
        found.retain(|it| it.name != DECIDE || role == Role::Admin);
        found
    }

    /// What a transition moves. Only when the second party agrees it is known before; else nothing moves, or somebody
    /// has to decide first.
    pub fn effect(&self, transition: &str, by: By) -> Result<Option<Effect>> {
        let agreed = self.proposal.filter(|proposal| transition == AGREE && proposal.agreed_by(by).is_agreed());
        let Some(proposal) = agreed else { return Ok(None) };
        // The platform fee stays where it is, however much it was.
        let quote = Quote::of(self.escrow, Rates { platform_bps: 0, service_bps: self.service_bps })?;
        let outcome = outcomes::of(transition, Some(self.status.name()), by)?;
        outcome.effect(&quote, false, Decided::Split(self.split(proposal.customer)?)).map(Some)
    }

    /// The proposal that a party accepts, or why it cannot.
    pub fn acceptable(&self, number: Option<i64>, by: By, now: Timestamp) -> Result<Proposal> {
        let nothing = || Error::conflict("Nobody has made a proposal yet; make one.");
        let proposal = self.proposal.ok_or_else(nothing)?;
        let agrees = if by == By::Customer { proposal.customer_agrees } else { proposal.contractor_agrees };
        if number.is_some_and(|number| number != proposal.number) {
            return Err(Error::conflict("There is a newer proposal; look at it first."));
        }
        if agrees {
            return Err(Error::conflict("You have agreed to this proposal; now it is for the other party."));
        }
        if proposal.expires_at <= now {
            return Err(Error::new(Code::ProposalExpired, "This proposal's time is over; make a new one."));
        }
        Ok(proposal)
    }

    /// How the escrow would be shared: the contractor pays the service fee out of what the customer leaves.
    pub fn split(&self, customer: Money) -> Result<Split> {
        let wrong = || {
            let message = format!("Propose between nothing and the escrow, which is {}.", self.escrow);
            Error::new(Code::SplitMismatch, message).at("toCustomer")
        };
        if customer.currency != self.escrow.currency {
            let message = format!("This booking is in {}.", self.escrow.currency);
            return Err(Error::new(Code::CurrencyMismatch, message).at("toCustomer.currency"));
        }
        if !(0..=self.escrow.minor).contains(&customer.minor) {
            return Err(wrong());
        }
        let rest = Money::new(self.escrow.minor - customer.minor, customer.currency);
        let platform = rest.share(self.service_bps);
        let contractor = Money::new(rest.minor - platform.minor, rest.currency);
        Split { customer, contractor, platform, fee_back: false }.of_exactly(self.escrow)
    }
}

/// What a new dispute needs, checked.
#[derive(Clone, Debug)]
pub struct NewDispute {
    /// The booking.
    pub booking: BookingId,
    /// Why.
    pub reason: Reason,
    /// What the opener says to it.
    pub evidence: String,
    /// What the opener shows.
    pub files: Vec<FileId>,
}

impl NewDispute {
    /// Checks what a person typed.
    pub fn new(booking: BookingId, reason: Reason, evidence: &str, files: Vec<FileId>) -> Result<Self> {
        let evidence = text::paragraphs(evidence, text::REVIEW_MAX).map_err(|error| error.at("evidence"))?;
        let files = evidence::distinct(files).map_err(|error| error.at("evidenceFileIds"))?;
        Ok(NewDispute { booking, reason, evidence, files })
    }
}

/// A proposal to be made.
#[derive(Clone, Copy, Debug)]
pub struct Propose {
    /// The dispute.
    pub dispute: DisputeId,
    /// What the customer would get.
    pub customer: Money,
}

/// What a decision needs, checked. Whether its parts are the escrow is found out when it is posted.
#[derive(Clone, Debug)]
pub struct Decide {
    /// The dispute.
    pub dispute: DisputeId,
    /// The split.
    pub split: Split,
    /// Why.
    pub reason: String,
}

impl Decide {
    /// Checks what staff typed.
    pub fn new(dispute: DisputeId, split: Split, reason: &str) -> Result<Self> {
        let reason = text::paragraphs(reason, text::NOTE_MAX).map_err(|error| error.at("reason"))?;
        Ok(Decide { dispute, split, reason })
    }
}
