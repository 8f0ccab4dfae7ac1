//! The facts that profiles state.

use crate::kernel::id::UserId;
use crate::platform::streams::Draft;

/// What they are about. No subscription shows them alone; `eventAppended` shows them with all others.
pub const NOUN: &str = "profile";
/// The user's own profile changed.
pub const CHANGED: &str = "ProfileChanged";

/// The user changed its profile: told to its other devices.
pub fn changed(user: UserId, version: i64) -> Draft {
    Draft::new(NOUN, CHANGED, user, version).to([user])
}
