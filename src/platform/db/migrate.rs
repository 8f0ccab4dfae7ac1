//! Brings the tables up to date: the shared migrations and the engine's own, merged by number.

use std::borrow::Cow;

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnection, PgPool};

use super::Engine;
use crate::kernel::{Code, Error, Result};

static SHARED: Migrator = sqlx::migrate!("./migrations");
static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

fn merged(own: &Migrator) -> Migrator {
    let mut all: Vec<_> = SHARED.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    Migrator { migrations: Cow::Owned(all), ..Migrator::DEFAULT }
}

/// Applies what is missing. Instances that start together wait for each other.
pub(super) async fn run(engine: &Engine) -> Result<()> {
    let outcome = match engine {
        Engine::Sqlite { writer, .. } => merged(&SQLITE).run(&mut *writer.take().await?).await,
        Engine::Postgres(leases) => match unhurried(leases.pool()).await {
            Ok(mut connection) => merged(&POSTGRES).run(&mut connection).await,
            Err(error) => Err(error.into()),
        },
    };
    outcome.map_err(|error| match error {
        MigrateError::VersionMissing(version) => Error::new(
            Code::Internal,
            format!("the database is newer than this program (it has migration {version}); start a newer gigwire"),
        ),
        other => Error::internal(format!("migration failed: {other}")),
    })
}

/// A connection of its own, without the time limits of requests: building an index takes as long as it takes, and an
/// instance that starts beside another waits for it.
async fn unhurried(pool: &PgPool) -> sqlx::Result<PgConnection> {
    let limits = [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
    PgConnection::connect_with(&(*pool.connect_options()).clone().options(limits)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_folders_share_the_number_space() {
        for own in [&SQLITE, &POSTGRES] {
            let versions: Vec<_> = merged(own).iter().map(|migration| migration.version).collect();
            let mut unique = versions.clone();
            unique.dedup();
            assert_eq!(versions, unique, "two migrations have one number");
        }
    }
}
