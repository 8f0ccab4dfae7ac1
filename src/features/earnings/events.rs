//! The facts that earnings state.

use super::Earning;
use crate::platform::streams::Draft;

/// The subscription that shows them.
pub const NOUN: &str = "earning";
/// Something was earned.
pub const CREATED: &str = "EarningCreated";

/// Something was earned.
pub fn created(earning: &Earning) -> Draft {
    Draft::new(NOUN, CREATED, earning.id, earning.version).to([earning.contractor])
}
