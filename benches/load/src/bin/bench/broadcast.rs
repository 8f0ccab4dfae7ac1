//! Everybody is told something, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use load::Outcome;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};
use crate::side::{Heard, Side};

/// Announcements before anything is measured.
const WARM: usize = 20;
/// Announcements that are under way at once: the next is published when everybody has one of them.
const LANES: usize = 4;
/// People who connect at once.
const AT_ONCE: usize = 64;
/// Until all subscriptions stand.
const SETTLE: Duration = Duration::from_secs(2);
/// How long an announcement may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is told.
const BODY: &str =
    "Tonight from two to three the house is repainted. Everything goes on; it may smell a little of paint.";

/// One announcement on its way.
#[derive(Default)]
struct Flight {
    /// When it was published, in microseconds of this run.
    begun: AtomicU64,
    arrived: AtomicUsize,
    all_there: Notify,
}

/// All of them.
struct Sky {
    begun: Instant,
    subscribers: usize,
    flights: Vec<Flight>,
}

impl Sky {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }
}

/// `count` announcements to `subscribers` people.
pub async fn run(ground: &Ground, kind: Kind, subscribers: usize, count: usize) -> Outcome<Measure> {
    let running = ground.start(kind).await?;
    let total = WARM + count;
    let flights = (0..total).map(|_| Flight::default()).collect();
    let sky = Arc::new(Sky { begun: Instant::now(), subscribers, flights });
    let mut ears = listen(ground, &running, &sky).await?;
    sleep(SETTLE).await;
    let lanes = stream::iter(0..LANES).then(|_| Side::open(&running, &ground.world.admin, 0));
    let mut lanes: Vec<Side> = lanes.try_collect().await?;
    publish(&mut lanes, &sky, 0..WARM).await?;
    let meter = Meter::begin(ground, &running).await?;
    publish(&mut lanes, &sky, WARM..total).await?;
    let mut millis = Vec::with_capacity(count * subscribers);
    let meter = meter.hold(count * subscribers).await?;
    while let Some(heard) = ears.join_next().await {
        millis.extend(heard??);
    }
    let measure = meter.tell("broadcast", "deliveries", &mut millis).of_size(subscribers);
    ground.end(running).await?;
    Ok(measure)
}

/// Everybody listens until everything was heard, once.
async fn listen(ground: &Ground, running: &Running, sky: &Arc<Sky>) -> Outcome<JoinSet<Outcome<Vec<f64>>>> {
    let people = &ground.world.people;
    let sides = stream::iter(0..sky.subscribers).map(|number| async move {
        let mut side = Side::open(running, &people[number % people.len()], number).await?;
        side.join_everyone().await?;
        Outcome::Ok(side)
    });
    let sides: Vec<Side> = sides.buffered(AT_ONCE).try_collect().await?;
    let mut ears = JoinSet::new();
    for side in sides {
        ears.spawn(hear_all(side, sky.clone()));
    }
    Ok(ears)
}

async fn hear_all(mut side: Side, sky: Arc<Sky>) -> Outcome<Vec<f64>> {
    let total = sky.flights.len();
    let mut is_heard = vec![false; total];
    let mut millis = Vec::with_capacity(total - WARM);
    for _ in 0..total {
        let title = loop {
            if let Heard::Announcement(title) = side.hear().await? {
                break title;
            }
        };
        let flight = sky.flights.get(title).ok_or("an announcement of somebody else")?;
        if std::mem::replace(&mut is_heard[title], true) {
            return Err(format!("announcement {title} came twice").into());
        }
        if title >= WARM {
            millis.push((sky.now() - flight.begun.load(Ordering::Relaxed)) as f64 / 1e3);
        }
        if flight.arrived.fetch_add(1, Ordering::Relaxed) + 1 == sky.subscribers {
            flight.all_there.notify_one();
        }
    }
    Ok(millis)
}

/// Publishes these, some at once, until everybody has them.
async fn publish(lanes: &mut [Side], sky: &Sky, titles: std::ops::Range<usize>) -> Outcome<()> {
    let count = lanes.len();
    let each = lanes.iter_mut().enumerate().map(|(lane, side)| {
        let titles = titles.clone().skip(lane).step_by(count);
        async move {
            for title in titles {
                let flight = &sky.flights[title];
                flight.begun.store(sky.now(), Ordering::Relaxed);
                side.tell(title, BODY).await?;
                let arrival = async {
                    flight.all_there.notified().await;
                    Ok(())
                };
                let both = async { tokio::try_join!(side.until_done(title as u64), arrival) };
                timeout(PATIENCE, both).await.map_err(|_| late(flight, title, sky.subscribers))??;
            }
            Outcome::Ok(())
        }
    });
    futures_util::future::try_join_all(each).await.map(drop)
}

fn late(flight: &Flight, title: usize, subscribers: usize) -> String {
    let arrived = flight.arrived.load(Ordering::Relaxed);
    format!("announcement {title} reached {arrived} of {subscribers}")
}
