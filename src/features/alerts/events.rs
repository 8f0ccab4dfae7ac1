//! The facts that alerts state, in the topic of staff.

use serde::{Deserialize, Serialize};

use super::Alert;
use crate::kernel::Result;
use crate::platform::streams::{Draft, Event, StreamName};

/// The subscription that shows them.
pub const NOUN: &str = "alert";
/// An alert was raised, or raised again.
pub const RAISED: &str = "AdminAlertRaised";
/// An alert was dismissed.
pub const DISMISSED: &str = "AdminAlertDismissed";

/// Who may hear of it.
#[derive(Serialize, Deserialize)]
struct Facts {
    is_money: bool,
}

/// An alert was raised, or raised again.
pub fn raised(alert: &Alert) -> Result<Draft> {
    happened(RAISED, alert)
}

/// An alert was dismissed.
pub fn dismissed(alert: &Alert) -> Result<Draft> {
    happened(DISMISSED, alert)
}

fn happened(kind: &'static str, alert: &Alert) -> Result<Draft> {
    let facts = Facts { is_money: alert.kind.is_money() };
    Draft::new(NOUN, kind, alert.id, alert.version).to_topic(StreamName::staff()).facts(&facts)
}

/// Whether an event is about money, so that only administrators hear of it.
pub fn is_money(event: &Event) -> bool {
    event.noun == NOUN && event.read_facts::<Facts>().map_or(true, |facts| facts.is_money)
}
