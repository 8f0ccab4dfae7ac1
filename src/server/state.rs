//! What every way in shares: the platform, the sessions, the schema twice, and its rules.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::features::accounts::Sessions;
use crate::kernel::Result;
use crate::platform::Platform;
use crate::resolvers::{self, Api};
use crate::server::documents::access::SchemaIndex;
use crate::server::live::Live;

/// The running server.
#[derive(Clone)]
pub struct Server {
    /// Everything outside.
    pub platform: Arc<Platform>,
    /// Who a token belongs to.
    pub sessions: Sessions,
    /// Judges documents and runs queries and mutations.
    pub strict: Api,
    /// Runs documents that were judged before, for each event.
    pub twin: Api,
    /// The rules of the schema.
    pub index: Arc<SchemaIndex>,
    /// What live operations share.
    pub live: Arc<Live>,
    /// Told when the server is about to stop: sockets close, spread over a while.
    pub draining: CancellationToken,
}

impl Server {
    /// A server over this platform.
    pub fn new(platform: Arc<Platform>) -> Result<Self> {
        let sessions = Sessions::new(platform.clone());
        let (strict, twin) = resolvers::build(|builder| builder.data(platform.clone()).data(sessions.clone()));
        let index = Arc::new(SchemaIndex::from_sdl(&resolvers::raw_sdl())?);
        let live = Arc::default();
        Ok(Server { platform, sessions, strict, twin, index, live, draining: CancellationToken::new() })
    }
}
