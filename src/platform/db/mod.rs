//! The database: SQLite or PostgreSQL behind one small query type.
//!
//! A statement is one text for both engines, with `$1`, `$2` .. for its values:
//!
//! ```ignore
//! let job: Option<Job> = q("select * from jobs where id = $1").bind(id).optional(&platform.db).await?;
//! ```
//!
//! [`q2`] takes a text per engine for the few that must differ. What both engines understand alike: `on conflict`,
//! `returning`, row values `(a, b) < ($1, $2)`, `case`, `coalesce`, common table expressions that read. What they do
//! not: `::` casts, `= any`, `ilike`, `greatest`, date functions, JSON operators, updates inside a common table
//! expression. Sums of `bigint` are `numeric` on PostgreSQL: write `cast(sum(..) as bigint)`.
//!
//! Reads outside of a transaction go to a pool of readers, everything that writes to [`Tx`], which only
//! [`work`](crate::platform::work) opens. Several reads that must fit together take a [`Db::snapshot`].
//!
//! To add a table: a numbered file in `migrations/`, a type that implements [`FromRow`], and statements in a feature's
//! `store`. To add a type of column: [`Column`] and [`Value`], for both engines.

mod beside;
mod each;
mod error;
mod forget;
mod lease;
mod many;
mod migrate;
mod pages;
mod query;
mod row;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Executor, Postgres, Sqlite};

pub use beside::by_group;
pub use error::{DbError, Kind};
pub use pages::Order;
pub use query::{On, Query, q, q2};
pub use row::{Column, FromRow, Row};
pub use value::Value;

use self::lease::{Leases, Open};
use crate::kernel::{Code, Error, Result};

/// The oldest SQLite that is safe with a write-ahead log shared by several connections.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);
/// Connections that read at once from SQLite.
const SQLITE_READERS: u32 = 4;
/// How long a statement, a lock or an idle transaction may take on PostgreSQL.
const POSTGRES_TIMEOUTS: [(&str, &str); 3] =
    [("statement_timeout", "30s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "30s")];

/// How long a whole transaction may take on PostgreSQL, where it knows such a limit.
const TRANSACTION_TIMEOUT: &str =
    "select set_config(name, '30s', false) from pg_settings where name = 'transaction_timeout'";

/// How long an answer may take altogether. PostgreSQL itself ends what takes 30 s; one that says nothing beyond that is not
/// there any more, and its connection alone would find that out after a quarter of an hour.
const ANSWER_WITHIN: Duration = Duration::from_secs(35);

/// One of the two engines.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) engine: Engine,
    meter: Meter,
}

#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite { writer: Leases<Sqlite>, readers: Leases<Sqlite> },
    Postgres(Leases<Postgres>),
}

