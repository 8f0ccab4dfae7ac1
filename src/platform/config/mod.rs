//! Settings: flag, then environment, then file, then the documented default in `default.toml`.
//!
//! To add one: a line with its explanation and unit in `default.toml`, a field in its group here, and, if it has a name in
//! the environment, a line in `load.rs`. A key that no group knows is an error.

mod check;
pub mod load;

use std::path::PathBuf;

use serde::Deserialize;

pub use check::SECRET_MIN;
pub use load::{Loaded, Problems, Sources, load};

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The profile and where things are kept.
    pub app: App,
    /// Where to listen.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The bus between instances.
    pub redis: Redis,
    /// Tokens and their secrets.
    pub tokens: Tokens,
    /// Which web pages may call.
    pub cors: Cors,
    /// Fees and money.
    pub money: MoneyRules,
    /// Jobs.
    pub jobs: Jobs,
    /// Offers.
    pub offers: Offers,
    /// Reviews.
    pub reviews: Reviews,
}

/// How strict the program is with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// On a developer's machine: secrets are made up, limits are wide, the sandbox pays.
    Development,
    /// In front of people: unsafe settings are refused.
    Production,
}

/// The profile and where things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `development` or `production`.
    pub env: Profile,
    /// The folder of the embedded database and of captured mails.
    pub data_dir: PathBuf,
}

/// Where to listen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address to bind.
    pub host: std::net::IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Seconds over which sockets are closed when the program stops.
    pub drain_seconds: u64,
}

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://..`, `sqlite:path`, or empty for SQLite in the data folder.
    pub url: Secret,
    /// Connections to PostgreSQL at most.
    pub connections: u32,
}

/// The bus between instances.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://..`, or empty for a bus inside the process.
    pub url: Secret,
    /// In front of every key and channel.
    pub prefix: String,
}

/// Tokens and their secrets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Signs access tokens. Empty: made up once and kept in the database (development only).
    pub access_secret: Secret,
    /// The access secret before the last rotation: still accepted, never used for signing.
    pub access_secret_previous: Secret,
    /// Derives refresh tokens. Empty: as above.
    pub refresh_secret: Secret,
    /// Minutes that an access token lives, 15 to 30.
    pub access_minutes: i64,
    /// Days that a sign-in lives without being refreshed.
    pub refresh_days: i64,
}

/// Which web pages may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins such as `https://app.example.org`; the server's own is always allowed.
    pub allowed_origins: Vec<String>,
}

/// Fees and money.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyRules {
    /// The currency that is meant when none is named.
    pub default_currency: String,
    /// Basis points on top of the budget, paid by the customer.
    pub platform_bps: i64,
    /// Basis points inside the budget, paid by the contractor.
    pub service_bps: i64,
    /// Allows the sandbox provider in production.
    pub allow_sandbox: bool,
}

/// Jobs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Days until an open job expires.
    pub expire_after_days: i64,
}

/// Offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offers {
    /// Days until a pending offer expires.
    pub expire_after_days: i64,
    /// Pending offers that one job may have.
    pub pending_per_job: i64,
    /// Counters in a row, from the first offer on.
    pub counter_rounds: i64,
}

/// Reviews.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// Days until a review without a counterpart is published.
    pub blind_days: i64,
}

/// A text that is never shown: `Debug` hides it.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether anything was set.
    pub fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_set() { "(hidden)" } else { "(not set)" })
    }
}

impl Config {
    /// The database's address: what is set, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        if self.database.url.is_set() {
            return self.database.url.reveal().to_owned();
        }
        format!("sqlite:{}", self.app.data_dir.join("gigwire.db").display())
    }

    /// Whether this is a developer's machine.
    pub fn is_development(&self) -> bool {
        self.app.env == Profile::Development
    }
}
