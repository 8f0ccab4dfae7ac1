//! What an alert is, and the table of their kinds.

use uuid::Uuid;

use crate::kernel::clock::{DAY, MINUTE};
use crate::kernel::id::{AlertId, TypedId, UserId, encode};
use crate::kernel::page::Cursor;
use crate::kernel::{Role, Roles, Timestamp};

/// Staff are told of the same alert again not before so many milliseconds.
pub const TOLD_AGAIN_MS: i64 = MINUTE;
/// So many letters that fail within [`LETTERS_WITHIN_MS`] are an alert.
pub const LETTERS_MAX: i64 = 5;
/// The time in which failed letters are counted.
pub const LETTERS_WITHIN_MS: i64 = 60 * MINUTE;

/// Dismissed alerts are kept for so long.
pub const DISMISSED_KEPT_MS: i64 = 90 * DAY;

/// How loud an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Somebody should look at it.
    Info,
    /// Something needs attention soon.
    Warning,
    /// Something is broken.
    Error,
}

/// What alerts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The proof of the ledger found something.
    LedgerMismatch,
    /// Payouts are frozen.
    PayoutsFrozen,
    /// A refresh token was used twice.
    SessionStolen,
    /// Letters do not leave.
    LettersFailing,
    /// A task was given up.
    TaskGivenUp,
    /// A dispute waits for a decision.
    DisputeEscalated,
}

/// What is known of a kind.
struct About {
    kind: Kind,
    name: &'static str,
    level: Level,
    title: &'static str,
    is_money: bool,
}

/// All kinds.
const KINDS: [About; 6] = [
    About {
        kind: Kind::LedgerMismatch,
        name: "LEDGER_MISMATCH",
        level: Level::Error,
        title: "The books are not in order",
        is_money: true,
    },
    About {
        kind: Kind::PayoutsFrozen,
        name: "PAYOUTS_FROZEN",
        level: Level::Error,
        title: "Payouts are frozen",
        is_money: true,
    },
    About {
        kind: Kind::SessionStolen,
        name: "SESSION_STOLEN",
        level: Level::Warning,
        title: "Somebody used a copy of a refresh token",
        is_money: false,
    },
    About {
        kind: Kind::LettersFailing,
        name: "LETTERS_FAILING",
        level: Level::Error,
        title: "Letters do not leave",
        is_money: false,
    },
    About {
        kind: Kind::TaskGivenUp,
        name: "TASK_GIVEN_UP",
        level: Level::Error,
        title: "A task was given up",
        is_money: false,
    },
    About {
        kind: Kind::DisputeEscalated,
        name: "DISPUTE_ESCALATED",
        level: Level::Info,
        title: "A dispute waits for a decision",
        is_money: false,
    },
];

impl Kind {
    const fn about(self) -> &'static About {
        &KINDS[self as usize]
    }

    /// The stored name.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|about| about.name == name).map(|about| about.kind)
    }

    /// How loud it is.
    pub const fn level(self) -> Level {
        self.about().level
    }

    /// One line, for people.
    pub const fn title(self) -> &'static str {
        self.about().title
    }

    /// Whether it is about money: for administrators alone.
    pub const fn is_money(self) -> bool {
        self.about().is_money
    }

    /// Whether somebody with these roles may see it.
    pub const fn is_for(self, roles: Roles) -> bool {
        roles.has(Role::Admin) || roles.is_staff() && !self.is_money()
    }

    /// All kinds that somebody with these roles may see.
    pub fn all_for(roles: Roles) -> Vec<Self> {
        KINDS.iter().map(|about| about.kind).filter(|kind| kind.is_for(roles)).collect()
    }
}

/// An alert to be raised.
#[derive(Clone, Debug)]
pub struct NewAlert {
    pub(super) kind: Kind,
    pub(super) cause: String,
    pub(super) body: String,
    pub(super) subject: Option<Subject>,
}

impl NewAlert {
    /// An alert of a kind. What has the same `cause` is one alert; `body` is a sentence, without what users wrote.
    pub fn new(kind: Kind, cause: impl Into<String>, body: impl Into<String>) -> Self {
        NewAlert { kind, cause: cause.into(), body: body.into(), subject: None }
    }

    /// Names the object that it is about.
    pub fn about<T: TypedId>(mut self, subject: T) -> Self {
        self.subject = Some(Subject { kind: T::PREFIX.to_owned(), id: subject.uuid() });
        self
    }
}

/// What an alert is about: any object with an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The word of its id, such as `dispute`.
    pub kind: String,
    /// Its bare id.
    pub id: Uuid,
}

impl Subject {
    /// The id as clients know it.
    pub fn public_id(&self) -> String {
        encode(&self.kind, self.id)
    }
}

/// Something that staff must hear of.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What happened.
    pub kind: Kind,
    /// One sentence, for people.
    pub body: String,
    /// What it is about.
    pub subject: Option<Subject>,
    /// How often it was raised.
    pub occurrences: i64,
    /// When it was raised for the last time.
    pub last_raised_at: Timestamp,
    /// When staff were told of it for the last time.
    pub told_at: Timestamp,
    /// When it was dismissed.
    pub dismissed_at: Option<Timestamp>,
    /// By whom; nobody where its cause ended by itself.
    pub dismissed_by: Option<UserId>,
    /// When it was raised first.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Alert {
    /// Its place in a list, newest first.
    pub fn place(&self) -> Cursor {
        Cursor { key: self.created_at.0, id: self.id.uuid() }
    }
}

/// Which alerts are wanted.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only of these kinds.
    pub kinds: Vec<Kind>,
    /// Only dismissed ones, or only those that are not.
    pub is_dismissed: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (place, about) in KINDS.iter().enumerate() {
            assert_eq!(about.kind as usize, place);
            assert_eq!(Kind::parse(about.name), Some(about.kind));
        }
    }

    #[test]
    fn money_is_for_administrators() {
        let (moderator, admin) = (Roles::of(&[Role::Moderator]), Roles::of(&[Role::Admin]));
        assert!(Kind::LedgerMismatch.is_for(admin) && !Kind::LedgerMismatch.is_for(moderator));
        assert!(Kind::TaskGivenUp.is_for(moderator) && !Kind::TaskGivenUp.is_for(Roles::of(&[Role::Customer])));
        assert_eq!((Kind::all_for(admin).len(), Kind::all_for(moderator).len()), (6, 4));
    }
}
