//! Who gets what: one table of what each transition of an offer, a booking, a change or a dispute does to the money of its deal.
//!
//! It stands here and not with bookings, since offers obey it as well. Commands look an [`Outcome`] up and hand it to
//! [`escrow`](super::escrow), which posts its [`Part`]s; nobody else chooses an amount. `docs/money.md` shows the table.
//!
//! To add a transition with money: a row in [`TABLE`]. To add a way to share: a variant, and its parts in
//! [`Outcome::parts`].

use super::fees::Quote;
use super::model::Kind;
use super::parts::repriced;
pub use super::parts::{Effect, Part, Pot};
use crate::kernel::{By, Code, Error, Money, Result};

/// What a transition does to the money of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing moves.
    Nothing,
    /// Price and platform fee are held in the customer's wallet.
    Held,
    /// What was held may be spent again, fee included.
    Freed(Freed),
    /// The price goes into the escrow, the platform fee to the platform.
    Funded,
    /// The escrow and the platform fee follow another price: the difference moves. The price comes with the command.
    Repriced,
    /// The escrow is emptied.
    Ended {
        /// Where the price goes.
        price: Price,
        /// Where the platform fee goes.
        fee: Fee,
    },
}

/// Why a hold is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// Somebody ended it.
    Voided,
    /// Its time was over.
    Expired,
}

/// Where the price goes when the escrow is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// Back to the customer.
    Back,
    /// To the contractor, less the service fee.
    Paid,
    /// As somebody decides: a [`Split`] comes with the command.
    Split,
}

/// Where the platform fee goes when the escrow is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// The platform keeps it.
    Kept,
    /// Back to the customer.
    Back,
    /// As somebody decides, with the [`Split`].
    Decided,
}

/// A decided split of an escrow. No part is below zero and the sum is the escrow exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// What the customer gets.
    pub customer: Money,
    /// What the contractor gets.
    pub contractor: Money,
    /// What the platform gets.
    pub platform: Money,
    /// Whether the customer gets the platform fee back as well, where that is decided with it.
    pub fee_back: bool,
}

/// What comes with a command that the table cannot know.
#[derive(Clone, Copy, Debug, Default)]
pub enum Decided {
    /// Nothing.
    #[default]
    Nothing,
    /// How the escrow is split.
    Split(Split),
    /// What the deal costs from now on.
    Price(Quote),
}

impl Decided {
    const fn split(self) -> Option<Split> {
        match self {
            Decided::Split(split) => Some(split),
            _ => None,
        }
    }
}

/// A row: by whom which transition from where does what. `from` is empty for what makes an object.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The mutation or the task.
    pub transition: &'static str,
    /// From which states; empty when it makes the object.
    pub from: &'static [&'static str],
    /// By whom.
    pub by: &'static [By],
    /// Does what.
    pub outcome: Outcome,
}

const VOIDED: Outcome = Outcome::Freed(Freed::Voided);

