//! Tasks of mail.

use crate::features::accounts::codes;
use crate::features::alerts;
use crate::kernel::{Caller, Code, Error, Result};
use crate::platform::Platform;
use crate::platform::mail::Refusal;
use crate::platform::mail::letters::{self, Deliver, End, Waiting};
use crate::platform::queue::Task;

/// Sends a letter. It ends in the same transaction as its task, so that a second run finds nothing to send; a mail server
/// that is away is tried again, with growing pauses.
pub(super) async fn deliver(platform: &Platform, caller: &Caller, task: &Task) -> Result<()> {
    let Deliver { letter } = task.read()?;
    let Some(letter) = letters::waiting(&platform.db, letter).await? else { return Ok(()) };
    let outcome = match attempt(platform, &letter).await? {
        Ok(reference) => End::Sent(reference),
        Err(Refusal::ForEver(why)) => End::Failed(why),
        Err(Refusal::ForNow(why)) if task.is_last_attempt() => End::Failed(why),
        Err(Refusal::ForNow(why)) => {
            count("postponed");
            letters::postpone(&platform.db, letter.id, task.attempts(), &why, platform.clock.now()).await?;
            return Err(Error::new(Code::Unavailable, why));
        }
    };
    match &outcome {
        End::Sent(_) => count("sent"),
        End::Failed(why) => {
            count("failed");
            tracing::warn!(letter = %letter.id, why, "a letter will not be delivered");
        }
    }
    let has_failed = matches!(outcome, End::Failed(_));
    letters::end(&platform.work, caller, task.id, task.attempts(), letter.id, outcome).await?;
    if has_failed {
        alerts::commands::count_letters(platform, caller).await?;
    }
    Ok(())
}

async fn attempt(platform: &Platform, letter: &Waiting) -> Result<Result<Option<String>, Refusal>> {
    let Some(id) = letter.code else { return Ok(platform.mail.send(letter, None).await) };
    match codes::reveal(platform, id, &letter.address).await? {
        None => Ok(Err(Refusal::ForEver("the code in it is not good any more".to_owned()))),
        code => Ok(platform.mail.send(letter, code).await),
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("gigwire_letters_total", "outcome" => outcome).increment(1);
}
