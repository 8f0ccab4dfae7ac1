//! Alerts in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::scalars::DateTime;
use crate::features::alerts as feature;

/// Something that staff must hear of. There is one for each cause until it is dismissed. Alerts about money are for
/// administrators alone.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Moderator))]
pub struct AdminAlert {
    /// The id.
    #[graphql(directive = auth::apply(Access::Public))]
    pub id: ID,
    /// What happened.
    pub kind: AdminAlertKind,
    /// How loud it is.
    pub level: AdminAlertLevel,
    /// One line, for people.
    pub title: String,
    /// One sentence, for people.
    pub body: String,
    /// How often it was raised.
    pub occurrences: i32,
    /// When it was raised for the last time.
    pub last_raised_at: DateTime,
    /// When it was dismissed; null as long as it is on the list.
    pub dismissed_at: Option<DateTime>,
    /// When it was raised first.
    pub created_at: DateTime,
    /// Changed last: raised again, or dismissed.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole alert, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Alert>,
}

impl From<Arc<feature::Alert>> for AdminAlert {
    fn from(row: Arc<feature::Alert>) -> Self {
        AdminAlert {
            id: row.id.into(),
            kind: row.kind.into(),
            level: row.kind.level().into(),
            title: row.kind.title().to_owned(),
            body: row.body.clone(),
            occurrences: super::int(row.occurrences),
            last_raised_at: DateTime(row.last_raised_at),
            dismissed_at: row.dismissed_at.map(DateTime),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of alerts, newest first.
    AdminAlertConnection, AdminAlertEdge, AdminAlert, Access::Moderator
}

/// What alerts there are.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Kind")]
pub enum AdminAlertKind {
    /// The nightly proof of the ledger found something. About money.
    LedgerMismatch,
    /// Payouts are frozen. About money.
    PayoutsFrozen,
    /// A refresh token was used twice: somebody had a copy. Its session was ended.
    SessionStolen,
    /// Several letters of the last hour were given up.
    LettersFailing,
    /// A background task was given up after its last attempt.
    TaskGivenUp,
    /// A dispute waits for a decision. Dismissed by itself when the dispute ends.
    DisputeEscalated,
}

/// How loud an alert is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Level")]
pub enum AdminAlertLevel {
    /// Somebody should look at it.
    Info,
    /// Something needs attention soon.
    Warning,
    /// Something is broken.
    Error,
}

/// Which alerts are wanted.
#[derive(Default, InputObject)]
pub struct AdminAlertFilter {
    /// Only of these kinds; of all when absent or empty.
    pub kinds: Option<Vec<AdminAlertKind>>,
    /// Only dismissed ones (true), or only those that are not (false).
    pub is_dismissed: Option<bool>,
}

impl From<AdminAlertFilter> for feature::Filter {
    fn from(filter: AdminAlertFilter) -> Self {
        let kinds = filter.kinds.into_iter().flatten().map(Into::into).collect();
        feature::Filter { kinds, is_dismissed: filter.is_dismissed }
    }
}

/// What is to leave the list.
#[derive(InputObject)]
pub struct AdminAlertDismissInput {
    /// The alert.
    pub alert_id: ID,
}

/// What left the list.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Moderator))]
pub struct AdminAlertDismissPayload {
    /// The alert.
    pub alert: Option<AdminAlert>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<AdminAlertError>,
}
payload!(AdminAlertDismissPayload, AdminAlertError);

user_error! {
    /// Why something about an alert was refused.
    AdminAlertError, AdminAlertErrorCode {
        /// There is no such alert for you.
        NotFound,
    }
}

event_object! {
    /// Staff must hear of something: for the first time, or again after a minute at least.
    AdminAlertRaised, Access::SignedIn
}
event_object! {
    /// An alert is off the list, for all staff: somebody dismissed it, or its cause has ended.
    AdminAlertDismissed, Access::SignedIn
}

event_interface! {
    /// What happens to the alerts that the viewer may see.
    AdminAlertEvent, Access::SignedIn, {
        /// Staff must hear of something.
        Raised(AdminAlertRaised),
        /// An alert is off the list.
        Dismissed(AdminAlertDismissed),
    }
}
