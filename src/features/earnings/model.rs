//! What an earning is.

use crate::kernel::id::{BookingId, EarningId, UserId};
use crate::kernel::{Money, Timestamp};

/// What a contractor made with one booking.
#[derive(Clone, Debug)]
pub struct Earning {
    /// Its id.
    pub id: EarningId,
    /// Who earned it.
    pub contractor: UserId,
    /// With which booking.
    pub booking: BookingId,
    /// The price agreed.
    pub gross: Money,
    /// The fee taken out of it.
    pub service_fee: Money,
    /// What was left.
    pub net: Money,
    /// When.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}
