//! What settings must be together, beyond the form of each. Production refuses what is only safe on a developer's machine.

use std::net::IpAddr;

use lettre::message::Mailbox;
use url::Url;

use super::load::Problems;
use super::{Config, MailDriver, MailTls, Profile, Secret};
use crate::kernel::Currency;

/// Bytes of a file that a setting may allow: what fits into an Int of the API and one PUT of every store.
const FILE_MAX: i64 = 1024 * 1024 * 1024;
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
    storage(config, &mut found);
    mail(config, &mut found);
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
        ("presence.grace_seconds", config.presence.grace_seconds, 0..=30),
        ("presence.gone_after_seconds", config.presence.gone_after_seconds, 2..=600),
        ("tokens.access_minutes", config.tokens.access_minutes, 15..=30),
        ("tokens.refresh_days", config.tokens.refresh_days, 1..=365),
        ("money.platform_bps", config.money.platform_bps, 0..=10_000),
        ("money.service_bps", config.money.service_bps, 0..=10_000),
        ("jobs.expire_after_days", config.jobs.expire_after_days, 1..=365),
        ("offers.expire_after_days", config.offers.expire_after_days, 1..=365),
        ("offers.pending_per_job", config.offers.pending_per_job, 1..=1_000),
        ("bookings.complete_after_days", config.bookings.complete_after_days, 1..=365),
        ("bookings.lapse_after_days", config.bookings.lapse_after_days, 1..=1_000),
        ("bookings.release_delay_days", config.bookings.release_delay_days, 0..=90),
        ("bookings.change_days", config.bookings.change_days, 1..=365),
        ("disputes.answer_days", config.disputes.answer_days, 1..=365),
        ("disputes.proposal_days", config.disputes.proposal_days, 1..=365),
        ("disputes.open_days", config.disputes.open_days, 1..=365),
        ("offers.counter_rounds", config.offers.counter_rounds, 1..=100),
        ("offers.horizon_days", config.offers.horizon_days, 1..=3_650),
        ("reviews.blind_days", config.reviews.blind_days, 1..=365),
        ("streams.keep_days", config.streams.keep_days, 1..=3_650),
        ("streams.keep_events", config.streams.keep_events, 100..=1_000_000),
        ("codes.digits", config.codes.digits, 4..=8),
        ("codes.minutes", config.codes.minutes, 1..=15),
        ("live.operations_per_socket", i64::from(config.live.operations_per_socket), 1..=1_000),
        ("live.executions_per_socket", i64::from(config.live.executions_per_socket), 1..=100),
        ("live.document_bytes_per_socket", i64::from(config.live.document_bytes_per_socket), 65_536..=16_777_216),
        ("live.connections_per_user", i64::from(config.live.connections_per_user), 1..=1_000),
        ("live.connections_per_address", i64::from(config.live.connections_per_address), 1..=1_000_000),
        ("database.connections", i64::from(config.database.connections), 1..=1_000),
        ("storage.max_file_size", i64::try_from(config.storage.max_file_size).unwrap_or(i64::MAX), 1..=FILE_MAX),
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

fn storage(config: &Config, found: &mut Vec<(&'static str, String)>) {
    let storage = &config.storage;
    let addresses = [
        ("server.public_url", &config.server.public_url),
        ("storage.public_base_url", &storage.public_base_url),
        ("storage.endpoint", &storage.endpoint),
    ];
    for (key, address) in addresses.into_iter().filter(|(_, address)| !address.is_empty()) {
        if !is_web_address(address) {
            found.push((key, format!("`{address}` is no address; write it like https://api.example.org")));
        } else if config.app.env == Profile::Production && !address.starts_with("https:") {
            found.push((key, "production hands out addresses with https only".to_owned()));
        }
    }
    if storage.bucket.is_empty() {
        return;
    }
    for (key, half) in [("storage.access_key", &storage.access_key), ("storage.secret_key", &storage.secret_key)] {
        if !half.is_set() {
            found.push((key, "a bucket needs both halves of the store's key".to_owned()));
        }
    }
    if storage.region.is_empty() {
        found.push(("storage.region", "requests to a bucket are signed for a region; `auto` is one".to_owned()));
    }
}

fn is_web_address(text: &str) -> bool {
    let is_plain = |url: &Url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain(&url))
}

/// Production sends letters, and not in clear text over a network.
fn mail(config: &Config, found: &mut Vec<(&'static str, String)>) {
    let mail = &config.mail;
    let is_production = config.app.env == Profile::Production;
    match mail.from.parse::<Mailbox>() {
        Err(_) => found.push(("mail.from", "write it like `Shop <no-reply@shop.example.org>`".to_owned())),
        Ok(from) if is_production && !from.email.domain().contains('.') => {
            found.push(("mail.from", "production needs the address that its letters come from".to_owned()));
        }
        Ok(_) => {}
    }
    match mail.driver() {
        MailDriver::Smtp if mail.smtp_host.is_empty() => {
            found.push(("mail.smtp_host", "the driver smtp needs a mail server".to_owned()));
        }
        MailDriver::Smtp if is_production && mail.smtp_tls == MailTls::None && !is_here(&mail.smtp_host) => {
            found.push(("mail.smtp_tls", "production sends no letters in clear text over a network".to_owned()));
        }
        MailDriver::Smtp => {}
        _ if is_production => {
            let why = "production sends its letters: name a mail server, and a driver that is not file or log";
            found.push(("mail.smtp_host", why.to_owned()));
        }
        _ => {}
    }
    if mail.smtp_port == 0 {
        found.push(("mail.smtp_port", "a mail server listens on a port from 1 to 65535".to_owned()));
    }
    if mail.smtp_user.is_empty() == mail.smtp_pass.is_set() {
        found.push(("mail.smtp_user", "user and password are set together, or neither".to_owned()));
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_short(secret: &Secret) -> bool {
    secret.reveal().chars().count() < SECRET_MIN
}
