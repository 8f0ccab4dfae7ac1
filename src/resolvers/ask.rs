//! What resolvers find in the context: the platform, the caller, the request's loaders and its notes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;

use crate::kernel::{Caller, Result, Viewer};
use crate::loaders::Loaders;
use crate::platform::Platform;
use crate::platform::streams::Cursor;
use crate::platform::work::Effect;

/// What a request learns while it runs, for the answer's extensions.
#[derive(Debug, Default)]
pub struct Notes {
    replayed: AtomicBool,
}

impl Notes {
    /// Whether a mutation repeated an earlier effect.
    pub fn was_replayed(&self) -> bool {
        self.replayed.load(Ordering::Relaxed)
    }
}

/// The heads of the viewer's streams, read before the document runs, for `Viewer.streamCursor`.
#[derive(Clone, Debug)]
pub struct StreamHeads(pub Cursor);

/// Shorthand for resolvers.
pub trait Ask {
    /// The platform.
    fn platform(&self) -> &Arc<Platform>;
    /// Who asks.
    fn caller(&self) -> &Caller;
    /// The signed-in user, or `UNAUTHENTICATED`.
    fn viewer(&self) -> Result<Viewer>;
    /// The request's loaders.
    fn loaders(&self) -> &Loaders;
    /// Takes a command's effect: later fields read afresh, and a replay is told.
    fn done<T>(&self, effect: Effect<T>) -> T;
}

impl Ask for Context<'_> {
    fn platform(&self) -> &Arc<Platform> {
        self.data_unchecked()
    }

    fn caller(&self) -> &Caller {
        self.data_unchecked()
    }

    fn viewer(&self) -> Result<Viewer> {
        self.caller().viewer()
    }

    fn loaders(&self) -> &Loaders {
        self.data_unchecked::<Arc<Loaders>>()
    }

    fn done<T>(&self, effect: Effect<T>) -> T {
        self.loaders().renew();
        if effect.replayed {
            self.data_unchecked::<Arc<Notes>>().replayed.store(true, Ordering::Relaxed);
        }
        effect.value
    }
}
