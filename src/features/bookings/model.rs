//! What a booking is, and the life that it leads.

pub use super::timers::Patience;
use crate::features::offers::{self, Party, Period};
use crate::features::wallet::Quote;
use crate::features::wallet::escrow::Deal;
use crate::features::wallet::outcomes::{self, Decided, Effect, Outcome};
use crate::kernel::clock::DAY;
use crate::kernel::id::{BookingId, ConversationId, JobId, OfferId, UserId};
use crate::kernel::life::{Available, Life, State, Transition, row};
use crate::kernel::{By, Error, Money, Result, Role, Timestamp, Viewer};

/// The mutation that makes a booking of an offer.
pub const ACCEPT: &str = offers::model::ACCEPT;
/// The mutation by which the contractor begins.
pub const START: &str = "bookingStart";
/// The mutation by which the contractor is done.
pub const DELIVER: &str = "bookingDeliver";
/// The mutation by which the customer is content.
pub const COMPLETE: &str = "bookingComplete";
/// The mutation that gives a booking up.
pub const CANCEL: &str = "bookingCancel";

/// The mutation that proposes other terms.
pub const PROPOSE_CHANGE: &str = "bookingChangePropose";
/// The mutation that agrees to other terms.
pub const CHANGE: &str = "bookingChangeAccept";
/// The mutation that opens a dispute.
pub const DISPUTE: &str = "disputeOpen";
/// The mutation by which the two agree in a dispute.
pub const AGREE: &str = "disputeAcceptProposal";
/// The mutation that takes a dispute back.
pub const RETRACT: &str = "disputeWithdraw";
/// The mutation by which staff end a dispute.
pub const DECIDE: &str = "disputeDecide";
/// The task that completes a delivered booking when the customer is silent.
pub const TIME_OUT: &str = "booking.complete";
/// The task that ends a booking that nobody moves on.
pub const LAPSE: &str = "booking.lapse";
/// The task that pays for a completed booking whose price was put off.
pub const RELEASE: &str = "booking.release";

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Asked for from a listing, not confirmed yet.
    Requested,
    /// Agreed and paid into escrow.
    Confirmed,
    /// The contractor is at work.
    InProgress,
    /// The contractor is done and the customer looks.
    Delivered,
    /// The customer is content, and the money released at once or after a delay.
    Completed,
    /// Given up.
    Cancelled,
    /// The two disagree and staff decide.
    Disputed,
}

impl Status {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Requested => "REQUESTED",
            Status::Confirmed => "CONFIRMED",
            Status::InProgress => "IN_PROGRESS",
            Status::Delivered => "DELIVERED",
            Status::Completed => "COMPLETED",
            Status::Cancelled => "CANCELLED",
            Status::Disputed => "DISPUTED",
        }
    }

    /// Whether the price of a booking in this state lies in its escrow, however long the release is put off.
    pub const fn keeps_escrow(self) -> bool {
        matches!(self, Status::Confirmed | Status::InProgress | Status::Delivered | Status::Disputed)
    }
}

impl State for Status {
    const ALL: &'static [Status] = &[
        Status::Requested,
        Status::Confirmed,
        Status::InProgress,
        Status::Delivered,
        Status::Completed,
        Status::Cancelled,
        Status::Disputed,
    ];

    fn name(self) -> &'static str {
        self.name()
    }
}

/// Where it has begun and not ended: its price lies in escrow, and nobody disputes it.
const UNDER_WAY: &[Status] = &[Status::Confirmed, Status::InProgress, Status::Delivered];

/// The two whose contract it is.
const PARTIES: &[By] = &[By::Customer, By::Contractor];

