//! Letters that go nowhere: the log says that there was one, and nothing of what it says or for whom.

use async_trait::async_trait;

use super::{Mailer, Outgoing, Refusal};
use crate::kernel::Result;

/// Notes letters in the log.
pub struct Log;

#[async_trait]
impl Mailer for Log {
    async fn send(&self, letter: &Outgoing) -> Result<Option<String>, Refusal> {
        tracing::info!(letter = %letter.id, bytes = letter.message.formatted().len(), "a letter is not sent, only noted");
        Ok(None)
    }
}
