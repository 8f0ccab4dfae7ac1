//! The outside world: one folder per thing, its contract in `mod.rs`, one file per backend.
//!
//! Nothing here knows of jobs or bookings. [`Platform`] holds one of each, opened from the settings; features get it by
//! reference.
//!
//! To add one: a folder whose `mod.rs` is the contract, a file per backend, a field of [`Platform`], and the choice
//! between the backends in [`Platform::open`]. What every backend promises is checked in `tests/it/contract`.

pub mod bus;
pub mod config;
pub mod db;
pub mod files;
pub mod host;
pub mod limits;
mod link;
pub mod mail;
pub mod meta;
pub mod payments;
pub mod presence;
pub mod queue;
pub mod streams;
pub mod work;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::bus::{Bus, MemoryBus, RedisBus};
use self::config::{Config, Secret};
use self::db::Db;
use self::files::{Files, Folder};
use self::limits::{Limiter, LocalLimiter, Millis, RedisLimiter, Rule, WhenDown};
use self::mail::Mail;
use self::payments::{Provider, Sandbox};
use self::presence::Presence;
use self::streams::{Hub, Reader};
use self::work::{Look, Projection, Work};
use crate::kernel::id::Entropy;
use crate::kernel::{Caller, Clock, Ids, Result};

/// Everything outside of the program that features use.
#[derive(Clone)]
pub struct Platform {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The bus between instances.
    pub bus: Arc<dyn Bus>,
    /// The clock.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
    /// Runs units of work.
    pub work: Work,
    /// Streams that somebody watches here.
    pub hub: Hub,
    /// Who is online.
    pub presence: Presence,
    /// Counts how often something is done.
    pub limits: Arc<dyn Limiter>,
    /// Counts what an instance may count for itself, such as signals that repeat each other.
    pub local_limits: Arc<LocalLimiter>,
    /// Keeps files.
    pub files: Arc<dyn Files>,
    /// The same, if they are in a folder of this machine: then this server serves them.
    pub folder: Option<Arc<Folder>>,
    /// Sends letters.
    pub mail: Arc<Mail>,
    /// Collects money.
    pub payments: Arc<dyn Provider>,
    /// The secrets in use.
    pub secrets: Secrets,
    /// Told to stop when the program does.
    pub stop: CancellationToken,
}

/// The secrets in use: set, or made up for this database.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Signs access tokens.
    pub access: Secret,
    /// Derives refresh tokens.
    pub refresh: Secret,
}

impl Platform {
    /// Opens everything that the settings name and brings the database up to date.
    pub async fn open(
        config: Config,
        clock: Clock,
        entropy: Entropy,
        projections: &'static [Projection],
    ) -> Result<Arc<Self>> {
        let ids = Ids::new(clock.clone(), entropy);
        let mail = Arc::new(Mail::open(&config)?);
        let db = Db::open(&config.database_url(), config.database.connections).await?;
        db.migrate().await?;
        let epoch = meta::epoch(&db, &ids).await?;
        let secrets = Secrets {
            access: meta::secret(&db, &ids, "access_secret", &config.tokens.access_secret).await?,
            refresh: meta::secret(&db, &ids, "refresh_secret", &config.tokens.refresh_secret).await?,
        };
        let signing = meta::secret(&db, &ids, "files_secret", &Secret::default()).await?;
        let (files, folder) = files::open(&config, signing);
        let (bus, limits) = shared(&config, &clock, &ids)?;
        let local_limits = Arc::new(LocalLimiter::new(millis(&clock)));
        let hub = Hub::new(Reader::new(db.clone(), epoch));
        let stop = CancellationToken::new();
        let presence = Presence::start(&config, ids.uuid(), bus.clone(), &hub, stop.clone())?;
        let work = Work::new(hub.clone(), bus.clone(), clock.clone(), ids.clone(), projections);
        tokio::spawn(hub.clone().run(bus.clone(), stop.clone()));
        let payments = Arc::new(Sandbox);
        let platform = Platform {
            config,
            db,
            bus,
            clock,
            ids,
            work,
            hub,
            presence,
            limits,
            local_limits,
            files,
            folder,
            mail,
            payments,
            secrets,
            stop,
        };
        Ok(Arc::new(platform))
    }

    /// Counts one use of `key`, and refuses it if it is one too many.
    pub async fn count(&self, key: &str, rule: Rule) -> Result<()> {
        let (burst, per_minute) = (self.config.widened(rule.burst), self.config.widened(rule.per_minute));
        let rule = Rule { burst, per_minute };
        Ok(self.limits.check(key, rule, 1, WhenDown::Local).await?)
    }

    /// A whole address for a client of this server: of `place` if it begins with a slash, else it is whole already.
    pub fn address(&self, caller: &Caller, place: String) -> String {
        if !place.starts_with('/') {
            return place;
        }
        let server = &self.config.server;
        match &caller.base {
            _ if !server.public_url.is_empty() => format!("{}{place}", server.public_url.trim_end_matches('/')),
            Some(base) => format!("{base}{place}"),
            None => format!("http://{}{place}", std::net::SocketAddr::new(server.host, server.port)),
        }
    }

    /// The same platform for a rehearsal: units of work take everything back, after a look at what would be.
    pub fn rehearsing(&self, look: Look) -> Self {
        Platform { work: self.work.rehearsing(look), ..self.clone() }
    }

    /// Whether everything that several instances share can be reached. When not, this one goes on by itself.
    pub fn is_whole(&self) -> bool {
        self.bus.is_connected()
    }

    /// Ends what runs in the background, after the units of work under way, and closes the connections.
    pub async fn close(&self) {
        self.work.drain().await;
        self.stop.cancel();
        self.presence.close().await;
        self.bus.close().await;
        self.db.close().await;
    }
}

/// What instances share: over Redis when there is one, else inside the process.
fn shared(config: &Config, clock: &Clock, ids: &Ids) -> Result<(Arc<dyn Bus>, Arc<dyn Limiter>)> {
    let now = millis(clock);
    if !config.redis.url.is_set() {
        return Ok((Arc::new(MemoryBus::new()), Arc::new(LocalLimiter::new(now))));
    }
    let (url, prefix) = (config.redis.url.reveal(), config.redis.prefix.as_str());
    let bus = RedisBus::start(url, prefix, ids.uuid())?;
    let limits = RedisLimiter::start(url, prefix, ids.uuid(), now)?;
    Ok((Arc::new(bus), Arc::new(limits)))
}

fn millis(clock: &Clock) -> Millis {
    let clock = clock.clone();
    Arc::new(move || clock.now().0)
}
