//! Proving. Everything is read in one snapshot, so that writers neither wait nor disturb.

use tokio::sync::Semaphore;

use super::model::{Chain, Check, Nightly, Outcome, Proof};
use super::{seals, store};
use crate::features::wallet::freezing::{self, Freeze};
use crate::kernel::{Caller, Code, Error, Result, Role};
use crate::platform::Platform;
use crate::platform::db::{Query, Tx};

/// A check and the statement that finds what is wrong.
type Line = (Check, fn() -> Query);

/// Every check that is one statement.
const CHECKS: [Line; 9] = [
    (Check::Balance, store::checks::balance),
    (Check::Totals, store::checks::totals),
    (Check::Currencies, store::checks::currencies),
    (Check::Floors, store::checks::floors),
    (Check::Holds, store::checks::holds),
    (Check::Resolutions, store::checks::resolutions),
    (Check::Offers, store::checks::offers),
    (Check::Escrows, store::checks::escrows),
    (Check::Wallets, store::checks::wallets),
];

/// One proof at a time in a process: each reads all rows.
static TURN: Semaphore = Semaphore::const_new(1);

/// A proof for an administrator, within the time of a request.
pub async fn for_admin(platform: &Platform, caller: &Caller) -> Result<Proof> {
    caller.viewer()?.must_be(Role::Admin)?;
    let busy = |_| Error::new(Code::Unavailable, "The books are being proved already; ask again in a moment.");
    let _turn = TURN.try_acquire().map_err(busy)?;
    let tx = platform.db.snapshot().await?;
    prove(platform, tx).await
}

/// A proof that may take as long as it takes.
pub async fn patient(platform: &Platform) -> Result<Proof> {
    let _turn = TURN.acquire().await.map_err(Error::internal)?;
    let tx = platform.db.long_snapshot().await?;
    prove(platform, tx).await
}

async fn prove(platform: &Platform, mut tx: Tx) -> Result<Proof> {
    let now = platform.clock.now();
    let currencies = store::sums(&mut tx).await?;
    let mut checks = Vec::with_capacity(CHECKS.len() + 1);
    for (check, statement) in CHECKS {
        let (findings, examples) = store::checks::find(&mut tx, statement()).await?;
        checks.push(Outcome { check, findings, examples });
    }
    let (chain, outcome) = chain(&mut tx).await?;
    checks.push(outcome);
    let open_holds = store::open_holds(&mut tx, now).await?;
    let freeze = freezing::frozen(&mut tx).await?;
    tx.rollback().await?;
    let duration_ms = platform.clock.now().0 - now.0;
    Ok(Proof { proved_at: now, duration_ms, checks, currencies, open_holds, chain, freeze })
}

async fn chain(tx: &mut Tx) -> Result<(Chain, Outcome)> {
    let verified = seals::verify(tx).await?;
    let (lost, mut examples) = store::checks::find(tx, store::checks::lost_seals()).await?;
    let findings = verified.findings + lost;
    examples.extend(verified.examples);
    examples.truncate(store::checks::EXAMPLES);
    Ok((verified.chain, Outcome { check: Check::Chain, findings, examples }))
}

/// What the last night found, and whether payouts are frozen: for whoever watches.
pub async fn watch(platform: &Platform) -> Result<(Option<Nightly>, Option<Freeze>)> {
    Ok((store::last_nightly(&platform.db).await?, freezing::frozen(&platform.db).await?))
}
