//! The bus contract, on every backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gigwire::platform::bus::{Bus, LISTENER_BACKLOG, Listener, MemoryBus, Note, RedisBus};
use uuid::Uuid;

use crate::support::redis::{prefix, shared_url};

/// How long anything may take before it counts as never.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the whole list on the instances that `$fixture` makes.
macro_rules! cases {
    ($backend:ident, $fixture:path, [$($case:ident),* $(,)?]) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case($fixture().await).await;
                }
            )*
        }
    };
    ($backend:ident, $fixture:path) => {
        cases!($backend, $fixture, [
            reaches_a_local_listener,
            reaches_another_instance,
            own_echo_is_not_doubled,
            keeps_the_order_of_a_publisher,
            every_kind_arrives,
            a_slow_listener_resyncs_and_blocks_nobody,
            a_resync_by_hand_stays_here,
            closing_sends_what_is_queued,
            ends_with_the_bus,
        ]);
    };
}

cases!(memory, super::in_memory);
cases!(redis, super::over_redis);

type Instances = (Arc<dyn Bus>, Arc<dyn Bus>);

/// All there is of a memory bus is one instance: the other one is itself.
async fn in_memory() -> Instances {
    let bus = Arc::new(MemoryBus::new());
    (bus.clone(), bus)
}

async fn over_redis() -> Instances {
    pair(&shared_url()).await
}

/// Two connected instances on one server.
pub async fn pair(url: &str) -> Instances {
    let prefix = prefix();
    let (a, b) = (instance(url, &prefix), instance(url, &prefix));
    connected(&a).await;
    connected(&b).await;
    (a, b)
}

/// An instance that is perhaps not connected yet.
pub fn instance(url: &str, prefix: &str) -> Arc<dyn Bus> {
    Arc::new(RedisBus::start(url, prefix, Uuid::new_v4()).unwrap())
}

pub async fn connected(bus: &Arc<dyn Bus>) {
    until("connected", || bus.is_connected()).await;
}

pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "not {what} in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The next note, whatever it is.
pub async fn next(listener: &mut Listener) -> Note {
    tokio::time::timeout(PATIENCE, listener.next()).await.expect("no note in time").expect("the bus is gone")
}

/// Reads on to `wanted`, and returns what came before it.
pub async fn up_to(listener: &mut Listener, wanted: &Note) -> Vec<Note> {
    let mut before = Vec::new();
    loop {
        match next(listener).await {
            note if note == *wanted => return before,
            note => before.push(note),
        }
    }
}

pub fn rights(number: u128) -> Note {
    Note::Rights(Uuid::from_u128(number))
}

pub fn heads(stream: &str, head: i64) -> Note {
    Note::Heads(vec![(Arc::from(stream), head)])
}

pub fn signal(body: &str) -> Note {
    Note::Signal { topic: Arc::from("user:1"), body: Arc::from(body) }
}

async fn reaches_a_local_listener((bus, _): Instances) {
    let (mut one, mut two) = (bus.subscribe(), bus.subscribe());
    bus.publish(heads("user:1", 7));
    assert_eq!(next(&mut one).await, heads("user:1", 7));
    assert_eq!(next(&mut two).await, heads("user:1", 7));
}

async fn reaches_another_instance((a, b): Instances) {
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(heads("user:1", 7));
    assert_eq!(next(&mut at_b).await, heads("user:1", 7));
    b.publish(rights(1));
    assert!(up_to(&mut at_a, &rights(1)).await.len() <= 1);
}

async fn own_echo_is_not_doubled((a, b): Instances) {
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(rights(1));
    up_to(&mut at_b, &rights(1)).await;
    // The answer travels behind the echo, so whatever echo there is has arrived before it.
    b.publish(rights(2));
    assert_eq!(up_to(&mut at_a, &rights(2)).await, [rights(1)]);
}

async fn keeps_the_order_of_a_publisher((a, b): Instances) {
    let mut at_b = b.subscribe();
    let many = 2_000;
    for number in 0..many {
        a.publish(rights(number));
    }
    for number in 0..many {
        assert_eq!(next(&mut at_b).await, rights(number));
    }
}

async fn every_kind_arrives((a, b): Instances) {
    let mut at_b = b.subscribe();
    let grown = Note::Heads(vec![(Arc::from("staff"), i64::MAX), (Arc::from("user:1"), 1)]);
    let typing = signal(r#"{"typing":"ü \" \n"}"#);
    for note in [&typing, &grown, &rights(9)] {
        a.publish(note.clone());
    }
    assert_eq!(next(&mut at_b).await, typing);
    assert_eq!(next(&mut at_b).await, grown);
    assert_eq!(next(&mut at_b).await, rights(9));
}

async fn a_slow_listener_resyncs_and_blocks_nobody((a, _): Instances) {
    let (mut slow, mut quick) = (a.subscribe(), a.subscribe());
    for number in 0..LISTENER_BACKLOG as u128 * 2 {
        a.publish(rights(number));
        assert_eq!(next(&mut quick).await, rights(number));
    }
    assert_eq!(next(&mut slow).await, Note::Resync);
    a.publish(heads("user:1", 1));
    assert_eq!(next(&mut slow).await, heads("user:1", 1));
    assert_eq!(next(&mut quick).await, heads("user:1", 1));
}

async fn a_resync_by_hand_stays_here((a, b): Instances) {
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    a.publish(Note::Resync);
    a.publish(rights(1));
    assert_eq!(up_to(&mut at_a, &rights(1)).await, [Note::Resync]);
    let at_b = up_to(&mut at_b, &rights(1)).await;
    assert!(at_b.is_empty() || std::ptr::addr_eq(Arc::as_ptr(&a), Arc::as_ptr(&b)), "{at_b:?}");
}

async fn closing_sends_what_is_queued((a, b): Instances) {
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    for number in 0..2_000 {
        a.publish(rights(number));
    }
    a.close().await;
    assert_eq!(up_to(&mut at_b, &rights(1_999)).await.len(), 1_999);
    // Closed towards the others, it still serves its own.
    a.publish(heads("user:1", 1));
    assert_eq!(up_to(&mut at_a, &heads("user:1", 1)).await.len(), 2_000);
}

async fn ends_with_the_bus((a, b): Instances) {
    let mut listener = a.subscribe();
    a.close().await;
    drop((a, b));
    assert_eq!(tokio::time::timeout(PATIENCE, listener.next()).await.expect("the listener waits for ever"), None);
}