const fn row(transition: &'static str, from: &'static [&'static str], by: &'static [By], outcome: Outcome) -> Row {
    Row { transition, from, by, outcome }
}

const fn ended(price: Price, fee: Fee) -> Outcome {
    Outcome::Ended { price, fee }
}

/// The two parties of a booking.
const PARTIES: &[By] = &[By::Customer, By::Contractor];
/// Where the terms of a booking can be changed.
const CHANGEABLE: &[&str] = &["CONFIRMED", "IN_PROGRESS"];
/// Where a booking can be disputed.
const FUNDED: &[&str] = &["CONFIRMED", "IN_PROGRESS", "DELIVERED"];
/// Where a dispute can be ended.
const DISPUTED: &[&str] = &["OPEN", "ESCALATED"];

/// The table. Each transition of the lives of offers, bookings, changes and disputes is in it once, for each state and each of its people.
pub const TABLE: &[Row] = &[
    row("offerSend", &[], &[By::Customer], Outcome::Held),
    row("offerSend", &[], &[By::Contractor], Outcome::Nothing),
    row("offerAccept", &["PENDING"], &[By::Receiver], Outcome::Funded),
    row("offerAccept", &["PENDING"], &[By::Rival], VOIDED),
    row("offerDecline", &["PENDING"], &[By::Receiver], VOIDED),
    row("offerCounter", &[], &[By::Customer], Outcome::Held),
    row("offerCounter", &[], &[By::Contractor], Outcome::Nothing),
    row("offerCounter", &["PENDING"], &[By::Receiver], VOIDED),
    row("offerWithdraw", &["PENDING"], &[By::Maker], VOIDED),
    row("offer.expire", &["PENDING"], &[By::Timer], Outcome::Freed(Freed::Expired)),
    row("jobCancel", &["PENDING"], &[By::Customer], VOIDED),
    row("job.expire", &["PENDING"], &[By::Timer], Outcome::Freed(Freed::Expired)),
    row("bookingStart", &["CONFIRMED"], &[By::Contractor, By::Staff], Outcome::Nothing),
    row("bookingDeliver", &["IN_PROGRESS"], &[By::Contractor, By::Staff], Outcome::Nothing),
    row("bookingComplete", &["DELIVERED"], &[By::Customer, By::Staff], ended(Price::Paid, Fee::Kept)),
    row("bookingCancel", &["CONFIRMED"], &[By::Customer], ended(Price::Back, Fee::Kept)),
    row("bookingCancel", &["CONFIRMED"], &[By::Contractor], ended(Price::Back, Fee::Back)),
    row("bookingCancel", FUNDED, &[By::Staff], ended(Price::Back, Fee::Back)),
    row("booking.complete", &["DELIVERED"], &[By::Timer], ended(Price::Paid, Fee::Kept)),
    row("booking.release", &["COMPLETED"], &[By::Timer], ended(Price::Paid, Fee::Kept)),
    row("booking.lapse", &["CONFIRMED", "IN_PROGRESS"], &[By::Timer], ended(Price::Back, Fee::Back)),
    row("bookingChangePropose", CHANGEABLE, PARTIES, Outcome::Nothing),
    row("bookingChangeAccept", &["PENDING"], &[By::Receiver], Outcome::Repriced),
    row("bookingChangeDecline", &["PENDING"], &[By::Receiver, By::Staff], Outcome::Nothing),
    row("bookingChangeWithdraw", &["PENDING"], &[By::Maker], Outcome::Nothing),
    row("change.expire", &["PENDING"], &[By::Timer], Outcome::Nothing),
    row("disputeOpen", FUNDED, PARTIES, Outcome::Nothing),
    row("disputePropose", DISPUTED, &[By::Customer, By::Contractor, By::Staff], Outcome::Nothing),
    row("disputeAddEvidence", DISPUTED, PARTIES, Outcome::Nothing),
    row("disputeAcceptProposal", DISPUTED, PARTIES, ended(Price::Split, Fee::Kept)),
    row("disputeWithdraw", DISPUTED, &[By::Maker], Outcome::Nothing),
    row("disputeDecide", DISPUTED, &[By::Staff], ended(Price::Split, Fee::Decided)),
    row("dispute.escalate", &["OPEN"], &[By::Timer], Outcome::Nothing),
];

/// What a transition does. `from` is `None` for what makes an object.
pub fn of(transition: &str, from: Option<&str>, by: By) -> Result<Outcome> {
    let begins = |row: &Row| from.map_or(row.from.is_empty(), |from| row.from.contains(&from));
    let row = TABLE.iter().find(|row| row.transition == transition && row.by.contains(&by) && begins(row));
    let missing = || format!("no outcome of {transition} from {} by the {}", from.unwrap_or("nowhere"), by.name());
    row.map(|row| row.outcome).ok_or_else(|| Error::internal(missing()))
}

impl Outcome {
    /// What moves from where to where. `is_held` says whether the deal has a hold; a split or a price needs to be decided.
    pub fn parts(self, quote: &Quote, is_held: bool, decided: Decided) -> Result<Vec<Part>> {
        let part = |from, to, amount, kind| Part { from, to, amount, kind };
        let both = |from, price, fee| {
            vec![part(from, price, quote.budget, Kind::Escrow), part(from, fee, quote.platform_fee, Kind::PlatformFee)]
        };
        let parts = match self {
            Outcome::Nothing => Vec::new(),
            Outcome::Held => both(Pot::Customer, Pot::Held, Pot::Held),
            Outcome::Freed(_) if is_held => both(Pot::Held, Pot::Customer, Pot::Customer),
            Outcome::Freed(_) => Vec::new(),
            Outcome::Funded => both(if is_held { Pot::Held } else { Pot::Customer }, Pot::Escrow, Pot::Platform),
            Outcome::Repriced => match decided {
                Decided::Price(agreed) => repriced(quote, &agreed)?,
                _ => return Err(Error::internal("a price that nobody agreed on")),
            },
            Outcome::Ended { price, fee } => {
                let mut parts = match price {
                    Price::Back => vec![part(Pot::Escrow, Pot::Customer, quote.budget, Kind::Refund)],
                    Price::Paid => vec![
                        part(Pot::Escrow, Pot::Platform, quote.service_fee, Kind::ServiceFee),
                        part(Pot::Escrow, Pot::Contractor, quote.contractor_net()?, Kind::Release),
                    ],
                    Price::Split => {
                        let split = decided.split().ok_or_else(|| Error::internal("a split that nobody decided"))?;
                        let split = split.of_exactly(quote.budget)?;
                        vec![
                            part(Pot::Escrow, Pot::Customer, split.customer, Kind::Refund),
                            part(Pot::Escrow, Pot::Platform, split.platform, Kind::ServiceFee),
                            part(Pot::Escrow, Pot::Contractor, split.contractor, Kind::Release),
                        ]
                    }
                };
                if fee == Fee::Back || fee == Fee::Decided && decided.split().is_some_and(|split| split.fee_back) {
                    parts.push(part(Pot::Platform, Pot::Customer, quote.platform_fee, Kind::FeeRefund));
                }
                parts
            }
        };
        Ok(parts.into_iter().filter(|part| part.amount.minor != 0).collect())
    }

    /// What changes by it, and for whom. As for [`Outcome::parts`].
    pub fn effect(self, quote: &Quote, is_held: bool, decided: Decided) -> Result<Effect> {
        Effect::of(quote, &self.parts(quote, is_held, decided)?)
    }

    /// What will change by it: nothing to tell when nothing moves, or when somebody has to decide a split first.
    pub fn foreseen(self, quote: &Quote, is_held: bool, decided: Decided) -> Result<Option<Effect>> {
        if matches!(self, Outcome::Ended { price: Price::Split, .. }) && decided.split().is_none() {
            return Ok(None);
        }
        let parts = self.parts(quote, is_held, decided)?;
        if parts.is_empty() { Ok(None) } else { Effect::of(quote, &parts).map(Some) }
    }

    /// Whether it pays the contractor the whole price. That is what a delay of the release puts off.
    pub const fn pays(self) -> bool {
        matches!(self, Outcome::Ended { price: Price::Paid, .. })
    }

    /// How a hold of the deal ends by it, if it ends one.
    pub const fn frees(self) -> Option<Freed> {
        match self {
            Outcome::Freed(why) => Some(why),
            _ => None,
        }
    }
}

impl Split {
    /// Refuses a split with a part below zero, or whose sum is not the escrow.
    pub fn of_exactly(self, escrow: Money) -> Result<Self> {
        let parts = [self.customer, self.contractor, self.platform];
        if parts.iter().any(|part| part.currency != escrow.currency) {
            return Err(Error::new(Code::CurrencyMismatch, format!("What is split is in {}.", escrow.currency)));
        }
        if parts.iter().any(|part| part.minor < 0) {
            return Err(Error::new(Code::SplitMismatch, "No part of a split is below zero."));
        }
        let sum = self.customer.plus(self.contractor)?.plus(self.platform)?;
        if sum != escrow {
            let message = format!("The parts must be {escrow} together, to the last digit; they are {sum}.");
            return Err(Error::new(Code::SplitMismatch, message));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::features::wallet::Rates;
    use crate::kernel::Currency;
    use crate::kernel::money::MAX_AMOUNT;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::parse("USD").unwrap())
    }

    fn quote(minor: i64) -> Quote {
        Quote::of(usd(minor), Rates { platform_bps: 500, service_bps: 2_000 }).unwrap()
    }

    const SPLIT: Outcome = ended(Price::Split, Fee::Kept);

    #[test]
    fn a_split_is_the_escrow_to_the_last_digit() {
        let split = |customer, contractor, platform| Split {
            customer: usd(customer),
            contractor: usd(contractor),
            platform: usd(platform),
            fee_back: false,
        };
        let effect = |split| SPLIT.effect(&quote(10_000), false, Decided::Split(split));
        let fair = effect(split(3_333, 6_000, 667)).unwrap();
        assert_eq!((fair.customer, fair.contractor, fair.platform), (usd(3_333), usd(6_000), usd(667)));
        assert_eq!((fair.escrow, fair.held), (usd(-10_000), usd(0)));
        for wrong in [split(3_333, 6_000, 666), split(10_001, 0, 0), split(10_001, -1, 0), split(i64::MAX, 1, 0)] {
            assert!(effect(wrong).is_err(), "{wrong:?}");
        }
        let euros = Split { customer: Money::new(0, Currency::parse("EUR").unwrap()), ..split(0, 10_000, 0) };
        assert!(effect(euros).is_err());
        assert!(SPLIT.parts(&quote(10_000), false, Decided::Nothing).is_err(), "somebody has to decide");
        assert_eq!(SPLIT.foreseen(&quote(10_000), false, Decided::Nothing).unwrap(), None);
    }

    #[test]
    fn another_price_moves_the_difference_of_price_and_fee() {
        let effect = |was, is| Outcome::Repriced.effect(&quote(was), false, Decided::Price(quote(is))).unwrap();
        let more = effect(10_000, 12_000);
        assert_eq!((more.customer, more.escrow, more.platform), (usd(-2_100), usd(2_000), usd(100)));
        let less = effect(10_000, 3_333);
        assert_eq!((less.customer, less.escrow, less.platform), (usd(7_000), usd(-6_667), usd(-333)));
        // A cent that changes no fee.
        assert_eq!(effect(10_000, 10_001).platform, usd(0));
        assert_eq!(Outcome::Repriced.foreseen(&quote(5), false, Decided::Price(quote(5))).unwrap(), None);
        assert!(Outcome::Repriced.parts(&quote(5), false, Decided::Nothing).is_err(), "somebody has to agree");
        let euros =
            Quote::of(Money::new(5, Currency::parse("EUR").unwrap()), Rates { platform_bps: 0, service_bps: 0 });
        assert!(Outcome::Repriced.parts(&quote(5), false, Decided::Price(euros.unwrap())).is_err());
    }

    #[test]
    fn nobody_finds_two_rows_for_one_case() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(of(row.transition, row.from.first().copied(), row.by[0]).unwrap(), row.outcome);
            let is_twin = |other: &&Row| {
                let meets = |a: &[&str], b: &[&str]| a.is_empty() && b.is_empty() || a.iter().any(|it| b.contains(it));
                other.transition == row.transition
                    && meets(other.from, row.from)
                    && other.by.iter().any(|by| row.by.contains(by))
            };
            assert_eq!(TABLE[at + 1..].iter().find(is_twin).map(|row| row.transition), None);
        }
        assert!(of("offerAccept", Some("EXPIRED"), By::Receiver).is_err());
        assert!(of("offerAccept", None, By::Receiver).is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_made_and_nothing_is_lost(
            minor in 1..=MAX_AMOUNT, is_held: bool, cut in 0..=MAX_AMOUNT, other in 1..=MAX_AMOUNT,
        ) {
            let quote = quote(minor);
            let cut = cut % (minor + 1);
            let fee_back = cut % 2 == 0;
            let split = Split { customer: usd(cut), contractor: usd(minor - cut), platform: usd(0), fee_back };
            for outcome in TABLE.iter().map(|row| row.outcome).chain([SPLIT]) {
                let decided = match outcome {
                    Outcome::Repriced => Decided::Price(super::tests::quote(other)),
                    _ => Decided::Split(split),
                };
                let parts = outcome.parts(&quote, is_held, decided).unwrap();
                prop_assert!(parts.iter().all(|part| part.amount.minor > 0));
                let effect = outcome.effect(&quote, is_held, decided).unwrap();
                let Effect { customer, held, escrow, contractor, platform } = effect;
                let sum: i64 = [customer, held, escrow, contractor, platform].iter().map(|money| money.minor).sum();
                prop_assert_eq!(sum, 0);
            }
        }
    }
}
