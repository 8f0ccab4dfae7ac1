//! gigwire beside its peers: the same work on the same machine, database and rows, and what each needed for it.
//! `scripts/bench` builds everything and runs this.
//!
//! - `data`: the rows, made once as a template database;
//! - `ground`: a server of one kind, started over a fresh copy of them;
//! - `side`: one person's connection, whatever the server speaks;
//! - `meter`: what the server and the database used while something ran;
//! - `chat`, `broadcast`, `page`, `accept`, `rest`, `resume`: the workloads; `growth`: them at several sizes;
//! - `table`, `plot`: what is printed and kept.
//!
//! To add a workload: a file with a `run(&Ground, Kind, ..)`, a member of [`Work`], a line in [`measure`].

mod accept;
mod broadcast;
mod chat;
mod data;
mod ground;
mod growth;
mod meter;
mod page;
mod plot;
mod rest;
mod resume;
mod side;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use load::Outcome;

use self::ground::{Ground, Kind};
use self::meter::Measure;

/// gigwire beside its peers: throughput, latency, processor time and memory of the same work.
#[derive(Parser, Clone)]
struct Plan {
    /// The gigwire to measure.
    #[arg(long)]
    binary: PathBuf,
    /// The folder of the peers.
    #[arg(long, default_value = "benches/peers")]
    peers_folder: PathBuf,
    /// The folder of the ceilings.
    #[arg(long, default_value = "benches/ceilings")]
    ceilings_folder: PathBuf,
    /// A superuser on the maintenance database of PostgreSQL.
    #[arg(long, env = "TEST_POSTGRES_URL")]
    postgres: String,
    /// Redis.
    #[arg(long, env = "TEST_REDIS_URL")]
    redis: String,
    /// Workloads, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Work::ALL)]
    only: Vec<Work>,
    /// Who is measured, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    peers: Vec<Kind>,
    /// Small numbers everywhere: shows that everything works, not what it costs.
    #[arg(long)]
    quick: bool,
    /// The name of the database that keeps the rows; it is made when it is missing.
    #[arg(long, default_value = "bench_data")]
    data: String,
    /// Makes the rows again.
    #[arg(long)]
    fresh: bool,
    /// A setting of gigwire, as NAME=VALUE of its environment; may be repeated.
    #[arg(long, value_parser = load::program::setting)]
    set: Vec<(String, String)>,
    /// The folder where results and pictures go; results of other workloads that are there stay.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Open jobs in the rows.
    #[arg(long, default_value_t = data::JOBS)]
    jobs: usize,
    /// Open jobs in the rows that pages grow to (growth).
    #[arg(long, default_value_t = 1_000_000)]
    many_jobs: usize,
    #[command(flatten)]
    size: Size,
}

/// How much of everything.
#[derive(clap::Args, Clone)]
struct Size {
    /// Pairs of people who talk (chat).
    #[arg(long, default_value_t = 100)]
    pairs: usize,
    /// Messages of each pair, both sides together (chat).
    #[arg(long, default_value_t = 150)]
    messages: usize,
    /// People who listen (broadcast).
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// What they are told (broadcast).
    #[arg(long, default_value_t = 200)]
    announcements: usize,
    /// Connections that ask for pages (page).
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Pages that each asks for (page).
    #[arg(long, default_value_t = 250)]
    pages: usize,
    /// Offers that are accepted (accept).
    #[arg(long, default_value_t = 4_000)]
    deals: usize,
    /// Idle sockets (memory).
    #[arg(long, default_value_t = 8_000)]
    sockets: usize,
    /// Times that a stream is resumed (growth).
    #[arg(long, default_value_t = 400)]
    resumptions: usize,
}

impl Size {
    /// Small numbers for a look whether everything works.
    fn quick(self) -> Self {
        Size {
            pairs: 20,
            messages: 30,
            subscribers: 100,
            announcements: 20,
            connections: 4,
            pages: 25,
            deals: 160,
            sockets: 1_000,
            resumptions: 50,
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Pairs of people talk, each answering the other.
    Chat,
    /// Everybody is told something.
    Broadcast,
    /// The page of a list with its details, over HTTP.
    Page,
    /// Offers are accepted.
    Accept,
    /// Idle sockets.
    Memory,
    /// From the start until ready.
    Start,
    /// All of it at several sizes.
    Growth,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Plan::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut plan: Plan) -> Outcome<()> {
    if plan.quick {
        plan.size = plan.size.quick();
    }
    let ground = Ground::lay(&plan).await?;
    let found = measure_all(&ground, &plan).await;
    ground.clean().await?;
    let found = found?;
    print!("{}", table::markdown(&found));
    match &plan.results {
        Some(folder) => table::keep(folder, &found),
        None => Ok(()),
    }
}

async fn measure_all(ground: &Ground, plan: &Plan) -> Outcome<Vec<Measure>> {
    let mut found = Vec::new();
    for work in &plan.only {
        if *work == Work::Growth {
            growth::run(ground, plan, &mut found).await?;
            continue;
        }
        for kind in plan.peers.iter().filter(|kind| kind.can(*work)) {
            let measure = measure(ground, plan, *work, *kind).await;
            let measure = measure.map_err(|error| format!("{} of {}: {error}", work.name(), kind.name()))?;
            table::say(&measure);
            found.push(measure);
        }
    }
    Ok(found)
}

async fn measure(ground: &Ground, plan: &Plan, work: Work, kind: Kind) -> Outcome<Measure> {
    let size = &plan.size;
    match work {
        Work::Chat => Ok(chat::run(ground, kind, size.pairs, size.messages, 1).await?.of_size(size.pairs)),
        Work::Broadcast => broadcast::run(ground, kind, size.subscribers, size.announcements).await,
        Work::Page => page::run(ground, ground.start(kind).await?, size.connections, size.pages).await,
        Work::Accept => accept::run(ground, kind, size.deals, &plan.ceilings_folder).await,
        Work::Memory => rest::memory(ground, kind, size.sockets).await,
        Work::Start => rest::start(ground, kind).await,
        Work::Growth => Err("this is measured at several sizes only".into()),
    }
}

impl Work {
    /// All that can be asked for.
    const ALL: [Work; 7] =
        [Work::Chat, Work::Broadcast, Work::Page, Work::Accept, Work::Memory, Work::Start, Work::Growth];

    /// Its name.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
