//! The facts that announcements state.

use super::Announcement;
use crate::platform::streams::{Draft, StreamName};

/// The subscription that shows them.
pub const NOUN: &str = "announcement";
/// Something was announced.
pub const ADDED: &str = "AnnouncementAdded";

/// Something was announced, to everyone.
pub fn added(announcement: &Announcement) -> Draft {
    Draft::new(NOUN, ADDED, announcement.id, announcement.version).to_topic(StreamName::announcements())
}