/// Counts round trips to the database, so that tests can hold a command to its budget.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Round trips so far, opening and committing transactions included.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Db {
    /// Opens the database that a URL names: `sqlite:path` or `postgres://..`, and brings its tables up to date.
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        let engine = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url, connections).await?
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            open_sqlite(Path::new(path.trim_start_matches("//"))).await?
        } else {
            let message = "DATABASE_URL must start with postgres:// or sqlite:".to_owned();
            return Err(Error::new(Code::BadUserInput, message));
        };
        Ok(Db { engine, meter: Meter::default() })
    }

    /// The same database with less patience, for a test.
    #[must_use]
    pub fn answering_within(self, answer_within: Duration) -> Self {
        let engine = match self.engine {
            Engine::Postgres(leases) => Engine::Postgres(leases.answering_within(answer_within)),
            sqlite @ Engine::Sqlite { .. } => sqlite,
        };
        Db { engine, ..self }
    }

    /// Applies the migrations that are missing. Refuses a database that is newer than this program.
    pub async fn migrate(&self) -> Result<()> {
        migrate::run(&self.engine).await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        q("select 1").fetch(self).await.map(drop)
    }

    /// Opens a transaction that may write. On SQLite it takes the one writer lane at once.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.meter.tick();
        let inner = match &self.engine {
            Engine::Sqlite { writer, .. } => TxInner::Sqlite(writer.begin("BEGIN IMMEDIATE").await?),
            Engine::Postgres(leases) => TxInner::Postgres(leases.begin("BEGIN").await?),
        };
        Ok(Tx { inner, meter: self.meter.clone() })
    }

    /// Opens a look at the whole database as it is at this instant. It only reads, waits for nobody, and nobody waits
    /// for it.
    pub async fn snapshot(&self) -> Result<Tx, DbError> {
        self.meter.tick();
        let inner = match &self.engine {
            Engine::Sqlite { readers, .. } => TxInner::Sqlite(readers.begin("BEGIN").await?),
            Engine::Postgres(leases) => {
                TxInner::Postgres(leases.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        };
        Ok(Tx { inner, meter: self.meter.clone() })
    }

    /// A [`Db::snapshot`] that may take as long as it takes: for background work over all rows, not for requests.
    pub async fn long_snapshot(&self) -> Result<Tx, DbError> {
        let mut tx = self.snapshot().await?;
        if self.is_postgres() {
            q("select set_config(name, '0', true) from pg_settings
                where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')")
            .fetch(&mut tx)
            .await?;
        }
        Ok(tx)
    }

    /// Whether this is PostgreSQL.
    pub const fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// The engine's name for people.
    pub const fn name(&self) -> &'static str {
        if self.is_postgres() { "PostgreSQL" } else { "SQLite" }
    }

    /// The count of round trips.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Closes all connections, after the statements under way.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(leases) => leases.close().await,
        }
    }
}

async fn open_postgres(url: &str, connections: u32) -> Result<Engine> {
    let options: PgConnectOptions =
        url.parse().map_err(|_| Error::new(Code::BadUserInput, "DATABASE_URL is no valid postgres:// address"))?;
    let options = options.options(POSTGRES_TIMEOUTS).application_name("gigwire").statement_cache_capacity(512);
    // No ping before each use: it would double the round trips. A connection that died meanwhile fails at BEGIN, which
    // the unit of work repeats.
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        // Known since PostgreSQL 17; before that, the unit of work alone keeps its transactions short.
        .after_connect(|connection, _| Box::pin(async move { connection.execute(TRANSACTION_TIMEOUT).await.map(drop) }))
        .connect_with(options)
        .await
        .map_err(DbError::from)?;
    Ok(Engine::Postgres(Leases::new(pool, Some(ANSWER_WITHIN))))
}

async fn open_sqlite(path: &Path) -> Result<Engine> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(512);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .map_err(DbError::from)?;
    let version: String =
        sqlx::query_scalar("select sqlite_version()").fetch_one(&writer).await.map_err(DbError::from)?;
    if !sqlite_is_young_enough(&version) {
        return Err(Error::internal(format!("SQLite {version} is too old; 3.51.3 or newer is needed")));
    }
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .test_before_acquire(false)
        .connect_with(options.read_only(true))
        .await
        .map_err(DbError::from)?;
    Ok(Engine::Sqlite { writer: Leases::new(writer, None), readers: Leases::new(readers, None) })
}

fn sqlite_is_young_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= SQLITE_AT_LEAST
}

/// An open transaction. Dropped without [`Tx::commit`], it rolls back.
pub struct Tx {
    pub(crate) inner: TxInner,
    pub(crate) meter: Meter,
}

pub(crate) enum TxInner {
    Sqlite(Open<Sqlite>),
    Postgres(Open<Postgres>),
}

impl Tx {
    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), DbError> {
        self.meter.tick();
        match self.inner {
            TxInner::Sqlite(tx) => tx.end("COMMIT").await,
            TxInner::Postgres(tx) => tx.end("COMMIT").await,
        }
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<(), DbError> {
        match self.inner {
            TxInner::Sqlite(tx) => tx.end("ROLLBACK").await,
            TxInner::Postgres(tx) => tx.end("ROLLBACK").await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(sqlite_is_young_enough("3.51.3") && sqlite_is_young_enough("3.100.0"));
        assert!(!sqlite_is_young_enough("3.51.2") && !sqlite_is_young_enough("3.9.99"));
    }
}
