//! Payment providers: who moves real money in and out.
//!
//! The contract is small on purpose. An intent row exists before the provider is called, and its id is the provider's
//! idempotency key, so that a call may be repeated by anybody at any time. To add a provider: implement [`Provider`] in a
//! file here and name it in the settings.

mod sandbox;

use async_trait::async_trait;

pub use sandbox::Sandbox;

use crate::kernel::id::PaymentId;
use crate::kernel::{Money, Result};

/// What a provider is asked to collect.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Our id of it, and the provider's idempotency key.
    pub id: PaymentId,
    /// How much.
    pub amount: Money,
}

/// How far a provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The money is there.
    Captured {
        /// The provider's own id of it.
        reference: String,
    },
    /// The user has to confirm it on the provider's page first.
    Waiting {
        /// That page.
        redirect_url: String,
    },
    /// It will not come.
    Failed {
        /// What kind of failure it is.
        code: Failure,
        /// Why, in the provider's words.
        reason: String,
    },
}

/// Why money does not come, reduced to what a person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The card or the bank said no.
    Declined,
    /// The user did not confirm in time.
    Expired,
    /// The user gave up on the provider's page.
    Cancelled,
    /// The provider broke.
    ProviderError,
}

impl Failure {
    /// All of them.
    pub const ALL: [Failure; 4] = [Failure::Declined, Failure::Expired, Failure::Cancelled, Failure::ProviderError];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::Declined => "DECLINED",
            Failure::Expired => "EXPIRED",
            Failure::Cancelled => "CANCELLED",
            Failure::ProviderError => "PROVIDER_ERROR",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    /// Whether the same payment, begun anew, may well succeed.
    pub const fn is_retryable(self) -> bool {
        !matches!(self, Failure::Declined)
    }
}

/// Moves real money, or plays at it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The name that payments are stored with.
    fn name(&self) -> &'static str;

    /// Starts to collect, or says how far a started one is. Repeating it changes nothing.
    async fn collect(&self, intent: &Intent) -> Result<Progress>;
}