/// The life of a booking.
pub const LIFE: Life<Status> = Life {
    noun: "booking",
    ends: &[Status::Completed, Status::Cancelled],
    rows: &[
        row(ACCEPT, "Accept an offer", &[], Status::Confirmed, &[By::Deal]),
        row(START, "Start the work", &[Status::Confirmed], Status::InProgress, &[By::Contractor, By::Staff]),
        row(DELIVER, "Deliver the work", &[Status::InProgress], Status::Delivered, &[By::Contractor, By::Staff]),
        row(COMPLETE, "Complete and pay", &[Status::Delivered], Status::Completed, &[By::Customer, By::Staff]).barred(
            &[Status::Confirmed, Status::InProgress],
            "The work is not delivered yet; wait for the contractor.",
        ),
        row(CANCEL, "Cancel the booking", &[Status::Confirmed], Status::Cancelled, PARTIES).barred(
            &[Status::InProgress, Status::Delivered],
            "Work has begun: this booking can only be cancelled by agreement, by staff or in a dispute.",
        ),
        row(CANCEL, "Cancel the booking", UNDER_WAY, Status::Cancelled, &[By::Staff]),
        row(TIME_OUT, "Complete by itself", &[Status::Delivered], Status::Completed, &[By::Timer]),
        row(RELEASE, "Release the price", &[Status::Completed], Status::Completed, &[By::Timer]),
        row(LAPSE, "Lapse", &[Status::Confirmed, Status::InProgress], Status::Cancelled, &[By::Timer]),
        row(DISPUTE, "Open a dispute", UNDER_WAY, Status::Disputed, PARTIES),
        row(PROPOSE_CHANGE, "Propose a change", &[Status::Confirmed], Status::Confirmed, PARTIES),
        // The customer is to judge what is there, at the price that it was made for, and before the timer does.
        row(PROPOSE_CHANGE, "Propose a change", &[Status::InProgress], Status::InProgress, PARTIES).barred(
            &[Status::Delivered],
            "The work is delivered: it is completed, or disputed, at the price that was agreed.",
        ),
        row(CHANGE, "Change as agreed", &[Status::Confirmed], Status::Confirmed, &[By::Deal]),
        row(CHANGE, "Change as agreed", &[Status::InProgress], Status::InProgress, &[By::Deal]),
        driven(RETRACT, "Go on", Status::Confirmed),
        driven(RETRACT, "Go on", Status::InProgress),
        driven(RETRACT, "Go on", Status::Delivered),
        driven(AGREE, "Share as agreed", Status::Completed),
        driven(AGREE, "Give back as agreed", Status::Cancelled),
        driven(DECIDE, "Share as decided", Status::Completed),
        driven(DECIDE, "Give back as decided", Status::Cancelled),
    ],
};

/// Who gave a booking up, as it is stored.
pub fn stored(by: By) -> String {
    by.name().to_uppercase()
}

/// Whether a transition moves money: that is for the parties and for administrators.
pub fn moves_money(transition: &str) -> bool {
    matches!(transition, COMPLETE | CANCEL)
}

/// What the end of a dispute does to its booking.
const fn driven(name: &'static str, label: &'static str, to: Status) -> Transition<Status> {
    row(name, label, &[Status::Disputed], to, &[By::Deal])
}

/// What a dispute left of the price for the contractor's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What the contractor got.
    pub contractor: Money,
    /// What the platform got of the price.
    pub platform: Money,
}

