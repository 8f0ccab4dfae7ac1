//! Pairs of people talk. Each writes when the other's last message was acknowledged, and was there.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use load::Outcome;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::data::Account;
use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};
use crate::side::{Heard, Side};

/// Messages of each pair before anything is measured.
const WARM: usize = 20;
/// Pairs that connect at once.
const AT_ONCE: usize = 16;
/// Until all subscriptions stand.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two people and their conversation.
struct Pair {
    conversation: Uuid,
    ears: [Ear; 2],
    /// Messages written so far.
    written: i64,
}

/// One of the two.
struct Ear {
    side: Side,
    /// The number of the last message heard: the next one is the next number, or something is lost or twice.
    heard: i64,
}

/// `pairs` pairs write `messages` messages each; with several instances, the two of a pair are on different ones.
pub async fn run(ground: &Ground, kind: Kind, pairs: usize, messages: usize, instances: usize) -> Outcome<Measure> {
    let running = ground.start_many(kind, instances).await?;
    let all = stream::iter(&ground.world.talks).take(pairs).map(|talk| {
        let (running, [a, b]) = (&running, talk.people.map(|number| &ground.world.people[number]));
        async move { Pair::open(running, talk.id, [a, b]).await }
    });
    let all: Vec<Pair> = all.buffered(AT_ONCE).try_collect().await?;
    if all.len() != pairs {
        return Err(format!("there are {} conversations, {pairs} are needed", all.len()).into());
    }
    sleep(SETTLE).await;
    let (all, _) = talk(all, WARM).await?;
    let meter = Meter::begin(ground, &running).await?;
    let (all, mut millis) = talk(all, messages).await?;
    let measure = meter.end("chat", "messages", pairs * messages, &mut millis).await?;
    for pair in all {
        pair.finish().await?;
    }
    check(&running, pairs * (WARM + messages)).await?;
    ground.end(running).await?;
    Ok(measure)
}

/// Lets all pairs talk at once.
async fn talk(pairs: Vec<Pair>, messages: usize) -> Outcome<(Vec<Pair>, Vec<f64>)> {
    let mut tasks = JoinSet::new();
    for mut pair in pairs {
        tasks.spawn(async move {
            let mut millis = Vec::with_capacity(messages);
            for _ in 0..messages {
                millis.push(timeout(PATIENCE, pair.exchange()).await.map_err(|_| "a message did not come")??);
            }
            Outcome::Ok((pair, millis))
        });
    }
    let (mut pairs, mut all) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (pair, millis) = done??;
        pairs.push(pair);
        all.extend(millis);
    }
    Ok((pairs, all))
}

impl Pair {
    async fn open(running: &Running, conversation: Uuid, people: [&Account; 2]) -> Outcome<Self> {
        let [a, b] = people;
        let ears = [Ear::open(running, conversation, a, 0).await?, Ear::open(running, conversation, b, 1).await?];
        Ok(Pair { conversation, ears, written: 0 })
    }

    /// One writes, both hear of it. How long until the other one did, in milliseconds.
    async fn exchange(&mut self) -> Outcome<f64> {
        let [a, b] = &mut self.ears;
        let (writer, reader) = if self.written % 2 == 0 { (a, b) } else { (b, a) };
        self.written += 1;
        let number = self.written;
        let content = format!("Message {number}: the paint is dry on the left side, I go on behind the gate.");
        let begun = Instant::now();
        writer.side.say(number as u64, self.conversation, &content, &format!("k{number}")).await?;
        let arrival = async {
            reader.until(number).await?;
            Outcome::Ok(begun.elapsed())
        };
        let (_, took) = tokio::try_join!(writer.until_done(number), arrival)?;
        Ok(took.as_secs_f64() * 1e3)
    }

    /// Both have heard everything, and nothing more comes.
    async fn finish(mut self) -> Outcome<()> {
        for ear in &mut self.ears {
            timeout(PATIENCE, ear.until(self.written)).await.map_err(|_| "the last message did not come")??;
        }
        Ok(())
    }
}

impl Ear {
    async fn open(running: &Running, conversation: Uuid, account: &Account, instance: usize) -> Outcome<Self> {
        let mut side = Side::open(running, account, instance).await?;
        side.join(conversation).await?;
        Ok(Ear { side, heard: 0 })
    }

    /// Hears on until a message was heard.
    async fn until(&mut self, number: i64) -> Outcome<()> {
        while self.heard < number {
            match self.side.hear().await? {
                Heard::Message(number) => self.note(number)?,
                Heard::Done(number) => return Err(format!("an ack of {number} that nobody waits for").into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Hears on until what was said is acknowledged, which may be before or after it is heard.
    async fn until_done(&mut self, said: i64) -> Outcome<()> {
        loop {
            match self.side.hear().await? {
                Heard::Message(number) => self.note(number)?,
                Heard::Done(number) if number == said as u64 => return Ok(()),
                Heard::Done(number) => return Err(format!("an ack of {number} instead of {said}").into()),
                _ => {}
            }
        }
    }

    fn note(&mut self, number: i64) -> Outcome<()> {
        if number != self.heard + 1 {
            return Err(format!("message {number} came behind {}", self.heard).into());
        }
        self.heard = number;
        Ok(())
    }
}

/// The table holds what was acknowledged.
async fn check(running: &Running, wanted: usize) -> Outcome<()> {
    let own = "select count(*) from messages";
    let peers = "select count(*) from peer.messages";
    let count: i64 =
        sqlx::query_scalar(if running.kind == Kind::Gigwire { own } else { peers }).fetch_one(&running.db).await?;
    if count != wanted as i64 { Err(format!("{count} messages are stored, {wanted} were sent").into()) } else { Ok(()) }
}
