//! `gigwire proof`: proves the books, for people or as JSON. Its exit status is 0 when they are in order, else 1.

use std::fmt::Write;
use std::path::Path;

use clap::Args;

use super::{Failure, logs, open, print};
use crate::features::proof::{Proof, queries};
use crate::features::wallet::freezing;
use crate::kernel::{Caller, Error, Money, Timestamp};
use crate::platform::config::Config;

/// How to prove.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Let payouts go on that a mismatch froze, for this reason; only if the books are in order again
    #[arg(long, value_name = "REASON")]
    lift: Option<String>,
}

/// Proves, prints, and fails if anything is wrong.
pub async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    logs::to_stderr(&config);
    let url = config.database_url();
    if url.strip_prefix("sqlite:").is_some_and(|path| !Path::new(path.trim_start_matches("//")).exists()) {
        return Err(Error::internal(format!("there is no database at {url}: nothing is proved")).into());
    }
    let platform = open(config).await?;
    let outcome = async {
        let proof = queries::patient(&platform).await?;
        print(&if arguments.json { json(&proof)? } else { table(&proof) })?;
        if !proof.is_proved() {
            return Err(Error::conflict(format!("the books are not in order: {}", proof.summary())).into());
        }
        if let Some(reason) = &arguments.lift {
            freezing::lift(&platform, &Caller::system("cli"), reason).await?;
            eprintln!("Payouts go on.");
        }
        Ok(())
    }
    .await;
    platform.close().await;
    outcome
}

fn json(proof: &Proof) -> Result<String, Error> {
    let mut value = serde_json::to_value(proof).map_err(Error::internal)?;
    value["isProved"] = proof.is_proved().into();
    Ok(format!("{value:#}\n"))
}

fn table(proof: &Proof) -> String {
    let mut text = String::new();
    let time = |at: Option<Timestamp>| at.and_then(Timestamp::rfc3339).unwrap_or_else(|| "never".to_owned());
    let _ = writeln!(text, "{:<12} {:>9}", "CHECK", "FINDINGS");
    for outcome in &proof.checks {
        let _ = writeln!(text, "{:<12} {:>9}", outcome.check.name(), outcome.findings);
        for example in &outcome.examples {
            let _ = writeln!(text, "  {example}");
        }
    }
    let _ = writeln!(
        text,
        "\n{:<8} {:>20} {:>20} {:>20} {:>20} {:>20}",
        "CURRENCY", "AVAILABLE", "HELD", "ESCROW", "FEES", "GATEWAY"
    );
    for sums in &proof.currencies {
        let cell = |minor| Money::new(minor, sums.currency).decimal();
        let _ = writeln!(
            text,
            "{:<8} {:>20} {:>20} {:>20} {:>20} {:>20}",
            sums.currency.code(),
            cell(sums.available),
            cell(sums.held),
            cell(sums.escrow),
            cell(sums.fees),
            cell(sums.gateway)
        );
    }
    let _ = writeln!(text, "\n{:<8} {:<14} {:>9} {:>20}", "HOLDS", "OPEN FOR", "COUNT", "AMOUNT");
    for holds in &proof.open_holds {
        let amount = Money::new(holds.amount, holds.currency).decimal();
        let _ =
            writeln!(text, "{:<8} {:<14} {:>9} {amount:>20}", holds.currency.code(), holds.age.words(), holds.count);
    }
    let chain = &proof.chain;
    let hash = chain.last_hash.as_deref().unwrap_or("none");
    let _ = writeln!(text, "\nsealed days  {}, the last one {}", chain.days, time(chain.last_day));
    let _ = writeln!(text, "last seal    {hash}\nunsealed     {} transfers", chain.unsealed);
    match &proof.freeze {
        Some(freeze) => {
            let _ = writeln!(text, "payouts      FROZEN since {}: {}", time(Some(freeze.created_at)), freeze.reason);
        }
        None => text.push_str("payouts      not frozen\n"),
    }
    let word = if proof.is_proved() { "IN ORDER" } else { "NOT IN ORDER" };
    let _ = writeln!(text, "\nThe books are {word} ({} ms).", proof.duration_ms);
    text
}
