//! The command line: one file per command. Without a command it serves.
//!
//! To add one: a variant of `Command` with its description, and a file that runs it.

mod admin;
mod banner;
mod client;
mod config;
mod lives;
mod logs;
mod migrate;
mod proof;
mod schema;
mod serve;
mod work;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::features::PROJECTIONS;
use crate::kernel::{Code, Error};
use crate::platform::config::{self as settings, Config, Loaded, Problems, Sources};
use crate::platform::{Platform, host};

/// How often a database that is away is looked for at start, and the pause between two looks.
const ATTEMPTS: u32 = 30;
/// See [`ATTEMPTS`].
const PAUSE: Duration = Duration::from_secs(1);

/// The backend of a service marketplace: jobs, offers, bookings, live chat and escrow behind one typed GraphQL schema.
#[derive(Debug, Parser)]
#[command(name = "gigwire", version, about)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What can be set on the command line; it wins over the environment and the file.
#[derive(Debug, Args)]
struct Flags {
    /// A file of settings in TOML
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, global = true, value_name = "PORT")]
    port: Option<String>,
    /// The address to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// postgres://user:password@host/name or sqlite:path
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// redis://host
    #[arg(long, global = true, value_name = "URL")]
    redis_url: Option<String>,
    /// The folder of the embedded database
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Run background tasks only, beside serving processes
    Work,
    /// Print the schema in SDL
    Schema,
    /// Draw what can happen to jobs, offers and bookings
    Lives {
        /// Only this one: job, offer or booking
        noun: Option<String>,
        /// As Mermaid state diagrams
        #[arg(long)]
        mermaid: bool,
    },
    /// Print the settings in use, secrets hidden
    Config,
    /// Bring the database up to date
    Migrate,
    /// Prove the books; the exit status is 1 when they are not in order
    Proof(proof::Arguments),
    /// Try a running server, by hand or in scripts
    Client(client::Arguments),
    /// Accounts of staff
    #[command(subcommand)]
    Admin(admin::Admin),
}

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    /// The settings cannot be used.
    Settings(Problems),
    /// Something else.
    Other(Error),
    /// A failure with an exit status of its own.
    Status(String, u8),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Failure::Settings(problems)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Other(Error::internal(error))
    }
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let Cli { flags, command } = Cli::parse();
    let outcome = match command {
        Some(Command::Schema) => schema::run(),
        Some(Command::Lives { noun, mermaid }) => lives::run(noun.as_deref(), mermaid),
        Some(Command::Config) => flags.load().and_then(|loaded| config::run(&loaded)),
        Some(Command::Migrate) => flags.load().and_then(|loaded| block_on(migrate::run(loaded.config))),
        Some(Command::Admin(command)) => flags.load().and_then(|loaded| block_on(admin::run(loaded.config, command))),
        Some(Command::Proof(how)) => flags.load().and_then(|loaded| block_on(proof::run(loaded.config, how))),
        Some(Command::Client(how)) => block_on(client::run(how)),
        Some(Command::Work) => flags.load().and_then(|loaded| block_on(work::run(loaded.config))),
        None | Some(Command::Serve) => flags.load().and_then(|loaded| block_on(serve::run(loaded.config))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(problems)) => {
            eprintln!("gigwire: {problems}");
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) => {
            eprintln!("gigwire: {}", error.message);
            ExitCode::FAILURE
        }
        Err(Failure::Status(text, status)) => {
            eprintln!("gigwire: {text}");
            ExitCode::from(status)
        }
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

impl Flags {
    fn load(self) -> Result<Loaded, Failure> {
        let given = [
            ("--port", self.port),
            ("--host", self.host),
            ("--database-url", self.database_url),
            ("--redis-url", self.redis_url),
            ("--data-dir", self.data_dir),
        ];
        let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let sources = Sources {
            file: self.config,
            environment: std::env::vars_os().filter_map(readable).collect(),
            flags: given.into_iter().filter_map(|(flag, value)| Some((flag, value?))).collect(),
        };
        Ok(settings::load(&sources)?)
    }
}

/// Writes what a command is asked for. Whoever reads it may stop before the end.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A setting that is no part of [`Config`], since it is used once.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Opens the platform. A database that is away may still be starting, so it is looked for again.
async fn open(config: Config) -> Result<Arc<Platform>, Error> {
    make_data_dir(&config)?;
    let mut attempt = 1;
    loop {
        match Platform::open(config.clone(), host::clock(), host::entropy(), PROJECTIONS).await {
            Err(error) if error.code == Code::Contended && attempt < ATTEMPTS => {
                tracing::warn!(attempt, "the database is away; trying again");
                tokio::time::sleep(PAUSE).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// The folder of the embedded database, unless another database is named.
fn make_data_dir(config: &Config) -> Result<(), Error> {
    let folder = &config.app.data_dir;
    if config.database.url.is_set() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    // The database holds everything, in development also the secrets: the folder is its owner's alone.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(folder)
        .map_err(|error| Error::internal(format!("the folder {} cannot be made: {error}", folder.display())))
}
