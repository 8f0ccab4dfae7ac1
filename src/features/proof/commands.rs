//! The work of a night: the chain goes on, everything is proved, and a finding freezes payouts.

use super::{Proof, queries, seals, store};
use crate::features::alerts::{self, NewAlert};
use crate::features::wallet::freezing;
use crate::kernel::id::ProofId;
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::work::AuditRow;

/// The cause of the alert that the books are not in order.
const LEDGER: &str = "ledger";

/// Seals the days that are over, proves the books, and keeps what it found. Running twice does no harm.
pub async fn nightly(platform: &Platform, caller: &Caller) -> Result<Proof> {
    seals::seal(platform, caller).await?;
    let proof = queries::patient(platform).await?;
    let (hash, day) = (proof.chain.last_hash.as_deref().unwrap_or("none"), proof.chain.last_day);
    let day = day.and_then(|day| day.rfc3339()).unwrap_or_default();
    // The log is one place outside of the database where the chain's end is kept.
    if proof.is_proved() {
        tracing::info!(day, hash, "the books are in order");
    } else {
        tracing::error!(day, hash, findings = proof.summary(), "the books are NOT in order; payouts are frozen");
    }
    keep(platform, caller, proof.clone()).await?;
    Ok(proof)
}

async fn keep(platform: &Platform, caller: &Caller, proof: Proof) -> Result<()> {
    platform
        .work
        .run(caller, proof, |unit, proof| {
            Box::pin(async move {
                let id: ProofId = unit.ids.new_id();
                let report = serde_json::to_string(proof).map_err(Error::internal)?;
                store::insert_proof(&mut unit.tx, id, proof, &report, unit.now).await?;
                if !proof.is_proved() {
                    unit.audit(AuditRow::new("ledger.mismatch", id).because(&proof.summary()));
                    let alert = NewAlert::new(alerts::Kind::LedgerMismatch, LEDGER, format!("{}.", proof.summary()));
                    alerts::commands::raise(unit, alert).await?;
                    freezing::freeze(unit, &format!("The proof of the ledger failed: {}.", proof.summary())).await?;
                }
                Ok(())
            })
        })
        .await
}
