//! Clients that connect and are gone with a reset, each at some stage; nothing of them may stay.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::Plan;
use crate::stage::{LISTEN, NOTIFICATIONS, Stage};
use load::Outcome;
use load::program::Program;
use load::report::{Report, bytes};
use load::socket::{Line, Socket, dial, reset};

/// Clients that come and go first, so that what is made once is there.
const WARM: usize = 1_000;
/// Clients on their way at once.
const AT_ONCE: usize = 200;
/// A client waits at most so long before it is gone.
const HESITATION_MS: u64 = 10;
/// What must be as before when all are gone.
const GAUGES: [&str; 6] = [
    "gigwire_sockets_open",
    "gigwire_users_connected",
    "gigwire_live_operations",
    "gigwire_streams_watched",
    "gigwire_signal_topics_watched",
    "gigwire_tasks_alive",
];
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a client is when it is gone.
const STAGES: [&str; 8] = [
    "connected",
    "in the middle of the request's head",
    "upgraded",
    "init sent",
    "acknowledged",
    "subscribe sent",
    "subscribed",
    "in the middle of what it missed",
];

/// Runs this part.
pub async fn run(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let program = stage.start().await?;
    let publisher = stage.publisher(&program).await?;
    let cursor = stage.cursor(&program).await?;
    publisher.publish_many(300, 1_000).await?;
    let mut chance = StdRng::seed_from_u64(plan.seed);
    crowd(stage, &program, WARM, &cursor, &mut chance).await?;
    // Who leaves counts as there for a few seconds more.
    program.reaches("gigwire_users_connected", 0).await?;
    sleep(Duration::from_secs(3)).await;
    let (before, gauges) = (program.usage()?, gauges(&program).await?);

    let begun = Instant::now();
    let by_stage = crowd(stage, &program, plan.vanishing, &cursor, &mut chance).await?;
    let took = begun.elapsed();
    let gone = Instant::now();
    let mut now = (program.usage()?, self::gauges(&program).await?);
    while (now.0.files > before.files || now.1 != gauges) && gone.elapsed() < PATIENCE {
        sleep(Duration::from_millis(100)).await;
        now = (program.usage()?, self::gauges(&program).await?);
    }
    let settled = gone.elapsed();

    let what = format!("{} clients vanish", plan.vanishing);
    report.note(&what, format!("{:.0} a second", plan.vanishing as f64 / took.as_secs_f64()));
    for (stage, count) in by_stage {
        report.note(&format!("when {}", STAGES[stage]), count);
    }
    for ((name, was), is) in gauges.iter().zip(now.1.values()) {
        report.judge(name, is, was, is == was);
    }
    let files = now.0.files;
    report.judge("open file descriptors", files, before.files, files <= before.files);
    report.judge("threads", now.0.threads, before.threads, now.0.threads <= before.threads);
    report.note("after the last one", format!("{:.1} s", settled.as_secs_f64()));
    let memory = format!("{}, {}", bytes(before.memory as i64), bytes(program.usage()?.memory as i64));
    report.note("memory (RSS) before and after", memory);
    program.end().await
}

/// Lets clients come and go; how many went at each stage.
async fn crowd(
    stage: &Stage,
    program: &Program,
    count: usize,
    cursor: &Value,
    chance: &mut StdRng,
) -> Outcome<BTreeMap<usize, usize>> {
    let mut by_stage = BTreeMap::new();
    let plans: Vec<_> = (0..count)
        .map(|number| {
            let until = chance.random_range(0..STAGES.len());
            *by_stage.entry(until).or_default() += 1;
            (number, until, Duration::from_millis(chance.random_range(0..HESITATION_MS)))
        })
        .collect();
    let one = |(number, until, pause)| come_and_go(stage, program, number, (until, pause), cursor);
    stream::iter(plans).map(one).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(by_stage)
}

async fn come_and_go(
    stage: &Stage,
    program: &Program,
    number: usize,
    (until, pause): (usize, Duration),
    cursor: &Value,
) -> Outcome<()> {
    if until < 2 {
        let mut stream = dial(program.address, Line::default()).await?;
        if until == 1 {
            stream.write_all(b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso").await?;
        }
        sleep(pause).await;
        reset(&stream);
        return Ok(());
    }
    let mut socket = Socket::connect(program.target(), Line::default()).await?;
    let hello = json!({ "type": "connection_init",
        "payload": { "authorization": format!("Bearer {}", stage.person(number).access_token) } });
    let subscribe = |document: &str, variables: Value| {
        json!({ "id": "1", "type": "subscribe", "payload": { "query": document, "variables": variables } }).to_string()
    };
    if until >= 3 {
        socket.send(hello.to_string()).await?;
    }
    if until >= 4 {
        hear(&mut socket).await?;
    }
    match until {
        5 => socket.send(subscribe(NOTIFICATIONS, json!({}))).await?,
        6 => {
            socket.send(subscribe(NOTIFICATIONS, json!({}))).await?;
            let ask = json!({ "id": "2", "type": "subscribe", "payload": { "query": "{ __typename }" } });
            socket.send(ask.to_string()).await?;
            hear(&mut socket).await?;
        }
        7 => {
            socket.send(subscribe(LISTEN, json!({ "after": cursor }))).await?;
            hear(&mut socket).await?;
        }
        _ => {}
    }
    sleep(pause).await;
    socket.vanish();
    Ok(())
}

async fn hear(socket: &mut Socket) -> Outcome<String> {
    socket.next().await.map_err(|code| format!("closed with {code:?}").into())
}

async fn gauges(program: &Program) -> Outcome<BTreeMap<&'static str, f64>> {
    let metrics = program.metrics().await?;
    GAUGES.into_iter().map(|name| Ok((name, *metrics.get(name).ok_or(format!("no gauge {name}"))?))).collect()
}
