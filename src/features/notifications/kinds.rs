//! The table of all kinds: from which event each follows, who gets it, and what it says.

use crate::features::announcements::Level;
use crate::features::{bookings, changes, chat, disputes, jobs, offers, reviews, wallet};
use crate::kernel::id::{
    BookingId, ChangeId, ConversationId, DisputeId, JobId, OfferId, PaymentId, ReviewId, TypedId, UserId,
};
use crate::kernel::{Actor, Money};

/// What a kind of notification says, and when to whom.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// How loud it is.
    pub level: Level,
    /// One line.
    pub title: &'static str,
    /// One sentence, with holes for [`Words`].
    pub body: &'static str,
    /// The event that it follows from.
    pub(super) event: &'static str,
    /// Only if the event's object has taken a step to this state.
    pub(super) reaching: Option<&'static str>,
    /// Who of those that hear of the event gets it.
    pub(super) to: To,
    /// The word of the id of what it is about: the event's object.
    pub(super) about: &'static str,
    /// Whether there is one for each subject of events as long as it is unread, rather than one for each event.
    pub(super) is_renewed: bool,
}

/// Who of those that hear of an event is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Whoever did it.
    Actor,
    /// Everybody but whoever did it.
    Others,
    /// The other party than the one who did it. If it was neither of the two, such as when another offer was accepted, only
    /// the contractor: the customer hears of what was accepted instead.
    OtherParty,
    /// Whom it is about: whoever comes last.
    Subject,
    /// Everybody, whoever did it.
    All,
}

impl To {
    /// Of an event's audience, in its order (parties come as customer, contractor), those who are notified.
    pub(super) fn of(self, audience: &[UserId], actor: Actor) -> Vec<UserId> {
        let by = |user: &UserId| matches!(actor, Actor::User(actor, _) if actor == *user);
        let all = audience.iter().copied();
        match self {
            To::Actor => all.filter(by).collect(),
            To::Others => all.filter(|user| !by(user)).collect(),
            To::OtherParty if audience.iter().any(by) => all.filter(|user| !by(user)).collect(),
            To::OtherParty => all.skip(1).collect(),
            To::Subject => audience.last().copied().into_iter().collect(),
            To::All => all.collect(),
        }
    }
}

/// What fills the holes of a body, as it is when somebody reads.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The other person's name, for `{other}`.
    pub other: Option<String>,
    /// The job's title, for `{job}`.
    pub job: Option<String>,
    /// The price or sum, for `{amount}`.
    pub amount: Option<Money>,
}

impl Notice {
    /// The body with its holes filled. What is gone, or was never there, is left vague.
    pub fn fill(&self, words: &Words) -> String {
        let other = words.other.as_deref().unwrap_or("Somebody");
        let amount = words.amount.map_or_else(|| "a sum".to_owned(), |amount| amount.to_string());
        let job = words.job.as_ref().map_or_else(|| "a job".to_owned(), |title| format!("“{title}”"));
        // Hole by hole, so that a name or a title which looks like a hole stays as it is.
        let mut text = String::new();
        let mut rest = self.body;
        while let Some((before, hole, behind)) = next_hole(rest) {
            text.push_str(before);
            text.push_str(match hole {
                "other" => other,
                "amount" => &amount,
                _ => &job,
            });
            rest = behind;
        }
        text + rest
    }
}

fn next_hole(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (hole, behind) = rest.split_once('}')?;
    Some((before, hole, behind))
}

/// A step in the life of an object, as a cause.
const fn step(event: &'static str, reaching: &'static str, to: To, about: &'static str) -> Cause {
    Cause { event, reaching: Some(reaching), to, about }
}

/// An event as a cause, whatever it holds.
const fn any(event: &'static str, to: To, about: &'static str) -> Cause {
    Cause { event, reaching: None, to, about }
}

struct Cause {
    event: &'static str,
    reaching: Option<&'static str>,
    to: To,
    about: &'static str,
}

/// Declares the kinds. Each entry: the kind and its stored name, how loud, title, body, cause.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $level:ident, $title:literal, $body:literal, $cause:expr;)*) => {
        /// What kinds of notifications there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// The stored name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            /// What it says, and when to whom.
            pub const fn notice(self) -> &'static Notice {
                match self {
                    $(Kind::$kind => const {
                        let Cause { event, reaching, to, about } = $cause;
                        let is_renewed = matches!(Kind::$kind, Kind::MessageReceived);
                        &Notice { level: Level::$level, title: $title, body: $body, event, reaching, to, about, is_renewed }
                    },)*
                }
            }
        }
    };
}

