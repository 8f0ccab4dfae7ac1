//! The page of a list with its details: 20 jobs, the customer of each, three offers on each and their contractors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use load::Outcome;
use load::wire::{Request, Wire};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};

/// Jobs on a page.
const JOBS: usize = 20;
/// Offers on each.
const OFFERS: usize = 3;
/// Pages of each connection before anything is measured.
const WARM: usize = 40;
/// Jobs whose cursors are gathered at once.
const GATHERED: usize = 100;
/// Cursors that are gathered at most.
const CURSORS: usize = 9_000;

const DOCUMENT: &str = "query ($after: String) { jobs(first: 20, after: $after) {
    edges { cursor node { id title description budget { amount currency } status createdAt customer { id displayName }
        offers(first: 3) { edges { node { id amount { amount currency } message status contractor { id displayName } } } } } }
    pageInfo { hasNextPage endCursor } } }";
const CURSORS_ONLY: &str = "query ($after: String) { jobs(first: 100, after: $after) { edges { cursor } pageInfo { hasNextPage endCursor } } }";

/// `connections` connections ask for `pages` pages each. Nothing is written, so that rows of which a copy would take long
/// can be read where they are.
pub async fn run(ground: &Ground, running: Running, connections: usize, pages: usize) -> Outcome<Measure> {
    let kind = running.kind;
    let cursors = gather(ground, &running).await?;
    let requests = Arc::new(requests(ground, kind, &cursors)?);
    ask(&running, &requests, connections, WARM).await?;
    let meter = Meter::begin(ground, &running).await?;
    let mut millis = ask(&running, &requests, connections, pages).await?;
    let measure = meter.end("page", "pages", connections * pages, &mut millis).await?.of_size(connections);
    ground.end(running).await?;
    Ok(measure)
}

/// Cursors of the list from its start, but for the last page.
async fn gather(ground: &Ground, running: &Running) -> Outcome<Vec<String>> {
    let mut cursors = Vec::new();
    let mut after = Value::Null;
    let staff = &ground.world.staff;
    while cursors.len() < CURSORS {
        let token = running.kind.token(&staff[cursors.len() / GATHERED % staff.len()])?;
        let data = running.first().http.ask(Some(&token), CURSORS_ONLY, json!({ "after": after })).await?;
        let edges = data["jobs"]["edges"].as_array().ok_or("no edges")?;
        cursors.extend(edges.iter().filter_map(|edge| edge["cursor"].as_str().map(str::to_owned)));
        if data["jobs"]["pageInfo"]["hasNextPage"] != json!(true) {
            cursors.truncate(cursors.len().saturating_sub(JOBS));
            break;
        }
        after = data["jobs"]["pageInfo"]["endCursor"].clone();
    }
    Ok(cursors)
}

/// Requests at random places, by all of staff in turn.
fn requests(ground: &Ground, kind: Kind, cursors: &[String]) -> Outcome<Vec<Request>> {
    let mut chance = StdRng::seed_from_u64(1);
    let tokens: Vec<_> = ground.world.staff.iter().map(|account| kind.token(account)).collect::<Outcome<_>>()?;
    let one = |number: usize| {
        let after = &cursors[chance.random_range(0..cursors.len())];
        let body = json!({ "query": DOCUMENT, "variables": { "after": after } }).to_string();
        Request::post("/graphql", &tokens[number % tokens.len()], &body)
    };
    Ok((0..cursors.len().min(4_000)).map(one).collect())
}

async fn ask(running: &Running, requests: &Arc<Vec<Request>>, connections: usize, pages: usize) -> Outcome<Vec<f64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let mut wire = Wire::connect(running.first().address).await?;
        let (requests, next) = (requests.clone(), next.clone());
        tasks.spawn(async move {
            let mut millis = Vec::with_capacity(pages);
            for _ in 0..pages {
                let request = &requests[next.fetch_add(1, Ordering::Relaxed) % requests.len()];
                let begun = Instant::now();
                let body = wire.ask(request).await?;
                millis.push(begun.elapsed().as_secs_f64() * 1e3);
                check(body)?;
            }
            Outcome::Ok(millis)
        });
    }
    let mut all = Vec::new();
    while let Some(millis) = tasks.join_next().await {
        all.extend(millis??);
    }
    Ok(all)
}

/// A page has so many customers and offers, and no error.
fn check(body: &[u8]) -> Outcome<()> {
    let text = std::str::from_utf8(body)?;
    let (customers, contractors) = (text.matches(r#""customer""#).count(), text.matches(r#""contractor""#).count());
    if customers != JOBS || contractors != JOBS * OFFERS || text.contains(r#""errors""#) {
        return Err(format!("a page of {customers} jobs and {contractors} offers: {text:.300}").into());
    }
    Ok(())
}
