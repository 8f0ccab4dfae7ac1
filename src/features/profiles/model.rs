//! What may be changed of a profile.

use crate::features::accounts::User;
use crate::kernel::id::FileId;
use crate::kernel::{Result, text};

/// Characters of a bio at most.
pub const BIO_MAX: usize = 1_000;

/// A change: what is absent stays, and an inner `None` clears.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The name that everyone sees.
    pub display_name: Option<String>,
    /// What the user says of itself.
    pub bio: Option<Option<String>>,
    /// The picture.
    pub profile_image: Option<Option<FileId>>,
    /// The picture on top.
    pub cover_image: Option<Option<FileId>>,
    /// Whether to hide if the user is online.
    pub hides_presence: Option<bool>,
    /// Only if the account has this version.
    pub expected_version: Option<i64>,
}

impl Change {
    /// Sets the name.
    pub fn with_display_name(mut self, name: &str) -> Result<Self> {
        let name = text::line(name, text::DISPLAY_NAME_MAX).map_err(|error| error.at("displayName"))?;
        self.display_name = Some(name);
        Ok(self)
    }

    /// Sets the text; one that says nothing clears it.
    pub fn with_bio(mut self, bio: &str) -> Result<Self> {
        let bio = text::optional_paragraphs(bio, BIO_MAX).map_err(|error| error.at("bio"))?;
        self.bio = Some(Some(bio).filter(|bio| !bio.is_empty()));
        Ok(self)
    }

    /// The user after the change.
    pub(super) fn apply(&self, user: &User) -> User {
        User {
            display_name: self.display_name.clone().unwrap_or_else(|| user.display_name.clone()),
            bio: self.bio.clone().unwrap_or_else(|| user.bio.clone()),
            profile_image: self.profile_image.unwrap_or(user.profile_image),
            cover_image: self.cover_image.unwrap_or(user.cover_image),
            hides_presence: self.hides_presence.unwrap_or(user.hides_presence),
            ..user.clone()
        }
    }
}
