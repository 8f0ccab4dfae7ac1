//! Deals: customers accept offers. Money, job, offers, booking, conversation, events, audit and tasks change together.
//!
//! The ceiling is what PostgreSQL does with the same statements and nobody in front of it: `benches/ceilings/accept.sql`,
//! run by pgbench.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use load::Outcome;
use load::wire::{Request, Wire};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};
use tokio::process::Command;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::data::type_id;
use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};

/// Deals under way at once.
pub const AT_ONCE: usize = 16;
/// Deals before anything is measured.
const WARM: usize = 160;
const ACCEPT: &str = "mutation ($input: OfferAcceptInput!) { offerAccept(input: $input) {
    booking { id status } userErrors { code message } } }";

/// `deals` offers are accepted.
pub async fn run(ground: &Ground, kind: Kind, deals: usize, ceilings: &Path) -> Outcome<Measure> {
    if kind == Kind::Ceiling {
        return ceiling(ground, deals, ceilings).await;
    }
    let running = ground.start(kind).await?;
    let before = bookings(&running).await?;
    let mut warm = requests(ground, &running, WARM + deals).await?;
    let measured = warm.split_off(WARM);
    accept(&running, warm).await?;
    let meter = Meter::begin(ground, &running).await?;
    let mut millis = accept(&running, measured).await?;
    let measure = meter.end("accept", "deals", deals, &mut millis).await?.of_size(AT_ONCE);
    let made = bookings(&running).await? - before;
    if made != (WARM + deals) as i64 {
        return Err(format!("{made} bookings of {} deals", WARM + deals).into());
    }
    ground.prove(running.database()).await?;
    ground.end(running).await?;
    Ok(measure)
}

async fn bookings(running: &Running) -> Outcome<i64> {
    Ok(sqlx::query_scalar("select count(*) from bookings").fetch_one(&running.db).await?)
}

/// The acceptance of one offer of each of so many open jobs, by their customers in turn.
async fn requests(ground: &Ground, running: &Running, count: usize) -> Outcome<Vec<Request>> {
    let rows = sqlx::query(
        "select distinct on (j.created_at, j.id) o.id, o.customer_id from jobs j join offers o on o.job_id = j.id
        where j.status = 'OPEN' and o.status = 'PENDING' order by j.created_at, j.id, o.created_at limit $1",
    );
    let rows = rows.bind(i64::try_from(count)?).fetch_all(&running.db).await?;
    if rows.len() != count {
        return Err(format!("there are {} open jobs with offers, {count} are needed", rows.len()).into());
    }
    let one = |row: &sqlx::postgres::PgRow| -> Outcome<Request> {
        let (offer, customer): (Uuid, Uuid) = (row.get(0), row.get(1));
        let customer = ground.world.people.iter().find(|account| account.user == customer).ok_or("no such customer")?;
        let input = json!({ "offerId": type_id("offer", offer), "idempotencyKey": offer.to_string() });
        let body = json!({ "query": ACCEPT, "variables": { "input": input } }).to_string();
        Ok(Request::post("/graphql", &running.kind.token(customer)?, &body))
    };
    rows.iter().map(one).collect()
}

async fn accept(running: &Running, requests: Vec<Request>) -> Outcome<Vec<f64>> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut wire = Wire::connect(running.first().address).await?;
        let (requests, next) = (requests.clone(), next.clone());
        tasks.spawn(async move {
            let mut millis = Vec::new();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                let body = std::str::from_utf8(wire.ask(request).await?)?;
                millis.push(begun.elapsed().as_secs_f64() * 1e3);
                if !body.contains(r#""userErrors":[]"#) || !body.contains(r#""CONFIRMED""#) {
                    return Err(format!("no deal: {body:.300}").into());
                }
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

/// pgbench alone. What it tells of each transaction is in a log of its own.
async fn ceiling(ground: &Ground, deals: usize, ceilings: &Path) -> Outcome<Measure> {
    let running = ground.bare().await?;
    let prepare = std::fs::read_to_string(ceilings.join("accept-prepare.sql"))?;
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&running.db).await?;
    let folder = tempfile::tempdir()?;
    let script = ceilings.join("accept.sql");
    let pgbench = |each: usize| {
        let mut command = Command::new("pgbench");
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"]);
        command.arg(format!("--client={AT_ONCE}")).arg(format!("--transactions={each}"));
        command.arg(format!("--log-prefix={}", folder.path().join(each.to_string()).display()));
        command.arg("--file").arg(&script).arg(ground.url(running.database()));
        command
    };
    works(pgbench(WARM / AT_ONCE)).await?;
    let meter = Meter::begin(ground, &running).await?;
    works(pgbench(deals / AT_ONCE)).await?;
    let held = meter.hold(deals).await?;
    let mut millis = logged(folder.path(), &(deals / AT_ONCE).to_string())?;
    let measure = held.tell("accept", "deals", &mut millis).of_size(AT_ONCE);
    ground.prove(running.database()).await?;
    ground.end(running).await?;
    Ok(measure)
}

async fn works(mut command: Command) -> Outcome<()> {
    let output = command.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && !said.contains("aborted") { Ok(()) } else { Err(format!("pgbench: {said}").into()) }
}

/// How long each transaction took: the third column, in microseconds.
fn logged(folder: &Path, prefix: &str) -> Outcome<Vec<f64>> {
    let mut millis = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().split('.').next() == Some(prefix) {
            let text = std::fs::read_to_string(entry.path())?;
            let times = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            millis.extend(times.map(|micros| micros / 1e3));
        }
    }
    Ok(millis)
}
