//! What becomes of the figures when there is more of everything.

use load::Outcome;

use crate::ground::{Ground, Kind};
use crate::meter::Measure;
use crate::{Plan, Work, broadcast, chat, page, resume, table};

/// Messages of all pairs together: as many for few pairs as for many, but for the quota of a person.
const MESSAGES: usize = 10_000;
/// What a pair may write at most.
const MESSAGES_OF_PAIR: usize = 300;
/// Deliveries to all together.
const DELIVERIES: usize = 100_000;

/// Everything, at each size.
pub async fn run(ground: &Ground, plan: &Plan, found: &mut Vec<Measure>) -> Outcome<()> {
    for kind in plan.peers.iter().copied() {
        if kind.can(Work::Chat) {
            for pairs in sizes(plan, [10, 100, 1_000]) {
                let messages = (MESSAGES / pairs).clamp(10, MESSAGES_OF_PAIR);
                note(found, "chat", chat::run(ground, kind, pairs, messages, 1).await?.of_size(pairs));
            }
            let (pairs, messages) = (plan.size.pairs, plan.size.messages);
            for instances in [1, 2] {
                let measure = chat::run(ground, kind, pairs, messages, instances).await?;
                note(found, "instances", measure.of_size(instances));
            }
        }
        if kind.can(Work::Broadcast) {
            for subscribers in sizes(plan, [100, 1_000, 5_000]) {
                let count = (DELIVERIES / subscribers).clamp(20, 400);
                note(found, "broadcast", broadcast::run(ground, kind, subscribers, count).await?.of_size(subscribers));
            }
        }
        if kind == Kind::Gigwire {
            for events in sizes(plan, [10, 1_000, 100_000]) {
                note(found, "resume", resume::run(ground, events, plan.size.resumptions).await?);
            }
        }
    }
    pages(ground, plan, found).await
}

/// Pages of the list as it is, and of one that is very long.
async fn pages(ground: &Ground, plan: &Plan, found: &mut Vec<Measure>) -> Outcome<()> {
    let (connections, count) = (plan.size.connections, plan.size.pages);
    let long = if plan.quick { None } else { Some(ground.longer(plan.many_jobs).await?) };
    for kind in plan.peers.iter().copied().filter(|kind| kind.can(Work::Page)) {
        let few = page::run(ground, ground.start(kind).await?, connections, count).await?;
        note(found, "page", few.of_size(plan.jobs));
        if let Some(long) = &long {
            let many = page::run(long, long.start_in_place(kind).await?, connections, count).await?;
            note(found, "page", many.of_size(plan.many_jobs));
        }
    }
    Ok(())
}

fn note(found: &mut Vec<Measure>, what: &str, measure: Measure) {
    let measure = Measure { work: format!("growth/{what}"), ..measure };
    table::say(&measure);
    found.push(measure);
}

/// The first two of them when it has to be quick.
fn sizes(plan: &Plan, all: [usize; 3]) -> impl Iterator<Item = usize> {
    all.into_iter().take(if plan.quick { 2 } else { 3 })
}
