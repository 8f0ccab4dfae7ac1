//! `gigwire migrate`: brings the database up to date and ends. `serve` does the same when it starts.

use super::{Failure, logs, make_data_dir, print};
use crate::platform::config::Config;
use crate::platform::db::Db;

/// Applies the migrations that are missing.
pub async fn run(config: Config) -> Result<(), Failure> {
    logs::to_stderr(&config);
    make_data_dir(&config)?;
    let db = Db::open(&config.database_url(), 1).await?;
    db.migrate().await?;
    db.close().await;
    print(&format!("The {} database is up to date.\n", db.name()))
}
