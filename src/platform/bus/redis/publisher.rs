//! The sending half: one frame in flight, everything that was published meanwhile in the next one.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{ErrorKind, RedisError, RedisResult};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::outbox::Batch;
use super::{HEARTBEAT, Shared, frame};
use crate::platform::link::{self, Backoff, DEADLINE};

/// Empties the outbox until told to stop, connecting as often as it takes.
pub async fn run(shared: Arc<Shared>, mut backoff: Backoff, stop: CancellationToken) {
    while let Err((cause, lived)) = attempt(&shared, &stop).await {
        shared.publisher.went_down(&cause);
        // Stopped without a connection: what waits is lost to nobody who sweeps.
        if stop.run_until_cancelled(sleep(backoff.after(lived))).await.is_none() {
            return;
        }
    }
}

/// One connection, from its opening to its failure: the cause, and how long it held. `Ok` when told to stop.
async fn attempt(shared: &Shared, stop: &CancellationToken) -> Result<(), (RedisError, Duration)> {
    let opened = Instant::now();
    let mut connection = link::connect(&shared.client).await.map_err(|cause| (cause, Duration::ZERO))?;
    shared.publisher.went_up();
    send_all(shared, &mut connection, stop).await.map_err(|cause| (cause, opened.elapsed()))
}

/// Sends batch after batch, and a ping when there is nothing to say.
async fn send_all(
    shared: &Shared,
    connection: &mut MultiplexedConnection,
    stop: &CancellationToken,
) -> RedisResult<()> {
    loop {
        // Asked before looking: nothing comes in after the stop, so what is empty now stays empty.
        let stopping = stop.is_cancelled();
        let batch = shared.outbox.take(Instant::now());
        if !batch.is_empty() {
            if let Err(cause) = send(shared, connection, &batch).await {
                // It may have arrived all the same: a note that comes twice is allowed, one that never comes is not.
                shared.outbox.give_back(batch);
                return Err(cause);
            }
            continue;
        }
        if stopping {
            return Ok(());
        }
        tokio::select! {
            () = shared.outbox.grown() => {}
            () = stop.cancelled() => {}
            () = sleep(HEARTBEAT) => link::ping(connection).await?,
        }
    }
}

async fn send(shared: &Shared, connection: &mut MultiplexedConnection, batch: &Batch) -> RedisResult<()> {
    let frame = frame::encode(&shared.instance, batch.notes())
        .map_err(|cause| RedisError::from((ErrorKind::Client, "a frame cannot be written", cause.to_string())))?;
    let mut publish = ::redis::cmd("PUBLISH");
    publish.arg(&shared.channel).arg(frame);
    link::within(DEADLINE, publish.query_async::<()>(connection)).await
}
