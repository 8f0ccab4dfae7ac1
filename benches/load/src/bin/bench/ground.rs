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
}

impl Kind {
    /// Everybody.
    pub const ALL: [Kind; 4] = [Kind::Gigwire, Kind::Socketio, Kind::Apollo, Kind::Mercurius];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Gigwire => "gigwire",
            Kind::Socketio => "socketio",
            Kind::Apollo => "apollo",
            Kind::Mercurius => "mercurius",
        }
    }

    /// Whether it does this at all.
    pub const fn can(self, work: Work) -> bool {
        !matches!((self, work), (Kind::Socketio, Work::Page))
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
    /// The program.
    pub program: Program,
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
            ground.make(&plan.data, data::JOBS).await?;
        }
        let db = ground.connect(&plan.data).await?;
        ground.world = World::read(&db).await?;
        db.close().await;
        Ok(ground)
    }

    /// Makes the rows under a name that is taken only when all of them are there.
    async fn make(&self, name: &str, jobs: usize) -> Outcome<()> {
        let begun = std::time::Instant::now();
        let work = format!("{name}_{}", std::process::id());
        self.execute(format!("create database {work}")).await?;
        let running = self.gigwire(work.clone()).await?;
        data::fill(&running.db, &running.program.http, jobs).await?;
        sqlx::raw_sql("vacuum analyze").execute(&running.db).await?;
        running.db.close().await;
        running.program.end().await?;
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
        let name = self.name();
        self.execute(format!("create database {name} template {}", self.plan.data)).await?;
        // What is written from now on pays for itself, not for the copy.
        self.execute("checkpoint".to_owned()).await?;
        let running = match kind {
            Kind::Gigwire => self.gigwire(name).await?,
            _ => self.peer(kind, name).await?,
        };
        let pid = running.program.pid();
        eprintln!("{} is process {pid} at {}", kind.name(), running.program.address);
        Ok(running)
    }

    async fn gigwire(&self, name: String) -> Outcome<Running> {
        let folder = self.folder.path().join(&name);
        std::fs::create_dir_all(&folder)?;
        let program = Program::start(&self.plan.binary, &folder, &self.settings(&name)).await?;
        Ok(Running { kind: Kind::Gigwire, program, db: self.connect(&name).await?, name })
    }

    async fn peer(&self, kind: Kind, name: String) -> Outcome<Running> {
        let db = self.connect(&name).await?;
        for file in ["schema.sql", "copy.sql"] {
            let sql = std::fs::read_to_string(self.plan.peers_folder.join(file))?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&db).await?;
        }
        sqlx::raw_sql("vacuum analyze").execute(&db).await?;
        self.execute("checkpoint".to_owned()).await?;
        let address = free_address()?;
        let mut command = Command::new("node");
        command.arg(self.script(kind)).env("NODE_ENV", "production").env("PORT", address.port().to_string()).envs([
            ("DATABASE_URL", self.url(&name).as_str()),
            ("REDIS_URL", &self.plan.redis),
            ("REDIS_PREFIX", &name),
            ("JWT_SECRET", SECRET),
        ]);
        let program = Program::launch(command, address, &self.folder.path().join(&name), None).await?;
        Ok(Running { kind, program, db, name })
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
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.plan.set.iter().cloned()).collect()
    }

    /// Ends a server and throws its copy away.
    pub async fn end(&self, running: Running) -> Outcome<()> {
        running.db.close().await;
        running.program.end().await?;
        self.drop(&running.name).await
    }

    fn name(&self) -> String {
        format!("{}_{}_{}", self.plan.data, std::process::id(), self.number.fetch_add(1, Ordering::Relaxed))
    }

    fn url(&self, name: &str) -> String {
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
    /// Where its sockets are.
    pub fn target(&self) -> Target {
        let address = self.program.address;
        match self.kind {
            Kind::Socketio => Target { address, path: load::engine::PATH, protocol: "" },
            _ => Target { address, path: "/graphql", protocol: "graphql-transport-ws" },
        }
    }
}
