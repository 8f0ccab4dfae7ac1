//! The facts that bookings state.

use serde::{Deserialize, Serialize};

use super::{Booking, Status};
use crate::kernel::{Currency, Money, Result};
use crate::platform::streams::{Draft, Step};

/// The subscription that shows them.
pub const NOUN: &str = "booking";
/// A booking was made.
pub const CREATED: &str = "BookingCreated";
/// A booking took a step in its life.
pub const STATUS_CHANGED: &str = "BookingStatusChanged";
/// A booking was given up.
pub const CANCELLED: &str = "BookingCancelled";

/// The price of a completed booking was released, which had been put off.
pub const RELEASED: &str = "BookingReleased";

/// What a cancellation paid back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cancelled {
    /// Who gave up: a party, a timer, or those who ended a dispute.
    pub by: String,
    /// The refund in minor units.
    pub refund_minor: i64,
    /// Its currency.
    pub currency: String,
}

impl Cancelled {
    /// The refund.
    pub fn refund(&self) -> Result<Money> {
        Ok(Money::new(self.refund_minor, Currency::parse(&self.currency)?))
    }
}

/// A booking was made.
pub fn created(booking: &Booking) -> Draft {
    Draft::new(NOUN, CREATED, booking.id, booking.version).to(booking.parties())
}

/// A booking took a step.
pub fn status_changed(booking: &Booking, from: Status) -> Result<Draft> {
    let step = Step::new(from.name(), booking.status.name());
    Draft::new(NOUN, STATUS_CHANGED, booking.id, booking.version).to(booking.parties()).facts(&step)
}

/// The price of a completed booking was released.
pub fn released(booking: &Booking) -> Draft {
    Draft::new(NOUN, RELEASED, booking.id, booking.version).to(booking.parties())
}

/// A booking was given up.
pub fn cancelled(booking: &Booking, by: &str, refund: Money) -> Result<Draft> {
    let facts =
        Cancelled { by: by.to_owned(), refund_minor: refund.minor, currency: refund.currency.code().to_owned() };
    Draft::new(NOUN, CANCELLED, booking.id, booking.version).to(booking.parties()).facts(&facts)
}
