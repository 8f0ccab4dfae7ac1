//! What a change of a booking is, and its life.

use crate::features::bookings::model::{CANCEL, CHANGE, DELIVER, DISPUTE, PROPOSE_CHANGE};
use crate::features::bookings::{self, Booking};
use crate::features::offers::{Party, Period};
use crate::features::wallet::Quote;
use crate::features::wallet::outcomes::{self, Decided, Effect};
use crate::kernel::id::{BookingId, ChangeId, UserId};
use crate::kernel::life::{Available, Life, State, row};
use crate::kernel::{By, Code, Error, Money, Result, Role, Timestamp, Viewer, text};

/// The mutation that declines a change.
pub const DECLINE: &str = "bookingChangeDecline";
/// The mutation that takes one back.
pub const WITHDRAW: &str = "bookingChangeWithdraw";
/// The task that lets one expire.
pub const EXPIRE: &str = "change.expire";

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for the other party.
    Pending,
    /// The booking has these terms from then on.
    Accepted,
    /// The other party said no, or staff did.
    Declined,
    /// Whoever made it took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
    /// Another change was proposed in its place.
    Replaced,
    /// The booking was delivered, cancelled or disputed meanwhile.
    Closed,
}

impl Status {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Accepted => "ACCEPTED",
            Status::Declined => "DECLINED",
            Status::Withdrawn => "WITHDRAWN",
            Status::Expired => "EXPIRED",
            Status::Replaced => "REPLACED",
            Status::Closed => "CLOSED",
        }
    }
}

impl State for Status {
    const ALL: &'static [Status] = &[
        Status::Pending,
        Status::Accepted,
        Status::Declined,
        Status::Withdrawn,
        Status::Expired,
        Status::Replaced,
        Status::Closed,
    ];

    fn name(self) -> &'static str {
        self.name()
    }
}

const PENDING: &[Status] = &[Status::Pending];

/// The life of a change. Staff end one that should not stand there; they agree to none, since it is the parties' money.
pub const LIFE: Life<Status> = Life {
    noun: "change",
    ends: &[Status::Accepted, Status::Declined, Status::Withdrawn, Status::Expired, Status::Replaced, Status::Closed],
    rows: &[
        row(PROPOSE_CHANGE, "Propose a change", &[], Status::Pending, &[By::Deal]),
        row(PROPOSE_CHANGE, "Propose another change", PENDING, Status::Replaced, &[By::Deal]),
        row(CHANGE, "Agree to the change", PENDING, Status::Accepted, &[By::Receiver]),
        row(DECLINE, "Decline the change", PENDING, Status::Declined, &[By::Receiver, By::Staff]),
        row(WITHDRAW, "Withdraw the change", PENDING, Status::Withdrawn, &[By::Maker]),
        row(EXPIRE, "Expire", PENDING, Status::Expired, &[By::Timer]),
        row(DELIVER, "Deliver the work", PENDING, Status::Closed, &[By::Deal]),
        row(CANCEL, "Cancel the booking", PENDING, Status::Closed, &[By::Deal]),
        row(DISPUTE, "Open a dispute", PENDING, Status::Closed, &[By::Deal]),
    ],
};

/// What two people agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// All amounts.
    pub quote: Quote,
    /// When the work takes place, if that is agreed.
    pub period: Option<Period>,
}

impl Terms {
    /// Those that a booking has.
    pub const fn of(booking: &Booking) -> Self {
        Terms { quote: booking.quote, period: booking.period }
    }
}

/// New terms for a booking, proposed by one of its parties.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// The booking.
    pub booking: BookingId,
    /// The booking's customer.
    pub customer: UserId,
    /// The booking's contractor.
    pub contractor: UserId,
    /// Who proposes.
    pub maker: Party,
    /// What was agreed when it was proposed.
    pub before: Terms,
    /// What would be agreed: the fees are those of the frozen rates.
    pub terms: Terms,
    /// What the maker says to it.
    pub note: String,
    /// Where it stands.
    pub status: Status,
    /// When it expires by itself.
    pub expires_at: Timestamp,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Change {
    /// Both parties.
    pub const fn parties(&self) -> [UserId; 2] {
        [self.customer, self.contractor]
    }

    /// Whether a viewer may see it.
    pub fn is_for(&self, viewer: &Viewer) -> bool {
        self.parties().contains(&viewer.user) || viewer.roles.is_staff()
    }

    /// How a viewer stands to it, and in which role: its maker, its receiver, or staff; `NOT_FOUND` for strangers.
    pub fn hand_of(&self, viewer: &Viewer) -> Result<(By, Role)> {
        match Party::of(viewer.user, self.parties()) {
            Some(party) => Ok((if party == self.maker { By::Maker } else { By::Receiver }, party.role())),
            None => viewer.staff_role().map(|role| (By::Staff, role)).ok_or_else(|| Error::not_found("change")),
        }
    }

    /// What a viewer may do next with it. All of it has until the change expires.
    pub fn available(&self, viewer: &Viewer, now: Timestamp) -> Vec<Available> {
        let Ok((by, _)) = self.hand_of(viewer) else { return Vec::new() };
        LIFE.available(self.status, &[by], |name, by| self.step(name, by, now))
    }

    /// What a transition does to the money of the deal; nothing to tell when it moves none.
    pub fn effect(&self, transition: &str, by: By) -> Result<Option<Effect>> {
        let outcome = outcomes::of(transition, Some(self.status.name()), by)?;
        outcome.foreseen(&self.before.quote, false, Decided::Price(self.terms.quote))
    }

    /// Where a transition leads now, or why it is refused. Its time may be over before the task comes that ends it.
    pub fn step(&self, transition: &str, by: By, now: Timestamp) -> Result<Status> {
        let to = LIFE.step(transition, self.status, by)?;
        if to == Status::Accepted && self.expires_at <= now {
            return Err(Error::new(Code::ProposalExpired, "This proposal's time is over; make a new one."));
        }
        Ok(to)
    }
}

/// By which step a booking leaves its pending change behind that went to this state; by none while it can be changed.
pub fn closing(to: bookings::Status) -> Option<&'static str> {
    match to {
        bookings::Status::Delivered => Some(DELIVER),
        // A party, staff or a timer gave it up.
        bookings::Status::Cancelled => Some(CANCEL),
        bookings::Status::Disputed => Some(DISPUTE),
        _ => None,
    }
}

/// A change to be proposed, checked as far as that goes without its booking. What is absent stays as it is.
#[derive(Clone, Debug)]
pub struct Propose {
    /// The booking.
    pub booking: BookingId,
    /// The new price.
    pub amount: Option<Money>,
    /// The new time.
    pub period: Option<Period>,
    /// What the maker says to it.
    pub note: String,
    /// Only if the booking has this version.
    pub expected_version: Option<i64>,
}

impl Propose {
    /// Checks what a person typed.
    pub fn new(booking: BookingId, amount: Option<Money>, period: Option<Period>, note: &str) -> Result<Self> {
        let amount = amount.map(Money::positive).transpose().map_err(|error| error.at("amount.amount"))?;
        let note = text::optional_paragraphs(note, text::NOTE_MAX).map_err(|error| error.at("note"))?;
        Ok(Propose { booking, amount, period, note, expected_version: None })
    }
}
