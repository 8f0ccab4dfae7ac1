//! Announcements in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::scalars::DateTime;
use crate::features::announcements as feature;

/// Something told to everyone.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct Announcement {
    /// The id.
    pub id: ID,
    /// One line.
    pub title: String,
    /// The whole text.
    pub body: String,
    /// How loud it is.
    pub level: AnnouncementLevel,
    /// When it was published.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
}

impl From<Arc<feature::Announcement>> for Announcement {
    fn from(row: Arc<feature::Announcement>) -> Self {
        Announcement {
            id: row.id.into(),
            title: row.title.clone(),
            body: row.body.clone(),
            level: row.level.into(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
        }
    }
}

/// How loud an announcement is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Level")]
pub enum AnnouncementLevel {
    /// Good to know.
    Info,
    /// Something went well.
    Success,
    /// Something needs attention.
    Warning,
    /// Something is broken.
    Error,
}

/// What is to be told.
#[derive(InputObject)]
pub struct AnnouncementPublishInput {
    /// One line: 1 to 120 characters.
    pub title: String,
    /// The whole text: 1 to 5000 characters.
    pub body: String,
    /// How loud it is.
    #[graphql(default_with = "AnnouncementLevel::Info")]
    pub level: AnnouncementLevel,
}

/// The new announcement.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Admin))]
pub struct AnnouncementPublishPayload {
    /// The announcement.
    pub announcement: Option<Announcement>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AnnouncementError>,
}
payload!(AnnouncementPublishPayload, AnnouncementError);

user_error! {
    /// Why an announcement was refused.
    AnnouncementError, AnnouncementErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
    }
}

event_object! {
    /// Something was announced.
    AnnouncementAdded, Access::Public
}

event_interface! {
    /// What happens to announcements.
    AnnouncementEvent, Access::Public, {
        /// Something was announced.
        Added(AnnouncementAdded),
    }
}
