//! What the database may answer, reduced to what a caller can act on.

use std::fmt;

use crate::kernel::{Code, Error};

/// Why a statement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lost a race (serialisation, deadlock): run the whole transaction again.
    Retry,
    /// The connection broke or none could be had. Run it again, but not if it broke during COMMIT.
    Away,
    /// Waited too long for a lock, or ran too long.
    LockTimeout,
    /// No connection was free in time.
    Busy,
    /// It said nothing for so long that it is not there any more. Whether it did what it was told is unknown.
    Silent,
    /// A unique key or a CHECK refused the row.
    Constraint,
    /// Anything else.
    Other,
}

/// A failed statement.
#[derive(Debug)]
pub struct DbError {
    /// What to do about it.
    pub kind: Kind,
    /// For the log only: may hold SQL.
    pub message: String,
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(db) => match db.code().as_deref() {
                // PostgreSQL: serialization_failure, deadlock_detected.
                Some("40001" | "40P01") => Kind::Retry,
                // PostgreSQL: admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout,
                // transaction_timeout, too_many_connections.
                Some("57P01" | "57P02" | "57P03" | "25P03" | "25P04" | "53300") => Kind::Away,
                // PostgreSQL: lock_not_available, query_canceled by the statement timeout.
                Some("55P03" | "57014") => Kind::LockTimeout,
                // SQLite: SQLITE_BUSY and its SNAPSHOT and RECOVERY forms, SQLITE_LOCKED.
                Some("5" | "261" | "517" | "6") => Kind::Retry,
                _ if db.is_unique_violation() || db.is_check_violation() => Kind::Constraint,
                _ => Kind::Other,
            },
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Kind::Away,
            // Everybody waits already: to wait again would only make the queue longer.
            sqlx::Error::PoolTimedOut => Kind::Busy,
            _ => Kind::Other,
        };
        DbError { kind, message: error.to_string() }
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DbError {}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        let code = match error.kind {
            Kind::Retry | Kind::Away => Code::Contended,
            Kind::LockTimeout | Kind::Busy | Kind::Silent => Code::Unavailable,
            Kind::Constraint | Kind::Other => return Error::internal(error),
        };
        tracing::debug!(cause = %error.message, "the database asks to try again");
        Error::new(code, "The database is busy or away; send the request again.").retry_after(1_000)
    }
}
