//! What a server says when it is ready: where it can be reached, and what it stands on.

use std::net::SocketAddr;

use crate::platform::Platform;
use crate::platform::config::MailDriver;

/// Loud, because nobody may take it for a shop.
const SANDBOX: &str = "PAYMENTS ARE THE SANDBOX: deposits settle by themselves and NO REAL MONEY MOVES.";

/// The pairs of name and place that the banner shows.
fn facts(platform: &Platform, address: SocketAddr) -> Vec<(&'static str, String)> {
    let config = &platform.config;
    let base = format!("//{address}");
    let place = match (platform.db.is_postgres(), config.database.url.reveal()) {
        (true, url) => without_password(url),
        (false, "") => config.app.data_dir.join("gigwire.db").display().to_string(),
        (false, url) => url.trim_start_matches("sqlite:").to_owned(),
    };
    let bus = match config.redis.url.is_set() {
        true => format!("Redis, {}", without_password(config.redis.url.reveal())),
        false => "in this process: run one instance only".to_owned(),
    };
    let mail = match (config.mail.driver(), &platform.mail.captured) {
        (_, Some(folder)) if config.is_development() => {
            format!("captured in {}, shown at http:{base}/dev/mail", folder.path().display())
        }
        (_, Some(folder)) => format!("captured in {}", folder.path().display()),
        (MailDriver::Log, _) => "noted in the log, none is sent".to_owned(),
        _ => format!("SMTP, {}:{}", config.mail.smtp_host, config.mail.smtp_port),
    };
    vec![
        ("GraphQL", format!("http:{base}/graphql")),
        ("WebSocket", format!("ws:{base}/graphql/ws")),
        ("Playground", format!("http:{base}/graphql in a browser")),
        ("Health", format!("http:{base}/healthz and /readyz")),
        ("Metrics", format!("http:{base}/metrics")),
        ("Database", format!("{}, {place}", platform.db.name())),
        ("Bus", bus),
        ("Files", platform.files.name()),
        ("Mail", mail),
    ]
}

/// Host and path of an address, without who signs in there.
fn without_password(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else { return "at the address that is set".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

/// Tells that the server is ready: as a text for people, or in production as one line of the log.
pub fn tell(platform: &Platform, address: SocketAddr) {
    let facts = facts(platform, address);
    if platform.config.is_development() {
        println!("\ngigwire {} is ready\n", env!("CARGO_PKG_VERSION"));
        for (name, place) in facts {
            println!("  {name:<14} {place}");
        }
        println!("\n  {SANDBOX}\n");
        return;
    }
    let line: Vec<_> = facts.into_iter().map(|(name, place)| format!("{name}: {place}")).collect();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready; {}", line.join("; "));
    tracing::warn!("{SANDBOX}");
}
