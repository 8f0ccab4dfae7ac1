//! The facts that offers state.

use super::{Offer, Status};
use crate::kernel::Result;
use crate::platform::streams::{Draft, Step};

/// The subscription that shows them.
pub const NOUN: &str = "offer";
/// An offer was made.
pub const SENT: &str = "OfferSent";
/// An offer took a step in its life.
pub const STATUS_CHANGED: &str = "OfferStatusChanged";

/// An offer was made; both sides hear of it.
pub fn sent(offer: &Offer) -> Draft {
    Draft::new(NOUN, SENT, offer.id, offer.version).to(offer.parties())
}

/// An offer ended; both sides hear of it.
pub fn ended(offer: &Offer) -> Result<Draft> {
    let step = Step::new(Status::Pending.name(), offer.status.name());
    Draft::new(NOUN, STATUS_CHANGED, offer.id, offer.version).to(offer.parties()).facts(&step)
}
