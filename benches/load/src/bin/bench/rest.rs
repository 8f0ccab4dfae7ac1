//! Servers at rest: how soon one is ready, and what idle sockets cost in memory.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use load::Outcome;
use load::report::quantiles;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};
use crate::side::Side;

/// Starts, of which the median counts.
const STARTS: usize = 3;
/// Sockets that come and go first, so that what is made once is there.
const WARM: usize = 100;
/// People who connect at once.
const AT_ONCE: usize = 64;

/// From the start until it answers, and the memory at rest.
pub async fn start(ground: &Ground, kind: Kind) -> Outcome<Measure> {
    let (mut millis, mut last) = (Vec::new(), None);
    for _ in 0..STARTS {
        let running = ground.start(kind).await?;
        let meter = Meter::begin(ground, &running).await?;
        let took = running.first().took.as_secs_f64() * 1e3;
        millis.push(took);
        settled(&running).await?;
        last = Some(meter.hold(1).await?);
        ground.end(running).await?;
    }
    let [median] = quantiles(&mut millis, [0.5]);
    Ok(last.ok_or("nothing was started")?.tell("start", "starts", &mut [median]))
}

/// `count` idle sockets of people who are signed in, each with a subscription.
pub async fn memory(ground: &Ground, kind: Kind, count: usize) -> Outcome<Measure> {
    let running = ground.start(kind).await?;
    drop(crowd(ground, &running, WARM.min(count)).await?);
    let before = settled(&running).await?;
    let meter = Meter::begin(ground, &running).await?;
    let mut idle = JoinSet::new();
    for side in crowd(ground, &running, count).await? {
        idle.spawn(side.idle());
    }
    let after = settled(&running).await?;
    let measure = meter.hold(count).await?.tell("memory", "sockets", &mut []);
    // One that was refused would be gone.
    if let Some(ended) = idle.try_join_next() {
        return Err(format!("a socket was closed: {ended:?}").into());
    }
    idle.shutdown().await;
    ground.end(running).await?;
    let bytes_each = (after as f64 - before as f64) / count as f64;
    Ok(Measure { bytes_each, memory: after, ..measure.of_size(count) })
}

async fn crowd(ground: &Ground, running: &Running, count: usize) -> Outcome<Vec<Side>> {
    let people = &ground.world.people;
    let sides = stream::iter(0..count).map(|number| async move {
        let mut side = Side::open(running, &people[number % people.len()], number).await?;
        side.join_everyone().await?;
        Outcome::Ok(side)
    });
    sides.buffered(AT_ONCE).try_collect().await
}

/// Waits until memory has stopped to move.
async fn settled(running: &Running) -> Outcome<u64> {
    sleep(Duration::from_secs(3)).await;
    let mut last = running.memory()?;
    for _ in 0..20 {
        sleep(Duration::from_millis(500)).await;
        let now = running.memory()?;
        if now.abs_diff(last) < 64 << 10 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}
