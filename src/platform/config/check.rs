//! What settings must be together, beyond the form of each. Production refuses what is only safe on a developer's machine.

use url::Url;

use super::load::Problems;
use super::{Config, Profile, Secret};
use crate::kernel::Currency;

/// Characters of a secret at least.
pub const SECRET_MIN: usize = 32;

impl Config {
    /// Whether the settings may be used; all problems at once.
    pub fn check(&self) -> Result<(), Problems> {
        let problems: Vec<_> = problems(self).into_iter().map(|(key, why)| format!("`{key}`: {why}")).collect();
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }
}

/// Settings that may not be what they are, and why.
pub(super) fn problems(config: &Config) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    numbers(config, &mut found);
    origins(config, &mut found);
    secrets(config, &mut found);
    if Currency::parse(&config.money.default_currency).is_err() {
        found.push(("money.default_currency", "a code of ISO 4217 is wanted, such as USD".to_owned()));
    }
    if config.app.env == Profile::Production && !config.money.allow_sandbox {
        let why = "the sandbox provider moves no real money and is all there is; production needs true to run on it";
        found.push(("money.allow_sandbox", why.to_owned()));
    }
    found
}

fn numbers(config: &Config, found: &mut Vec<(&'static str, String)>) {
    let ranges = [
        ("tokens.access_minutes", config.tokens.access_minutes, 15..=30),
        ("tokens.refresh_days", config.tokens.refresh_days, 1..=365),
        ("money.platform_bps", config.money.platform_bps, 0..=10_000),
        ("money.service_bps", config.money.service_bps, 0..=10_000),
        ("jobs.expire_after_days", config.jobs.expire_after_days, 1..=365),
        ("offers.expire_after_days", config.offers.expire_after_days, 1..=365),
        ("offers.pending_per_job", config.offers.pending_per_job, 1..=1_000),
        ("offers.counter_rounds", config.offers.counter_rounds, 1..=100),
        ("reviews.blind_days", config.reviews.blind_days, 1..=365),
        ("database.connections", i64::from(config.database.connections), 1..=1_000),
        ("server.drain_seconds", i64::try_from(config.server.drain_seconds).unwrap_or(i64::MAX), 0..=300),
    ];
    for (key, value, range) in ranges {
        if !range.contains(&value) {
            found.push((key, format!("{value} is not within {} to {}", range.start(), range.end())));
        }
    }
}

fn origins(config: &Config, found: &mut Vec<(&'static str, String)>) {
    const KEY: &str = "cors.allowed_origins";
    for origin in &config.cors.allowed_origins {
        if origin == "*" {
            if config.app.env == Profile::Production {
                found
                    .push((KEY, "production does not allow any origin (`*`); name the pages that may call".to_owned()));
            }
        } else if !is_origin(origin) {
            found.push((KEY, format!("`{origin}` is no origin; write it like https://app.example.org")));
        }
    }
}

/// Scheme, host and perhaps a port. Apps in a shell have schemes of their own, and many write a slash behind it.
fn is_origin(text: &str) -> bool {
    let has_only_host = |url: &Url| url.has_host() && matches!(url.path(), "" | "/") && url.query().is_none();
    Url::parse(text).is_ok_and(|url| has_only_host(&url) && url.username().is_empty() && url.fragment().is_none())
}

/// A developer's machine may do with any secret, or with none: then one is made up for its database.
fn secrets(config: &Config, found: &mut Vec<(&'static str, String)>) {
    if config.app.env != Profile::Production {
        return;
    }
    let tokens = &config.tokens;
    let (access, previous, refresh) = (&tokens.access_secret, &tokens.access_secret_previous, &tokens.refresh_secret);
    for (key, secret) in [("tokens.access_secret", access), ("tokens.refresh_secret", refresh)] {
        if !secret.is_set() {
            found.push((key, "production needs a secret of its own; make one with `openssl rand -hex 32`".to_owned()));
        } else if is_short(secret) {
            found.push((key, format!("production needs a secret of at least {SECRET_MIN} characters")));
        }
    }
    if previous.is_set() && is_short(previous) {
        let why = format!("production accepts no secret of less than {SECRET_MIN} characters");
        found.push(("tokens.access_secret_previous", why));
    }
    let same = |a: &Secret, b: &Secret| a.is_set() && a.reveal() == b.reveal();
    if same(access, refresh) || same(previous, refresh) {
        found.push(("tokens.refresh_secret", "it must differ from the access secret".to_owned()));
    }
    if same(access, previous) {
        found.push(("tokens.access_secret_previous", "it must differ from the access secret".to_owned()));
    }
}

fn is_short(secret: &Secret) -> bool {
    secret.reveal().chars().count() < SECRET_MIN
}
