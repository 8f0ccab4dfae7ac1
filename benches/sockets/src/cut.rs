//! All subscribers are cut at once, miss events, and come back with their cursors, some of them old.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::program::Program;
use crate::report::{Report, bytes};
use crate::socket::{GraphqlSocket, Line};
use crate::stage::{LISTEN, Publisher, Stage, announced, settled};
use crate::{Outcome, Plan};

/// Events that everybody misses while away.
const MISSED: usize = 200;
/// Events that come while everybody comes back.
const MEANWHILE: usize = 20;
/// How many events an old cursor is behind that is still good, and one that is not (more than 5,000).
const OLD: (usize, usize) = (1_000, 5_200);
/// Bytes of each text.
const TEXT: usize = 40;
/// Clients that come back at once.
const AT_ONCE: usize = 500;
/// Memory afterwards, as a share of the memory before, at most.
const MEMORY_GOAL: f64 = 1.1;
/// How long coming back may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An event that a subscriber has seen.
#[derive(Clone)]
struct Seen {
    cursor: Value,
    number: i64,
}

/// What became of one subscriber.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It got everything that it had missed, in order.
    Whole,
    /// It was told to reload, and then got everything.
    Reset,
}

/// Runs this part.
pub async fn run(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let program = stage.start().await?;
    let publisher = stage.publisher(&program).await?;
    let too_old = event_now(stage, &program, &publisher).await?;
    publisher.publish_many(OLD.1 - OLD.0, TEXT).await?;
    let old = event_now(stage, &program, &publisher).await?;
    publisher.publish_many(OLD.0, TEXT).await?;

    let mut readers = stage.crowd(&program, 0..plan.subscribers, LISTEN).await?;
    program.reaches("gigwire_live_operations", plan.subscribers).await?;
    publisher.publish(TEXT).await?;
    let mut all_seen = Vec::new();
    for reader in &mut readers {
        all_seen.push(seen(&announced(&mut reader.data().await?))?.ok_or("no event came first")?);
    }
    let last = all_seen[0].number + (MISSED + MEANWHILE) as i64 + 1;
    // A fifth comes back with what it kept long ago.
    for (index, seen) in all_seen.iter_mut().enumerate() {
        match index % 10 {
            0 => *seen = old.clone(),
            5 => *seen = too_old.clone(),
            _ => {}
        }
    }
    let before = settled(&program).await?;
    readers.into_iter().for_each(GraphqlSocket::vanish);
    publisher.publish_many(MISSED, TEXT).await?;

    let begun = Instant::now();
    let opened = AtomicUsize::new(0);
    let back = |(number, seen)| come_back(stage, &program, (number, seen), last, &opened);
    let returning =
        stream::iter(all_seen.into_iter().enumerate()).map(back).buffer_unordered(plan.subscribers.max(AT_ONCE));
    let publishing = async {
        publisher.publish_many(MEANWHILE, TEXT).await?;
        // The last one is for everybody.
        while opened.load(Ordering::Relaxed) < plan.subscribers {
            sleep(Duration::from_millis(20)).await;
        }
        publisher.publish(TEXT).await
    };
    let both = async { tokio::try_join!(returning.try_collect::<Vec<_>>(), publishing) };
    let (ended, _) = timeout(PATIENCE, both).await??;
    let took = begun.elapsed();

    let count = |wanted: End| ended.iter().filter(|(end, _)| *end == wanted).count();
    let (whole, reset) = (count(End::Whole), count(End::Reset));
    let mut idle = JoinSet::new();
    for (_, socket) in ended {
        idle.spawn(socket.idle());
    }
    let after = settled(&program).await?;
    let what = format!("{} subscribers cut at once: whole again, told to reload", plan.subscribers);
    report.judge(&what, format!("{whole}, {reset}"), "all", whole + reset == plan.subscribers && reset > 0);
    report.note("until the last had everything", format!("{:.1} s", took.as_secs_f64()));
    let memory = format!("{} before, {} after", bytes(before as i64), bytes(after as i64));
    report.judge("memory (RSS)", memory, "+10 %", after as f64 <= before as f64 * MEMORY_GOAL);
    idle.shutdown().await;
    program.end().await
}

/// Reconnects and reads up to the last event. Whatever is missing or out of order is an error.
async fn come_back(
    stage: &Stage,
    program: &Program,
    (person, known): (usize, Seen),
    last: i64,
    opened: &AtomicUsize,
) -> Outcome<(End, GraphqlSocket)> {
    let mut socket = stage.open(program, person, Line::default()).await?;
    socket.subscribe("1", LISTEN, json!({ "after": known.cursor })).await?;
    let first = announced(&mut socket.data().await?);
    let (end, mut behind) = match first["__typename"].as_str() {
        Some("StreamResumed") => (End::Whole, Some(known.number)),
        // Whoever reloads has what is there by then.
        Some("StreamGap") => (End::Reset, None),
        _ => return Err(format!("first of all came {first}").into()),
    };
    opened.fetch_add(1, Ordering::Relaxed);
    loop {
        let Some(Seen { number, .. }) = seen(&announced(&mut socket.data().await?))? else { continue };
        if behind.is_some_and(|behind| behind + 1 != number) {
            return Err(format!("event {number} came behind {behind:?}").into());
        }
        behind = Some(number);
        if number >= last {
            return Ok((end, socket));
        }
    }
}

/// An event that is published now.
async fn event_now(stage: &Stage, program: &Program, publisher: &Publisher<'_>) -> Outcome<Seen> {
    let mut sockets = stage.crowd(program, 0..1, LISTEN).await?;
    program.reaches("gigwire_live_operations", 1).await?;
    publisher.publish(TEXT).await?;
    let mut data = sockets[0].data().await?;
    sockets.into_iter().for_each(GraphqlSocket::vanish);
    program.reaches("gigwire_live_operations", 0).await?;
    Ok(seen(&announced(&mut data))?.ok_or("no event came first")?)
}

/// The event in an item, if it is one.
fn seen(item: &Value) -> Outcome<Option<Seen>> {
    let Some(number) = item["number"].as_str() else { return Ok(None) };
    Ok(Some(Seen { cursor: item["cursor"].clone(), number: number.parse()? }))
}
