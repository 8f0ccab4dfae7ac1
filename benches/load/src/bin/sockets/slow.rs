//! Readers that stop reading in the middle of what they missed, while others read on under load.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Plan;
use crate::stage::{AT_ONCE, LISTEN, Publisher, Stage, settled};
use load::Outcome;
use load::program::Program;
use load::report::{Report, bytes, each, quantile};
use load::socket::{GraphqlSocket, Heard, Line};

/// Those who read on.
const HEALTHY: usize = 200;
/// Events that the stopped readers ask for again, and bytes of each text.
const BACKLOG: (usize, usize) = (200, 4_500);
/// Events a second, and for how many seconds: longer than the write deadline of 15 s.
const LOAD: (usize, usize) = (10, 25);
/// What the server counts when somebody takes nothing.
const TOO_SLOW: &str = r#"gigwire_sockets_closed_total{code="1013""#;
/// Bytes of a slow socket at most.
const MEMORY_GOAL: i64 = 256_000;
/// How much slower the others may get.
const SLOWER_GOAL: f64 = 2.0;

/// When each announcement was sent off.
type Sent = Arc<Mutex<HashMap<usize, Instant>>>;

/// Runs this part.
pub async fn run(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let program = stage.start().await?;
    let publisher = stage.publisher(&program).await?;
    let sent = Sent::default();
    let (heard, mut latencies) = mpsc::unbounded_channel();
    let mut others = JoinSet::new();
    let all = HEALTHY + plan.stopped;
    let mut sockets = stage.crowd(&program, 0..all, LISTEN).await?;
    program.reaches("gigwire_live_operations", all).await?;
    let mut reading = JoinSet::new();
    for socket in sockets.drain(HEALTHY..) {
        reading.spawn(socket.idle());
    }
    for socket in sockets {
        others.spawn(listen(socket, sent.clone(), heard.clone()));
    }

    // Everybody reads; what is published here is also the backlog of those who stop later.
    let cursor = stage.cursor(&program).await?;
    load(&publisher, &sent, LOAD.0 * LOAD.1).await?;
    let calm = drain(&mut latencies).await;
    publisher.publish_many(BACKLOG.0.saturating_sub(LOAD.0 * LOAD.1), BACKLOG.1).await?;
    reading.shutdown().await;
    program.reaches("gigwire_sockets_open", HEALTHY).await?;
    drain(&mut latencies).await;

    let before = settled(&program).await?;
    let stopped = stop_reading(stage, &program, plan.stopped, &cursor).await?;
    let loading = load(&publisher, &sent, LOAD.0 * LOAD.1);
    let (highest, loaded) = tokio::join!(highest(&program), loading);
    loaded?;
    let busy = drain(&mut latencies).await;
    program.reaches("gigwire_sockets_open", HEALTHY).await?;
    let closed: f64 =
        program.metrics().await?.iter().filter(|(key, _)| key.starts_with(TOO_SLOW)).map(|(_, n)| n).sum();
    drop(stopped);
    let after = settled(&program).await?;

    let count = plan.stopped;
    let figure = each(before, highest?, count);
    report.judge(
        &format!("{count} stopped readers under load: memory of each"),
        bytes(figure),
        bytes(MEMORY_GOAL),
        figure <= MEMORY_GOAL,
    );
    report.judge("of them closed with 1013", closed, count, closed as usize == count);
    let (calm99, busy99) = (quantile(&calm, 0.99), quantile(&busy, 0.99));
    let halves = format!("{:.1} ms, {:.1} ms", quantile(&calm, 0.5), quantile(&busy, 0.5));
    report.note(&format!("half of the deliveries to {HEALTHY} others, before and meanwhile"), halves);
    let what = "99 of 100 of them";
    report.judge(what, format!("{calm99:.1} ms, {busy99:.1} ms"), "twice", busy99 <= calm99 * SLOWER_GOAL);
    let lost = 2 * LOAD.0 * LOAD.1 * HEALTHY - calm.len() - busy.len();
    report.judge("deliveries to the others that are missing", lost, 0, lost == 0);
    report.note(
        "memory (RSS) before, and when all are gone",
        format!("{}, {}", bytes(before as i64), bytes(after as i64)),
    );
    others.shutdown().await;
    program.end().await
}

/// Publishes at a steady pace, and notes when.
async fn load(publisher: &Publisher<'_>, sent: &Sent, count: usize) -> Outcome<()> {
    let (begun, pause) = (Instant::now(), Duration::from_secs(1) / LOAD.0 as u32);
    let one = |number: usize| async move {
        sleep_until(begun + pause * number as u32).await;
        let title = publisher.next_title();
        sent.lock().unwrap_or_else(PoisonError::into_inner).insert(title, Instant::now());
        publisher.publish_as(title, BACKLOG.1).await
    };
    stream::iter(0..count).map(one).buffer_unordered(count).try_collect().await
}

/// Reads on and tells how long each announcement took, in milliseconds.
async fn listen(mut socket: GraphqlSocket, sent: Sent, heard: mpsc::UnboundedSender<f64>) {
    while let Ok(Heard::Next(answer)) = socket.next().await {
        let title = answer["data"]["announcementPublished"]["announcement"]["title"].as_str();
        let Some(title) = title.and_then(|title| title.parse::<usize>().ok()) else { continue };
        if let Some(begun) = sent.lock().unwrap_or_else(PoisonError::into_inner).get(&title) {
            // Whoever listens no longer needs no figures.
            let _ = heard.send(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
}

/// What was told so far, sorted.
async fn drain(latencies: &mut mpsc::UnboundedReceiver<f64>) -> Vec<f64> {
    sleep(Duration::from_secs(2)).await;
    let mut all = Vec::new();
    while let Ok(latency) = latencies.try_recv() {
        all.push(latency);
    }
    all.sort_by(f64::total_cmp);
    all
}

/// Clients that ask for everything behind a cursor and then read nothing.
async fn stop_reading(stage: &Stage, program: &Program, count: usize, cursor: &Value) -> Outcome<Vec<GraphqlSocket>> {
    let one = |number: usize| async move {
        let mut socket = stage.open(program, HEALTHY + number, Line { is_thin: true }).await?;
        socket.subscribe("1", LISTEN, json!({ "after": cursor })).await?;
        Ok(socket)
    };
    stream::iter(0..count).map(one).buffered(AT_ONCE).try_collect().await
}

/// The highest memory while the load lasts.
async fn highest(program: &Program) -> Outcome<u64> {
    let begun = Instant::now();
    let mut highest = 0;
    while begun.elapsed() < Duration::from_secs(LOAD.1 as u64) {
        highest = highest.max(program.usage()?.memory);
        sleep(Duration::from_millis(100)).await;
    }
    Ok(highest)
}
