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

/// So many times more is allowed on a developer's machine, where one person plays all users.
const DEVELOPMENT_FACTOR: u32 = 100;

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The profile and where things are kept.
    pub app: App,
    /// Where to listen.
    pub server: Server,
    /// Sockets and what they subscribe to.
    pub live: Live,
    /// The database.
    pub database: Database,
    /// The bus between instances.
    pub redis: Redis,
    /// Who is online.
    pub presence: Presence,
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
    /// Bookings.
    pub bookings: Bookings,
    /// Disputes.
    pub disputes: Disputes,
    /// Reviews.
    pub reviews: Reviews,
    /// Streams of events.
    pub streams: Streams,
    /// Where uploaded files are kept.
    pub storage: Storage,
    /// Mail.
    pub mail: Mail,
    /// One-time codes.
    pub codes: Codes,
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
    /// Where clients reach this server, without a slash at the end; empty for the host that each request names.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Who shows it may read `/metrics`; without one, only this machine may.
    pub metrics_token: Secret,
    /// Seconds over which sockets are closed when the program stops.
    pub drain_seconds: u64,
}

/// Sockets and what they subscribe to. All numbers are per instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Operations that one socket may have open.
    pub operations_per_socket: u32,
    /// Operations of one socket that run at once.
    pub executions_per_socket: u16,
    /// Bytes of the live operations of one socket.
    pub document_bytes_per_socket: u32,
    /// Sockets and feeds of one user.
    pub connections_per_user: u32,
    /// Sockets and feeds of one address while nobody is signed in.
    pub connections_per_address: u32,
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

/// Who is online.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// Seconds that a user stays online after its last connection.
    pub grace_seconds: i64,
    /// Seconds without a sign of life after which an instance counts as dead.
    pub gone_after_seconds: i64,
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
    /// Days ahead that work may be agreed for.
    pub horizon_days: i64,
}

/// Bookings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bookings {
    /// Days until a delivered booking is completed by itself.
    pub complete_after_days: i64,
    /// Days until a booking that nobody moves on is given up.
    pub lapse_after_days: i64,
    /// Days that the price of a completed booking stays in escrow.
    pub release_delay_days: i64,
    /// Days that a proposed change can be agreed to.
    pub change_days: i64,
}

/// Disputes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disputes {
    /// Days that the other party has before a dispute goes to staff.
    pub answer_days: i64,
    /// Days that a proposal can be accepted.
    pub proposal_days: i64,
    /// Days that a dispute is open at most.
    pub open_days: i64,
}

/// Reviews.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// Days until a review without a counterpart is published.
    pub blind_days: i64,
}

/// Streams of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streams {
    /// Days that an event is kept.
    pub keep_days: i64,
    /// Events that one stream keeps.
    pub keep_events: i64,
}

/// Where uploaded files are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Bytes of one file at most; the purpose of an upload may allow less.
    pub max_file_size: u64,
    /// In front of the keys of public files instead of this server's own address; empty for none.
    pub public_base_url: String,
    /// The bucket of an S3-compatible store; empty for a folder.
    pub bucket: String,
    /// The address of the store; empty for Amazon's.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Names the bucket in the path of addresses instead of the host.
    pub path_style: bool,
    /// Who signs.
    pub access_key: Secret,
    /// What it signs with.
    pub secret_key: Secret,
}

/// How letters leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailDriver {
    /// Through a mail server if one is named, else into files.
    Auto,
    /// Through a mail server.
    Smtp,
    /// Not at all: each is a file in the data folder.
    File,
    /// Not at all: the log says that there was one.
    Log,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// Begins in clear text and must change to TLS before anything is said.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Clear text.
    None,
}

/// Mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The way that letters take.
    pub driver: MailDriver,
    /// Who they come from.
    pub from: String,
    /// The mail server, or empty.
    pub smtp_host: String,
    /// Its port.
    pub smtp_port: u16,
    /// Who signs in there; nobody when empty.
    pub smtp_user: String,
    /// The password.
    pub smtp_pass: Secret,
    /// How the connection is protected.
    pub smtp_tls: MailTls,
    /// The language of letters when none is asked for.
    pub language: String,
    /// A folder of letters that replace the built-in ones, or empty.
    pub templates_dir: PathBuf,
}

impl Mail {
    /// The driver in use: never `Auto`.
    pub fn driver(&self) -> MailDriver {
        match self.driver {
            MailDriver::Auto if self.smtp_host.is_empty() => MailDriver::File,
            MailDriver::Auto => MailDriver::Smtp,
            named => named,
        }
    }
}

/// One-time codes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Digits of a code, 4 to 8.
    pub digits: i64,
    /// Minutes that a code is good, at most 15.
    pub minutes: i64,
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

    /// A limit that is meant for strangers: a developer's machine allows 100 times as much.
    pub fn widened(&self, limit: u32) -> u32 {
        if self.is_development() { limit.saturating_mul(DEVELOPMENT_FACTOR) } else { limit }
    }

    /// Whether this is a developer's machine.
    pub fn is_development(&self) -> bool {
        self.app.env == Profile::Development
    }
}
