//! The receiving half. Notes are handed on by the task that reads the connection, so there is nothing between Redis and
//! the listeners that could fill up: an instance that cannot keep up is cut off by the server's own limit, and resyncs.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Msg, PushInfo, PushKind, RedisError, RedisResult};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::frame::{self, Received};
use super::{HEARTBEAT, Shared};
use crate::platform::bus::{Bus, Note};
use crate::platform::link::{self, Backoff};

/// Listens until told to stop, subscribing as often as it takes.
pub async fn run(shared: Arc<Shared>, mut backoff: Backoff, stop: CancellationToken) {
    let forever = async {
        loop {
            let begun = Instant::now();
            let Err(cause) = attempt(&shared).await;
            let was_up = shared.subscriber.went_down(&cause);
            if was_up {
                // So that readers begin to sweep now and not when Redis is back.
                shared.local.publish(Note::Resync);
            }
            sleep(backoff.after(if was_up { begun.elapsed() } else { Duration::ZERO })).await;
        }
    };
    stop.run_until_cancelled(forever).await;
}

/// One subscription, from its opening to its failure.
async fn attempt(shared: &Arc<Shared>) -> RedisResult<Infallible> {
    let ended = CancellationToken::new();
    let (ear, at_end) = (Arc::clone(shared), ended.clone());
    let mut connection = link::connect_and_listen(&shared.client, move |push| {
        if push.kind == PushKind::Disconnection {
            at_end.cancel();
        } else {
            ear.hand_on(push);
        }
    })
    .await?;
    connection.subscribe(&shared.channel).await?;
    // From here on nothing is missed; what came before is what the resync is for.
    shared.local.publish(Note::Resync);
    shared.subscriber.went_up();
    // Asked now and then, to find a connection that is dead without having been closed.
    while ended.run_until_cancelled(sleep(HEARTBEAT)).await.is_some() {
        link::ping(&mut connection).await?;
    }
    Err(RedisError::from(io::Error::from(io::ErrorKind::ConnectionAborted)))
}

impl Shared {
    /// Hands on what another instance says. Never waits.
    fn hand_on(&self, push: PushInfo) {
        let Some(message) = Msg::from_push_info(push) else { return };
        match frame::decode(&self.instance, message.get_payload_bytes()) {
            Received::Echo => {}
            Received::Notes(notes) => notes.into_iter().for_each(|note| self.local.publish(note)),
            Received::Unreadable => {
                tracing::warn!(channel = %self.channel, "something that is not a note was published to the bus");
                self.local.publish(Note::Resync);
            }
        }
    }
}
