//! The facts that offers state.

use serde::{Deserialize, Serialize};

use super::{Offer, Status};
use crate::kernel::Result;
use crate::platform::streams::Draft;

/// The subscription that shows them.
pub const NOUN: &str = "offer";
/// An offer was made.
pub const SENT: &str = "OfferSent";
/// An offer took a step in its life.
pub const STATUS_CHANGED: &str = "OfferStatusChanged";

/// A step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Where it stood.
    pub from: String,
    /// Where it stands.
    pub to: String,
}

/// An offer was made; both sides hear of it.
pub fn sent(offer: &Offer) -> Draft {
    Draft::new(NOUN, SENT, offer.id, offer.version).to(offer.parties())
}

/// An offer ended; both sides hear of it.
pub fn ended(offer: &Offer) -> Result<Draft> {
    let step = Step { from: Status::Pending.name().to_owned(), to: offer.status.name().to_owned() };
    Draft::new(NOUN, STATUS_CHANGED, offer.id, offer.version).to(offer.parties()).facts(&step)
}
