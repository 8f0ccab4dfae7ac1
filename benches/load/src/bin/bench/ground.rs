//! A server of one kind over a fresh copy of the rows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use load::Outcome;
use load::program::{Program, free_address};
use load::socket::Target;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::data::{self, Account, SECRET, World};
use crate::{Plan, Work};

/// gigwire is measured as it runs in production, with the quotas that a person has there. No letter is ever sent.
const PRODUCTION: [(&str, &str); 7] = [
    ("APP_ENV", "production"),
    ("REFRESH_SECRET", "another secret that only this bench knows and needs"),
    ("CORS_ORIGIN", "https://bench.example.org"),
    ("SMTP_HOST", "127.0.0.1"),
    ("SMTP_TLS", "none"),
    ("MAIL_FROM", "Bench <bench@example.org>"),
    ("ALLOW_SANDBOX_PAYMENTS", "true"),
];

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// gigwire.
    Gigwire,
    /// Socket.IO.
    Socketio,
    /// Apollo Server with graphql-ws.
    Apollo,
    /// Mercurius on Fastify.
    Mercurius,
    /// The least that could do it: nobody is asked who they are, and nothing is checked.
    Ceiling,
}

impl Kind {
    /// Everybody.
    pub const ALL: [Kind; 5] = [Kind::Gigwire, Kind::Socketio, Kind::Apollo, Kind::Mercurius, Kind::Ceiling];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Gigwire => "gigwire",
            Kind::Socketio => "socketio",
            Kind::Apollo => "apollo",
            Kind::Mercurius => "mercurius",
            Kind::Ceiling => "ceiling",
        }
    }

    /// Whether it does this at all.
    pub const fn can(self, work: Work) -> bool {
        match self {
            Kind::Gigwire => true,
            Kind::Socketio => !matches!(work, Work::Page | Work::Accept),
            Kind::Apollo | Kind::Mercurius => !matches!(work, Work::Accept),
            Kind::Ceiling => matches!(work, Work::Broadcast | Work::Page | Work::Accept),
        }
    }

    /// What it knows somebody by.
    pub fn token(self, account: &Account) -> Outcome<String> {
        if self == Kind::Gigwire { account.token() } else { account.peer_token() }
    }
}

/// The rows, and everything that is needed to start somebody over them.
pub struct Ground {
    plan: Plan,
    folder: TempDir,
    admin: PgPool,
    number: AtomicUsize,
    /// Everybody in the rows.
    pub world: World,
}

/// A server that runs.
pub struct Running {
    /// Who.
    pub kind: Kind,
    /// The program, or several instances of it.
    pub programs: Vec<Program>,
    /// Its database.
    pub db: PgPool,
    name: String,
}

impl Ground {
    /// Finds the rows, or makes them.
    pub async fn lay(plan: &Plan) -> Outcome<Self> {
        let admin = PgPoolOptions::new().max_connections(2).connect(&plan.postgres).await?;
        let mut ground = Ground {
            plan: plan.clone(),
            folder: tempfile::tempdir()?,
            admin,
            number: AtomicUsize::new(0),
            world: World { admin: Account::nobody(), staff: Vec::new(), people: Vec::new(), talks: Vec::new() },
        };
        if plan.fresh {
            ground.drop(&plan.data).await?;
        }
        let is_there = sqlx::query("select from pg_database where datname = $1").bind(&plan.data);
        if is_there.fetch_optional(&ground.admin).await?.is_none() {
            let made = ground.make(&plan.data, plan.jobs).await;
            ground.clean().await?;
            made?;
        }
        let db = ground.connect(&plan.data).await?;
        ground.world = World::read(&db).await?;
        db.close().await;
        Ok(ground)
    }

