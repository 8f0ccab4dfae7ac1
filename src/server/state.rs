//! What every way in shares: the platform, the sessions, the schema twice, and its rules.

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::features::accounts::Sessions;
use crate::features::admin::Board;
use crate::kernel::Result;
use crate::loaders::Readers;
use crate::platform::Platform;
use crate::resolvers::{self, Api, engine::Engine};
use crate::server::checked::{self, CheckedDocuments};
use crate::server::documents::access::SchemaIndex;
use crate::server::documents::{self, InputIndex};
use crate::server::live::{Live, LiveLimits, figures};

/// The running server. Every request, socket and delivery has it.
#[derive(Clone)]
pub struct Server(Arc<Parts>);

/// What a server is made of.
pub struct Parts {
    /// Everything outside.
    pub platform: Arc<Platform>,
    /// Who a token belongs to.
    pub sessions: Sessions,
    /// Judges documents and runs queries and mutations.
    pub strict: Api,
    /// Runs documents that were judged before.
    pub twin: Api,
    /// Shows events.
    pub engine: Engine,
    /// The rules of the schema.
    pub index: SchemaIndex,
    /// The types of its inputs.
    pub inputs: InputIndex,
    /// Documents that were judged.
    pub checked: Arc<CheckedDocuments>,
    /// Told when the server is to be left: it takes no new sockets and feeds, and closes the open ones.
    pub draining: CancellationToken,
    /// Open sockets and feeds, each tracked for as long as it lives: a draining server waits for them.
    pub sockets: TaskTracker,
    /// What live operations share.
    pub live: Arc<Live>,
    /// What the loaders of all requests read with.
    pub readers: Arc<Readers>,
}

impl Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Server {
    /// A server over this platform.
    pub fn new(platform: Arc<Platform>) -> Result<Self> {
        let limits = LiveLimits::of(&platform.config);
        Server::with_limits(platform, limits)
    }

    /// A server that grants live operations other limits than its settings say.
    pub fn with_limits(platform: Arc<Platform>, limits: LiveLimits) -> Result<Self> {
        let sessions = Sessions::new(platform.clone());
        let board = Arc::<Board>::default();
        tokio::spawn(figures::tell(platform.clone(), board.clone()));
        let data =
            |builder: resolvers::Builder| builder.data(platform.clone()).data(sessions.clone()).data(board.clone());
        let (strict, twin) = resolvers::build(data);
        let engine = Engine::of(&twin)?;
        let printed = documents::read_schema(&resolvers::raw_sdl(&strict))?;
        let index = SchemaIndex::of(&printed)?;
        let inputs = InputIndex::of(&printed);
        let live = Arc::new(Live::new(limits));
        let (draining, sockets) = (CancellationToken::new(), TaskTracker::new());
        let checked = checked::documents();
        let readers = Readers::new(&platform);
        Ok(Server(Arc::new(Parts {
            platform,
            sessions,
            strict,
            twin,
            engine,
            index,
            inputs,
            checked,
            live,
            readers,
            draining,
            sockets,
        })))
    }
}

#[cfg(test)]
impl Server {
    /// A server on an empty database with the default settings.
    pub async fn for_tests() -> (Self, tempfile::TempDir) {
        use figment::providers::{Format, Toml};

        let folder = tempfile::tempdir().unwrap();
        let defaults = Toml::string(include_str!("../platform/config/default.toml"));
        let mut config: crate::platform::config::Config = figment::Figment::from(defaults).extract().unwrap();
        config.app.data_dir = folder.path().to_owned();
        let (clock, entropy) = (crate::platform::host::clock(), crate::platform::host::entropy());
        let platform = Platform::open(config, clock, entropy, &[]).await.unwrap();
        (Server::new(platform).unwrap(), folder)
    }
}
