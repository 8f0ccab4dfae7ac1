//! What an announcement is.

use crate::kernel::id::{AnnouncementId, UserId};
use crate::kernel::{Result, Timestamp, text};

/// How loud it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something went well.
    Success,
    /// Something needs attention.
    Warning,
    /// Something is broken.
    Error,
}

impl Level {
    const ALL: [Level; 4] = [Level::Info, Level::Success, Level::Warning, Level::Error];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Success => "SUCCESS",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Something told to everyone.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// Its id.
    pub id: AnnouncementId,
    /// One line.
    pub title: String,
    /// The whole text.
    pub body: String,
    /// How loud it is.
    pub level: Level,
    /// Who published it.
    pub published_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// What a new announcement needs, checked.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// One line.
    pub title: String,
    /// The whole text.
    pub body: String,
    /// How loud it is.
    pub level: Level,
}

impl NewAnnouncement {
    /// Checks what staff typed.
    pub fn new(title: &str, body: &str, level: Level) -> Result<Self> {
        Ok(NewAnnouncement {
            title: text::line(title, text::TITLE_MAX).map_err(|error| error.at("title"))?,
            body: text::paragraphs(body, text::DESCRIPTION_MAX).map_err(|error| error.at("body"))?,
            level,
        })
    }
}