    /// Makes the rows under a name that is taken only when all of them are there.
    async fn make(&self, name: &str, jobs: usize) -> Outcome<()> {
        let begun = std::time::Instant::now();
        let work = format!("{name}_{}_", std::process::id());
        self.execute(format!("create database {work}")).await?;
        let running = self.start_over(Kind::Gigwire, work.clone(), 1).await?;
        data::fill(&running.db, &running.first().http, jobs).await?;
        sqlx::raw_sql("vacuum analyze").execute(&running.db).await?;
        running.stop().await?;
        self.prove(&work).await?;
        self.execute(format!("alter database {work} rename to {name}")).await?;
        eprintln!("the rows are there after {:.0?}, and the books are in order", begun.elapsed());
        Ok(())
    }

    /// Lets gigwire prove the books of a database.
    pub async fn prove(&self, name: &str) -> Outcome<()> {
        let mut proof = Command::new(&self.plan.binary);
        proof.arg("proof").env_clear().envs(self.settings(name));
        let proof = proof.output().await?;
        if proof.status.success() {
            return Ok(());
        }
        Err(format!("no proof: {}{}", String::from_utf8_lossy(&proof.stdout), String::from_utf8_lossy(&proof.stderr))
            .into())
    }

    /// Starts somebody over a copy of the rows.
    pub async fn start(&self, kind: Kind) -> Outcome<Running> {
        self.start_many(kind, 1).await
    }

    /// The same, several instances of it.
    pub async fn start_many(&self, kind: Kind, instances: usize) -> Outcome<Running> {
        let name = self.name();
        self.execute(format!("create database {name} template {}", self.plan.data)).await?;
        self.start_over(kind, name, instances).await
    }

    /// A copy of the rows, with nobody in front of it.
    pub async fn bare(&self) -> Outcome<Running> {
        let name = self.name();
        self.execute(format!("create database {name} template {}", self.plan.data)).await?;
        self.start_over(Kind::Ceiling, name, 0).await
    }

    /// The same rows with so many open jobs.
    pub async fn longer(&self, jobs: usize) -> Outcome<Self> {
        let data = format!("{}_long", self.plan.data);
        Ground::lay(&Plan { data, jobs, ..self.plan.clone() }).await
    }

    /// Starts somebody over the rows themselves: for work that only reads, where a copy would take long.
    pub async fn start_in_place(&self, kind: Kind) -> Outcome<Running> {
        self.start_over(kind, self.plan.data.clone(), 1).await
    }

    async fn start_over(&self, kind: Kind, name: String, instances: usize) -> Outcome<Running> {
        let db = self.connect(&name).await?;
        if matches!(kind, Kind::Socketio | Kind::Apollo | Kind::Mercurius) {
            self.fill_for_peers(&db).await?;
        }
        // What is written from now on pays for itself, not for the copy.
        self.execute("checkpoint".to_owned()).await?;
        let mut programs = Vec::new();
        for instance in 0..instances {
            let program = match kind {
                Kind::Gigwire => self.gigwire(&name, instance).await?,
                _ => self.other(kind, &name, instance).await?,
            };
            eprintln!("{} is process {} at {}", kind.name(), program.pid(), program.address);
            programs.push(program);
        }
        Ok(Running { kind, programs, db, name })
    }

    async fn fill_for_peers(&self, db: &PgPool) -> Outcome<()> {
        for file in ["schema.sql", "copy.sql"] {
            let sql = std::fs::read_to_string(self.plan.peers_folder.join(file))?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await?;
        }
        sqlx::raw_sql("vacuum analyze").execute(db).await?;
        Ok(())
    }

    async fn gigwire(&self, name: &str, instance: usize) -> Outcome<Program> {
        let folder = self.folder.path().join(format!("{name}_{instance}"));
        std::fs::create_dir_all(&folder)?;
        Program::start(&self.plan.binary, &folder, &self.settings(name)).await
    }

