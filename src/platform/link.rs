//! How a long-lived connection to Redis is opened, given up and opened again.
//!
//! The bus and the shared limits keep connections of their own, so that a slow reader of one never holds up the other.
//! They share the manners: no wait without a deadline, and growing pauses between attempts, spread so that the instances
//! of a fleet do not all come back in the same millisecond. Redis 6 or newer is needed, for its third protocol: with it a
//! subscription can be read without a queue in between.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, PushInfo, RedisError, RedisResult};
use uuid::Uuid;

use crate::kernel::{Error, Result};

/// A connection that has not answered for this long counts as lost.
pub const DEADLINE: Duration = Duration::from_secs(1);

/// The first pause after a connection is lost.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// The pause that repeated failures grow to.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Reads the address without connecting yet: a server that is down at the start is no reason not to start.
pub fn client(url: &str) -> Result<Client> {
    let open = || {
        let address = url.into_connection_info()?;
        let settings = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(address.set_redis_settings(settings))
    };
    // The cause names what is wrong with the address but never repeats it: it may hold a password.
    open().map_err(|cause: RedisError| Error::internal(format!("REDIS_URL cannot be used: {cause}")))
}

/// Opens a connection for commands.
pub async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    connect_with(client, AsyncConnectionConfig::new()).await
}

/// Opens a connection that hands what the server says unasked to `on_push`, which must not block. Nothing is queued on
/// the way: what is not handed on yet waits in the server.
pub async fn connect_and_listen(
    client: &Client,
    on_push: impl Fn(PushInfo) + Send + Sync + 'static,
) -> RedisResult<MultiplexedConnection> {
    let sender = move |push| -> std::result::Result<(), Infallible> {
        on_push(push);
        Ok(())
    };
    connect_with(client, AsyncConnectionConfig::new().set_push_sender(sender)).await
}

async fn connect_with(client: &Client, config: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    let config = config.set_connection_timeout(Some(DEADLINE)).set_response_timeout(Some(DEADLINE));
    within(DEADLINE, client.get_multiplexed_async_connection_with_config(&config)).await
}

/// Asks whether the server still answers on `connection`.
pub async fn ping(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    within(DEADLINE, redis::cmd("PING").query_async(connection)).await
}

/// `work`, or a time-out error at the deadline.
pub async fn within<T>(deadline: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut))),
    }
}

/// The pauses between attempts: 100 ms, doubled up to 2 s, each shortened by up to a half.
pub struct Backoff {
    seed: u64,
    failures: u32,
}

impl Backoff {
    /// `seed` tells instances apart, so that their pauses differ without a source of randomness.
    pub fn new(seed: Uuid) -> Self {
        let (high, low) = seed.as_u64_pair();
        Backoff { seed: high ^ low, failures: 0 }
    }

    /// How long to pause after a connection that held for `lived` (zero when it was not made at all).
    ///
    /// Only one that held for a while starts the row anew: a server that accepts and then refuses must not be asked ten
    /// times a second.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived > LONGEST_PAUSE {
            self.failures = 0;
        }
        let whole = SHORTEST_PAUSE.saturating_mul(1 << self.failures.min(5)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(0.5 + self.fraction() / 2.0)
    }

    /// The next of a fixed but evenly spread row of numbers in 0..1 (splitmix64).
    fn fraction(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_start_anew_after_a_connection_that_held() {
        let mut backoff = Backoff::new(Uuid::from_u128(7));
        let pauses: Vec<_> = (0..20).map(|_| backoff.after(Duration::ZERO)).collect();
        assert!(pauses[0] >= SHORTEST_PAUSE / 2 && pauses[0] <= SHORTEST_PAUSE, "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST_PAUSE / 2 && *pause <= LONGEST_PAUSE), "{pauses:?}");
        assert!(pauses[10..].windows(2).any(|two| two[0] != two[1]), "no jitter: {pauses:?}");
        assert!(backoff.after(Duration::from_secs(60)) <= SHORTEST_PAUSE);
    }

    #[test]
    fn instances_pause_differently() {
        let of = |seed| Backoff::new(Uuid::from_u128(seed)).after(Duration::ZERO);
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_bad_address_is_refused_without_repeating_it() {
        let refusal = client("http://user:hunter2@example.org").err().map(|error| error.message).unwrap_or_default();
        assert!(refusal.contains("REDIS_URL"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