impl Kind {
    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

kinds! {
    /// A job got its contractor.
    JobAssigned = "JOB_ASSIGNED", Success, "Job assigned", "An offer for {job} was accepted; the job is assigned.",
        step(jobs::events::STATUS_CHANGED, jobs::Status::Assigned.name(), To::Others, JobId::PREFIX);
    /// A job is done.
    JobCompleted = "JOB_COMPLETED", Success, "Job completed", "{job} is completed.",
        step(jobs::events::STATUS_CHANGED, jobs::Status::Completed.name(), To::Others, JobId::PREFIX);
    /// A job was given up.
    JobCancelled = "JOB_CANCELLED", Warning, "Job cancelled", "{job} was cancelled.",
        step(jobs::events::STATUS_CHANGED, jobs::Status::Cancelled.name(), To::Others, JobId::PREFIX);
    /// The viewer's own offer went out.
    OfferSent = "OFFER_SENT", Info, "Offer sent", "Your offer of {amount} for {job} went to {other}.",
        any(offers::events::SENT, To::Actor, OfferId::PREFIX);
    /// Somebody made the viewer an offer.
    OfferReceived = "OFFER_RECEIVED", Info, "New offer", "{other} offers {amount} for {job}.",
        any(offers::events::SENT, To::Others, OfferId::PREFIX);
    /// The viewer's offer was accepted.
    OfferAccepted = "OFFER_ACCEPTED", Success, "Offer accepted", "{other} accepted your offer of {amount} for {job}.",
        step(offers::events::STATUS_CHANGED, offers::Status::Accepted.name(), To::Others, OfferId::PREFIX);
    /// An offer was declined, or the job went to somebody else.
    OfferDeclined = "OFFER_DECLINED", Warning, "Offer declined", "The offer of {amount} for {job} was declined.",
        step(offers::events::STATUS_CHANGED, offers::Status::Declined.name(), To::OtherParty, OfferId::PREFIX);
    /// Whoever made an offer took it back.
    OfferWithdrawn = "OFFER_WITHDRAWN", Info, "Offer withdrawn", "{other} took back the offer of {amount} for {job}.",
        step(offers::events::STATUS_CHANGED, offers::Status::Withdrawn.name(), To::Others, OfferId::PREFIX);
    /// Nobody answered an offer in time. Both sides are told.
    OfferExpired = "OFFER_EXPIRED", Warning, "Offer expired", "The offer of {amount} for {job} expired without an answer.",
        step(offers::events::STATUS_CHANGED, offers::Status::Expired.name(), To::Others, OfferId::PREFIX);
    /// A booking was made.
    BookingCreated = "BOOKING_CREATED", Success, "New booking", "You have a booking with {other} for {job}: {amount}.",
        any(bookings::events::CREATED, To::Others, BookingId::PREFIX);
    /// The contractor began.
    BookingStarted = "BOOKING_STARTED", Info, "Work has begun", "{other} has begun with {job}.",
        step(bookings::events::STATUS_CHANGED, bookings::Status::InProgress.name(), To::Others, BookingId::PREFIX);
    /// The contractor is done.
    BookingDelivered = "BOOKING_DELIVERED", Info, "Work delivered", "{other} has delivered {job}; have a look.",
        step(bookings::events::STATUS_CHANGED, bookings::Status::Delivered.name(), To::Others, BookingId::PREFIX);
    /// The customer is content.
    BookingCompleted = "BOOKING_COMPLETED", Success, "Booking completed", "The booking with {other} for {job} is completed.",
        step(bookings::events::STATUS_CHANGED, bookings::Status::Completed.name(), To::Others, BookingId::PREFIX);
    /// The price that was put off is there.
    BookingReleased = "BOOKING_RELEASED", Success, "Money released", "The money for {job} is in your wallet.",
        any(bookings::events::RELEASED, To::Subject, BookingId::PREFIX);
    /// A booking was given up.
    BookingCancelled = "BOOKING_CANCELLED", Warning, "Booking cancelled",
        "The booking with {other} for {job} was cancelled.",
        any(bookings::events::CANCELLED, To::Others, BookingId::PREFIX);
    /// The other party proposes another price or time.
    BookingChangeProposed = "BOOKING_CHANGE_PROPOSED", Info, "Change proposed", "{other} proposes other terms for {job}, for {amount}.",
        any(changes::events::PROPOSED, To::Others, ChangeId::PREFIX);
    /// The other party agreed to another price or time.
    BookingChangeAccepted = "BOOKING_CHANGE_ACCEPTED", Success, "Change agreed", "{other} agreed to other terms for {job}, for {amount}.",
        step(changes::events::STATUS_CHANGED, changes::Status::Accepted.name(), To::Others, ChangeId::PREFIX);
    /// The other party, or staff, declined another price or time.
    BookingChangeDeclined = "BOOKING_CHANGE_DECLINED", Warning, "Change declined", "The other terms for {job} were declined; all stays as agreed.",
        step(changes::events::STATUS_CHANGED, changes::Status::Declined.name(), To::Others, ChangeId::PREFIX);
    /// The other party took its proposal of another price or time back.
    BookingChangeWithdrawn = "BOOKING_CHANGE_WITHDRAWN", Info, "Change withdrawn", "{other} took back the other terms for {job}; all stays as agreed.",
        step(changes::events::STATUS_CHANGED, changes::Status::Withdrawn.name(), To::Others, ChangeId::PREFIX);
    /// Nobody answered a proposal of another price or time in time. Both parties are told.
    BookingChangeExpired = "BOOKING_CHANGE_EXPIRED", Warning, "Change expired", "The other terms for {job} expired without an answer; all stays as agreed.",
        step(changes::events::STATUS_CHANGED, changes::Status::Expired.name(), To::Others, ChangeId::PREFIX);
    /// The other party disagrees, and the money is frozen.
    DisputeOpened = "DISPUTE_OPENED", Warning, "Dispute opened", "{other} disagrees about {job}; its money is frozen.",
        any(disputes::events::OPENED, To::Others, DisputeId::PREFIX);
    /// Somebody proposes how to end a dispute.
    DisputeProposed = "DISPUTE_PROPOSED", Info, "New proposal", "There is a proposal to end the dispute about {job}.",
        any(disputes::events::PROPOSED, To::Others, DisputeId::PREFIX);
    /// The other party shows something.
    DisputeEvidenceAdded = "DISPUTE_EVIDENCE_ADDED", Info, "New evidence", "{other} added evidence to the dispute about {job}.",
        any(disputes::events::EVIDENCE_ADDED, To::Others, DisputeId::PREFIX);
    /// A dispute went to staff.
    DisputeEscalated = "DISPUTE_ESCALATED", Warning, "Staff look at it", "The dispute about {job} goes to staff.",
        step(disputes::events::STATUS_CHANGED, disputes::Status::Escalated.name(), To::Others, DisputeId::PREFIX);
    /// Whoever opened a dispute took it back.
    DisputeWithdrawn = "DISPUTE_WITHDRAWN", Info, "Dispute withdrawn", "{other} took back the dispute about {job}; the booking goes on.",
        step(disputes::events::STATUS_CHANGED, disputes::Status::Withdrawn.name(), To::Others, DisputeId::PREFIX);
    /// The two agreed.
    DisputeAgreed = "DISPUTE_AGREED", Success, "Dispute settled", "You and {other} agree about {job}; the money is shared.",
        step(disputes::events::STATUS_CHANGED, disputes::Status::Agreed.name(), To::Others, DisputeId::PREFIX);
    /// Staff decided a dispute.
    DisputeDecided = "DISPUTE_DECIDED", Info, "Dispute decided", "Staff decided about {job}; the money is shared.",
        step(disputes::events::STATUS_CHANGED, disputes::Status::Decided.name(), To::Others, DisputeId::PREFIX);
    /// Somebody wrote. One for each conversation, as long as it is unread.
    MessageReceived = "MESSAGE_RECEIVED", Info, "New message", "{other} wrote to you.",
        any(chat::events::CREATED, To::Others, ConversationId::PREFIX);
    /// What the other party of a booking wrote about the viewer is there for all to read.
    ReviewReceived = "REVIEW_RECEIVED", Info, "New review", "{other} has reviewed you.",
        any(reviews::events::PUBLISHED, To::Subject, ReviewId::PREFIX);
    /// The viewer's money has arrived.
    PaymentReceived = "PAYMENT_RECEIVED", Success, "Payment received", "{amount} arrived in your wallet.",
        any(wallet::events::PAYMENT_COMPLETED, To::All, PaymentId::PREFIX);
    /// The viewer's money will not arrive.
    PaymentFailed = "PAYMENT_FAILED", Error, "Payment failed", "Your deposit of {amount} failed; nothing was booked.",
        any(wallet::events::PAYMENT_FAILED, To::All, PaymentId::PREFIX);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Currency, Role};
    use uuid::Uuid;

