//! What somebody may do next, and what would come of it.
//!
//! To add a transition: a value of [`TransitionName`], beside its row in the noun's life.

use async_graphql::{Enum, SimpleObject};

use super::auth::{Access, auth};
use super::bookings::BookingStatus;
use super::changes::BookingChangeStatus;
use super::disputes::DisputeStatus;
use super::error::{DomainError, payload, user_error};
use super::jobs::JobStatus;
use super::money::Money;
use super::offers::OfferStatus;
use super::scalars::DateTime;
use crate::features::changes;
use crate::features::disputes::preview::Foreseen;
use crate::features::wallet::Balance;
use crate::features::wallet::outcomes::Effect;
use crate::kernel::life::Available;
use crate::kernel::{Error, Result, Timestamp};

/// Something that the viewer may do next with an object, or would expect and may not. It is advice: the mutation decides,
/// and a balance is looked at only there.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct Transition {
    /// The mutation that does it.
    pub name: TransitionName,
    /// What a button says, in English.
    pub label: String,
    /// Until when; then a timer acts. Null when there is no hurry, and when it is refused.
    pub deadline: Option<DateTime>,
    /// What it moves; null when no money moves, when the amounts are decided first, and when it is refused.
    pub money_effect: Option<MoneyEffect>,
    /// Why it is not possible now, and what to do instead; null when it is.
    pub refused_because: Option<TransitionError>,
}

impl Transition {
    /// What the viewer may do next, with what each step does to the money.
    pub fn list(
        found: Vec<Available>,
        deadline: Option<Timestamp>,
        effect: impl Fn(&Available) -> Result<Option<Effect>>,
    ) -> Result<Vec<Self>> {
        let each = found.into_iter().map(|it| {
            let refused = it.refused.as_ref();
            let unknown = || Error::internal(format!("no refusal that clients know: {refused:?}"));
            Ok(Transition {
                name: TransitionName::of(it.name)?,
                label: it.label.to_owned(),
                deadline: deadline.filter(|_| refused.is_none()).map(DateTime),
                money_effect: if refused.is_none() { effect(&it)?.map(Into::into) } else { None },
                refused_because: refused.map(|error| TransitionError::of(error).ok_or_else(unknown)).transpose()?,
            })
        });
        each.collect()
    }
}

/// Declares the names of transitions, each with the mutation that it stands for.
macro_rules! transition_names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The mutations that take an object one step on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub enum TransitionName {
            $($(#[$doc])* $variant,)*
        }

        impl TransitionName {
            /// All of them.
            pub const ALL: &'static [TransitionName] = &[$(TransitionName::$variant,)*];

            /// The mutation.
            pub const fn mutation(self) -> &'static str {
                match self {
                    $(TransitionName::$variant => $name,)*
                }
            }
        }
    };
}

transition_names! {
    /// The mutation `jobCancel`.
    JobCancel = "jobCancel",
    /// The mutation `offerAccept`.
    OfferAccept = "offerAccept",
    /// The mutation `offerDecline`.
    OfferDecline = "offerDecline",
    /// The mutation `offerCounter`.
    OfferCounter = "offerCounter",
    /// The mutation `offerWithdraw`.
    OfferWithdraw = "offerWithdraw",
    /// The mutation `bookingStart`.
    BookingStart = "bookingStart",
    /// The mutation `bookingDeliver`.
    BookingDeliver = "bookingDeliver",
    /// The mutation `bookingComplete`.
    BookingComplete = "bookingComplete",
    /// The mutation `bookingCancel`.
    BookingCancel = "bookingCancel",
    /// The mutation `bookingChangePropose`.
    BookingChangePropose = "bookingChangePropose",
    /// The mutation `bookingChangeAccept`.
    BookingChangeAccept = "bookingChangeAccept",
    /// The mutation `bookingChangeDecline`.
    BookingChangeDecline = "bookingChangeDecline",
    /// The mutation `bookingChangeWithdraw`.
    BookingChangeWithdraw = "bookingChangeWithdraw",
    /// The mutation `disputeOpen`.
    DisputeOpen = "disputeOpen",
    /// The mutation `disputePropose`.
    DisputePropose = "disputePropose",
    /// The mutation `disputeAddEvidence`.
    DisputeAddEvidence = "disputeAddEvidence",
    /// The mutation `disputeAcceptProposal`.
    DisputeAcceptProposal = "disputeAcceptProposal",
    /// The mutation `disputeWithdraw`.
    DisputeWithdraw = "disputeWithdraw",
    /// The mutation `disputeDecide`.
    DisputeDecide = "disputeDecide",
}

