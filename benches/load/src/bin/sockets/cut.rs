//! All subscribers are cut at once, miss events, and come back with their cursors, some of them old.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::Plan;
use crate::stage::{LISTEN, Publisher, Stage, announced, settled};
use load::Outcome;
use load::program::Program;
use load::report::{Report, bytes};
use load::socket::{GraphqlSocket, Line};

/// Events that everybody misses while away.
const MISSED: usize = 200;
/// Events that come while everybody comes back.
const MEANWHILE: usize = 20;
/// How many events an old cursor is behind that is still good, and one that is not (more than 5,000).
const OLD: (usize, usize) = (1_000, 5_200);
/// Bytes of each text.
const TEXT: usize = 40;
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

/// A subscriber, the last event that it has seen, and how it came back.
struct Reader {
    socket: GraphqlSocket,
    seen: Seen,
    end: End,
}

/// Runs this part.
pub async fn run(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let program = stage.start().await?;
    let publisher = stage.publisher(&program).await?;
    let too_old = event_now(stage, &program, &publisher).await?;
    publisher.publish_many(OLD.1 - OLD.0, TEXT).await?;
    let old = event_now(stage, &program, &publisher).await?;
    publisher.publish_many(OLD.0, TEXT).await?;

    let sockets = stage.crowd(&program, 0..plan.subscribers, LISTEN).await?;
    program.reaches("gigwire_live_operations", plan.subscribers).await?;
    publisher.publish(TEXT).await?;
    let mut readers = Vec::new();
    for mut socket in sockets {
        let seen = seen(&announced(&mut socket.data().await?))?.ok_or("no event came first")?;
        readers.push(Reader { socket, seen, end: End::Whole });
    }
    let before = settled(&program).await?;
    let begun = Instant::now();
    let back = cut(stage, &publisher, readers, [&old, &too_old]).await?;
    let took = begun.elapsed();
    let count = |wanted: End| back.iter().filter(|reader| reader.end == wanted).count();
    let (whole, reset) = (count(End::Whole), count(End::Reset));
    let once = settled(&program).await?;
    let again = cut(stage, &publisher, back, [&old, &too_old]).await?;
    let twice = settled(&program).await?;

    let what = format!("{} subscribers cut at once: whole again, told to reload", plan.subscribers);
    report.judge(&what, format!("{whole}, {reset}"), "all", whole + reset == again.len() && reset > 0);
    report.note("until the last had everything", format!("{:.1} s", took.as_secs_f64()));
    let [before, once, twice] = [before, once, twice].map(|memory| memory as i64);
    let memory = format!("{}, {}", bytes(before), bytes(once));
    report.judge("memory (RSS) before and after", memory, "+10 %", once as f64 <= before as f64 * MEMORY_GOAL);
    let memory = format!("{}, {}", bytes(once), bytes(twice));
    report.judge("before and after a second time", memory, "+10 %", twice as f64 <= once as f64 * MEMORY_GOAL);
    program.end().await
}

/// Cuts all, publishes, and lets all come back at once: a fifth with what it kept long ago.
async fn cut(
    stage: &Stage,
    publisher: &Publisher<'_>,
    readers: Vec<Reader>,
    [old, too_old]: [&Seen; 2],
) -> Outcome<Vec<Reader>> {
    let count = readers.len();
    let first = readers.first().ok_or("nobody is there to be cut")?;
    let last = first.seen.number + (MISSED + MEANWHILE) as i64 + 1;
    let mut kept = Vec::new();
    for (index, reader) in readers.into_iter().enumerate() {
        reader.socket.vanish();
        kept.push(match index % 10 {
            0 => old.clone(),
            5 => too_old.clone(),
            _ => reader.seen,
        });
    }
    publisher.publish_many(MISSED, TEXT).await?;
    let opened = AtomicUsize::new(0);
    let back = |(person, seen)| come_back(stage, publisher.program, (person, seen), last, &opened);
    let returning = stream::iter(kept.into_iter().enumerate()).map(back).buffer_unordered(count);
    let publishing = async {
        publisher.publish_many(MEANWHILE, TEXT).await?;
        // The last one is for everybody.
        while opened.load(Ordering::Relaxed) < count {
            sleep(Duration::from_millis(20)).await;
        }
        publisher.publish(TEXT).await
    };
    let both = async { tokio::try_join!(returning.try_collect::<Vec<_>>(), publishing) };
    Ok(timeout(PATIENCE, both).await??.0)
}

/// Reconnects and reads up to the last event. Whatever is missing or out of order is an error.
async fn come_back(
    stage: &Stage,
    program: &Program,
    (person, known): (usize, Seen),
    last: i64,
    opened: &AtomicUsize,
) -> Outcome<Reader> {
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
        let Some(seen) = seen(&announced(&mut socket.data().await?))? else { continue };
        if behind.is_some_and(|behind| behind + 1 != seen.number) {
            return Err(format!("event {} came behind {behind:?}", seen.number).into());
        }
        behind = Some(seen.number);
        if seen.number >= last {
            return Ok(Reader { socket, seen, end });
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
