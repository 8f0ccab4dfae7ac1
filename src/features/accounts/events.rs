//! Accounts state no events in streams; a change of rights is a note on the bus, so that every instance looks again.

use crate::kernel::id::{TypedId, UserId};
use crate::platform::bus::Note;

/// The rights of this user changed.
pub fn rights_changed(user: UserId) -> Note {
    Note::Rights(user.uuid())
}