impl TransitionName {
    /// The transition that a mutation takes.
    pub fn of(mutation: &str) -> Result<Self> {
        let found = Self::ALL.iter().copied().find(|name| name.mutation() == mutation);
        found.ok_or_else(|| Error::internal(format!("{mutation} is no name of a transition")))
    }
}

/// How the money of one deal changes: below zero where it leaves. The five amounts add up to nothing.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct MoneyEffect {
    /// What the customer may spend.
    pub customer: Money,
    /// What is held in the customer's wallet.
    pub held: Money,
    /// What lies in escrow.
    pub escrow: Money,
    /// What the contractor may spend.
    pub contractor: Money,
    /// The platform's fees.
    pub platform: Money,
}

impl From<Effect> for MoneyEffect {
    fn from(effect: Effect) -> Self {
        MoneyEffect {
            customer: effect.customer.into(),
            held: effect.held.into(),
            escrow: effect.escrow.into(),
            contractor: effect.contractor.into(),
            platform: effect.platform.into(),
        }
    }
}

/// Where everything would stand after a transition. Nothing of it has happened, and none of it has an id, so that no
/// client takes it for the objects themselves.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct TransitionPreview {
    /// Where the job would stand; null when there is none, and when a decision says it.
    pub job_status: Option<JobStatus>,
    /// Where the offer would stand; null for transitions of a booking, a change or a dispute.
    pub offer_status: Option<OfferStatus>,
    /// Where the booking would stand; null when there is none, and when a decision says it.
    pub booking_status: Option<BookingStatus>,
    /// Where the change would stand; null for transitions of anything else.
    pub change_status: Option<BookingChangeStatus>,
    /// Where the dispute would stand; null for transitions of anything else.
    pub dispute_status: Option<DisputeStatus>,
    /// What would move; null when no money moves, and when a decision says it. Money that other offers of the job held and set free is in `wallet`.
    pub money_effect: Option<MoneyEffect>,
    /// The viewer's wallet.
    pub wallet: Option<WalletPreview>,
    /// Why the mutation would be refused. Empty when it would be done.
    pub user_errors: Vec<TransitionError>,
}
payload!(TransitionPreview, TransitionError);

impl From<Foreseen> for TransitionPreview {
    fn from(Foreseen { deal, dispute }: Foreseen) -> Self {
        TransitionPreview {
            job_status: deal.job.map(Into::into),
            offer_status: deal.offer.map(Into::into),
            booking_status: deal.booking.map(Into::into),
            change_status: None,
            dispute_status: dispute.map(Into::into),
            money_effect: deal.effect.map(Into::into),
            wallet: Some(deal.wallet.into()),
            user_errors: Vec::new(),
        }
    }
}

impl From<changes::preview::Foreseen> for TransitionPreview {
    fn from(changes::preview::Foreseen { deal, change }: changes::preview::Foreseen) -> Self {
        let deal = Foreseen { deal, dispute: None };
        TransitionPreview { change_status: Some(change.into()), ..deal.into() }
    }
}

/// A wallet as it would be.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SelfOnly))]
pub struct WalletPreview {
    /// What could be spent.
    pub available: Money,
    /// What pending offers would hold.
    pub held: Money,
    /// What would lie in the escrow of the user's bookings.
    pub escrow: Money,
}

impl From<Balance> for WalletPreview {
    fn from(balance: Balance) -> Self {
        WalletPreview { available: balance.available.into(), held: balance.held.into(), escrow: balance.escrow.into() }
    }
}

user_error! {
    /// Why a transition is or would be refused.
    TransitionError, TransitionErrorCode {
        /// The state does not allow it, or the object changed meanwhile.
        Conflict,
        /// There is no such object for you.
        NotFound,
        /// The offer is past its `expiresAt`.
        OfferExpired,
        /// The proposal's time is over.
        ProposalExpired,
        /// The customer's available balance does not cover price and fee, or their difference. Told by a preview only.
        InsufficientFunds,
        /// A counter would be a second pending offer of its kind. Told by a preview only.
        OfferExists,
        /// The two have countered each other as often as they may. Told by a preview only.
        TooManyCounters,
        /// The booking has ended: there is nothing to disagree about any more. Told by a preview only.
        DisputeTooLate,
    }
}
