//! Sockets by the thousand against a running gigwire. `scripts/siege` builds both and runs this.
//!
//! - `stage`: the program that is measured, with its people and its publisher;
//! - `idle`, `cut`, `slow`, `vanish`: the parts, each on a fresh start of the program over the same data.
//!
//! To add a part: a file with a `run(&Stage, &Plan, &mut Report)`, a member of `Part`, a line in `main`.

mod cut;
mod idle;
mod slow;
mod stage;
mod vanish;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use self::stage::Stage;
use load::Outcome;
use load::report::Report;

/// Sockets by the thousand: what they cost, and what is left when they are gone.
#[derive(Parser)]
pub struct Plan {
    /// The program to measure.
    #[arg(long)]
    binary: PathBuf,
    /// Parts to run, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Idle, Part::Many, Part::Cut, Part::Slow, Part::Vanish])]
    parts: Vec<Part>,
    /// Decides whatever is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Signed-in people with a socket each (idle).
    #[arg(long, default_value_t = 8_000)]
    people: usize,
    /// Subscribers that are cut (cut).
    #[arg(long, default_value_t = 2_000)]
    subscribers: usize,
    /// Readers that stop (slow).
    #[arg(long, default_value_t = 500)]
    stopped: usize,
    /// Clients that vanish (vanish).
    #[arg(long, default_value_t = 20_000)]
    vanishing: usize,
    /// Keeps accounts and data here for the next run, instead of in a folder that goes away.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// A setting of the program, as NAME=VALUE of its environment; may be repeated.
    #[arg(long, value_parser = load::program::setting)]
    set: Vec<(String, String)>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Memory of an idle socket with one subscription.
    Idle,
    /// Memory of ten subscriptions on one socket.
    Many,
    /// All subscribers are cut at once and come back.
    Cut,
    /// Readers stop reading under load.
    Slow,
    /// Clients vanish at every stage.
    Vanish,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Plan::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sockets: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(plan: Plan) -> Outcome<bool> {
    let stage = Stage::set(&plan).await?;
    let has = |name: &str| plan.set.iter().any(|(set, _)| set == name);
    let place = if has("DATABASE_URL") { "PostgreSQL and Redis" } else { "SQLite" };
    let mut report = Report::begin(&format!("{place}, seed {}", plan.seed));
    for part in &plan.parts {
        match part {
            Part::Idle => idle::run(&stage, &plan, &mut report).await?,
            Part::Many => idle::many(&stage, &plan, &mut report).await?,
            Part::Cut => cut::run(&stage, &plan, &mut report).await?,
            Part::Slow => slow::run(&stage, &plan, &mut report).await?,
            Part::Vanish => vanish::run(&stage, &plan, &mut report).await?,
        }
    }
    Ok(report.is_good())
}