    async fn other(&self, kind: Kind, name: &str, instance: usize) -> Outcome<Program> {
        let address = free_address()?;
        let mut command = match kind {
            Kind::Ceiling => Command::new(std::env::current_exe()?.with_file_name("ceiling")),
            _ => Command::new("node"),
        };
        if kind != Kind::Ceiling {
            command.arg(self.script(kind));
        }
        command.env("NODE_ENV", "production").env("PORT", address.port().to_string()).envs([
            ("DATABASE_URL", self.url(name).as_str()),
            ("REDIS_URL", &self.plan.redis),
            ("REDIS_PREFIX", name),
            ("JWT_SECRET", SECRET),
        ]);
        Program::launch(command, address, &self.folder.path().join(format!("{name}_{instance}.log")), None).await
    }

    fn script(&self, kind: Kind) -> PathBuf {
        self.plan.peers_folder.join(format!("{}.mjs", kind.name()))
    }

    fn settings(&self, name: &str) -> Vec<(String, String)> {
        let url = self.url(name);
        let own = [
            ("DATABASE_URL", url.as_str()),
            ("REDIS_URL", &self.plan.redis),
            ("REDIS_PREFIX", name),
            ("ACCESS_SECRET", SECRET),
        ];
        let own = own.into_iter().chain(PRODUCTION);
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.plan.set.iter().cloned()).collect()
    }

    /// Ends a server and throws its copy away.
    pub async fn end(&self, running: Running) -> Outcome<()> {
        let name = running.name.clone();
        running.stop().await?;
        if name == self.plan.data { Ok(()) } else { self.drop(&name).await }
    }

    fn name(&self) -> String {
        format!("{}_{}_{}", self.plan.data, std::process::id(), self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// Throws away what a run that failed has left.
    pub async fn clean(&self) -> Outcome<()> {
        let begin = format!("{}_{}_", self.plan.data, std::process::id());
        let left = sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)").bind(begin);
        let left: Vec<String> = left.fetch_all(&self.admin).await?;
        for name in left {
            self.drop(&name).await?;
        }
        Ok(())
    }

    /// Where a database is.
    pub fn url(&self, name: &str) -> String {
        let base = self.plan.postgres.rsplit_once('/').map_or(self.plan.postgres.as_str(), |(base, _)| base);
        format!("{base}/{name}")
    }

    async fn connect(&self, name: &str) -> Outcome<PgPool> {
        let options = PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_secs(30));
        Ok(options.connect(&self.url(name)).await?)
    }

    async fn drop(&self, name: &str) -> Outcome<()> {
        self.execute(format!("drop database if exists {name} with (force)")).await
    }

    async fn execute(&self, sql: String) -> Outcome<()> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.admin).await?;
        Ok(())
    }

    /// The address of Redis.
    pub fn redis(&self) -> Outcome<SocketAddr> {
        Ok(self.plan.redis.trim_start_matches("redis://").trim_end_matches('/').parse()?)
    }
}

impl Running {
    /// The name of its database.
    pub fn database(&self) -> &str {
        &self.name
    }

    /// The program, or the first instance of it.
    pub fn first(&self) -> &Program {
        &self.programs[0]
    }

    /// The processor time that its instances have used so far, together.
    pub fn cpu(&self) -> Outcome<Duration> {
        self.programs.iter().map(Program::cpu).sum()
    }

    /// The resident memory of its instances, together.
    pub fn memory(&self) -> Outcome<u64> {
        self.programs.iter().map(|program| Ok(program.usage()?.memory)).sum()
    }

    /// Ends it.
    pub async fn stop(self) -> Outcome<()> {
        self.db.close().await;
        for program in self.programs {
            program.end().await?;
        }
        Ok(())
    }

    /// Where the sockets of an instance are; there may be fewer instances than numbers.
    pub fn target(&self, instance: usize) -> Target {
        let address = self.programs[instance % self.programs.len()].address;
        match self.kind {
            Kind::Socketio => Target { address, path: load::engine::PATH, protocol: "" },
            _ => Target { address, path: "/graphql", protocol: "graphql-transport-ws" },
        }
    }
}
