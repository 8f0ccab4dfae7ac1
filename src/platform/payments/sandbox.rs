//! The sandbox: says yes to everything and moves no real money.

use async_trait::async_trait;

use super::{Intent, Progress, Provider};
use crate::kernel::Result;

/// Captures everything at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

#[async_trait]
impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    async fn collect(&self, intent: &Intent) -> Result<Progress> {
        Ok(Progress::Captured { reference: format!("sandbox-{}", intent.id) })
    }
}