/// The contract.
#[derive(Clone, Debug)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// The job that it does.
    pub job: Option<JobId>,
    /// The offer that made it.
    pub offer: OfferId,
    /// Who pays.
    pub customer: UserId,
    /// Who works.
    pub contractor: UserId,
    /// Where the two talk.
    pub conversation: ConversationId,
    /// All amounts, as frozen on the offer or agreed since, by the same rates.
    pub quote: Quote,
    /// When the work takes place, if that is agreed.
    pub period: Option<Period>,
    /// Where it stands.
    pub status: Status,
    /// Why it was given up.
    pub cancel_reason: Option<String>,
    /// How its price was shared, if a dispute ended it.
    pub settled: Option<Settled>,
    /// When its price goes to the contractor, as long as it is completed and that is put off.
    pub releases_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Booking {
    /// The deal behind it.
    pub const fn deal(&self) -> Deal {
        let (customer, contractor) = (self.customer, self.contractor);
        Deal { offer: self.offer, customer, contractor, quote: self.quote, hold: None }
    }

    /// What a viewer may do next with it.
    pub fn available(&self, viewer: &Viewer) -> Vec<Available> {
        let Ok((by, role)) = self.hand_of(viewer) else { return Vec::new() };
        let mut found = LIFE.available(self.status, &[by], |name, by| self.step(name, by));
        found.retain(|it| by != By::Staff || role == Role::Admin || !moves_money(it.name));
        found
    }

    /// How a viewer stands to it, and in which role: a party, or staff; `NOT_FOUND` for strangers.
    pub fn hand_of(&self, viewer: &Viewer) -> Result<(By, Role)> {
        match self.party_of(viewer.user) {
            Ok(party) => Ok((party.by(), party.role())),
            Err(stranger) => viewer.staff_role().map(|role| (By::Staff, role)).ok_or(stranger),
        }
    }

    /// What the customer gets back by a transition.
    pub fn refund(&self, transition: &str, by: By) -> Result<Money> {
        let effect = self.outcome(transition, by)?.foreseen(&self.quote, false, Decided::Nothing)?;
        Ok(effect.map_or(Money::zero(self.quote.budget.currency), |effect| effect.customer))
    }

    /// What a transition does to its money, at once or later.
    pub fn outcome(&self, transition: &str, by: By) -> Result<Outcome> {
        outcomes::of(transition, Some(self.status.name()), by)
    }

    /// What a transition moves now; nothing to tell when a person decides that first.
    pub fn effect(&self, transition: &str, by: By, patience: Patience) -> Result<Option<Effect>> {
        let outcome = self.outcome(transition, by)?;
        if patience.puts_off(outcome) { Ok(None) } else { outcome.foreseen(&self.quote, false, Decided::Nothing) }
    }

    /// Where a transition leads, or why it is refused.
    pub fn step(&self, transition: &str, by: By) -> Result<Status> {
        LIFE.step(transition, self.status, by)
    }

    /// Which timer waits for it, and until when; none while it is disputed, and behind its end only for what is put off.
    pub fn timer(&self, patience: Patience) -> Option<(&'static str, Timestamp)> {
        // Nobody is silent before the agreed time is over.
        let agreed = self.period.map_or(self.updated_at, |period| period.ends_at);
        let (task, since, days) = match self.status {
            Status::Delivered => (TIME_OUT, self.updated_at, patience.complete_days),
            Status::Confirmed | Status::InProgress => (LAPSE, self.updated_at.max(agreed), patience.lapse_days),
            Status::Completed => return self.releases_at.map(|at| (RELEASE, at)),
            _ => return None,
        };
        Some((task, since.plus(days * DAY)))
    }

    /// What it made for the contractor: the price or what a dispute left of it, the fee out of it, and what was left.
    pub fn earned(&self) -> Result<[Money; 3]> {
        match self.settled {
            Some(part) => Ok([part.contractor.plus(part.platform)?, part.platform, part.contractor]),
            None => Ok([self.quote.budget, self.quote.service_fee, self.quote.contractor_net()?]),
        }
    }

    /// Both parties.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// Which party a user is; `NOT_FOUND` for strangers.
    pub fn party_of(&self, user: UserId) -> Result<Party> {
        Party::of(user, self.parties()).ok_or_else(|| Error::not_found("booking"))
    }

    /// The party across the table.
    pub const fn other(&self, party: Party) -> UserId {
        match party {
            Party::Customer => self.contractor,
            Party::Contractor => self.customer,
        }
    }

    /// Whether a viewer may see it.
    pub fn is_for(&self, viewer: &Viewer) -> bool {
        self.parties().contains(&viewer.user) || viewer.roles.is_staff()
    }

    /// Whether its money still lies in escrow.
    pub const fn is_funded(&self) -> bool {
        self.status.keeps_escrow() || self.releases_at.is_some()
    }
}