    #[test]
    fn bodies_have_holes_that_are_known() {
        for kind in Kind::ALL {
            let mut rest = kind.notice().body;
            while let Some((_, hole, behind)) = next_hole(rest) {
                assert!(["other", "job", "amount"].contains(&hole), "{kind:?}: {hole}");
                rest = behind;
            }
            assert_eq!(Kind::parse(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn holes_are_filled_once() {
        let amount = Some(Money::new(9_950, Currency::parse("USD").unwrap()));
        let words = Words { other: Some("{job}".into()), job: Some("{other}".into()), amount };
        assert_eq!(Kind::OfferReceived.notice().fill(&words), "{job} offers 99.50 USD for “{other}”.");
        assert_eq!(Kind::OfferReceived.notice().fill(&Words::default()), "Somebody offers a sum for a job.");
    }

    #[test]
    fn everybody_but_the_actor_is_told() {
        let [customer, contractor, third] = [1, 2, 3].map(|n| UserId::of(Uuid::from_u128(n)));
        let both = [customer, contractor];
        let by = |user| Actor::User(user, Role::Customer);
        assert_eq!(To::Actor.of(&both, by(customer)), [customer]);
        assert_eq!(To::Others.of(&both, by(customer)), [contractor]);
        assert_eq!(To::Others.of(&both, Actor::System), both);
        assert_eq!(To::OtherParty.of(&both, by(contractor)), [customer]);
        assert_eq!(To::OtherParty.of(&both, by(third)), [contractor]);
        assert_eq!(To::OtherParty.of(&both, Actor::System), [contractor]);
        assert_eq!(To::Subject.of(&both, by(contractor)), [contractor]);
        assert_eq!(To::All.of(&both, by(customer)), both);
    }
}
