//! Which web pages may call, and the headers that keep browsers careful.
//!
//! Tokens travel in a header that only a script can set, never in a cookie, so no answer ever allows credentials: a page
//! of another origin can do nothing in the name of whoever looks at it.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use url::{Host, Url};

use super::caller::REQUEST_ID;
use crate::platform::config::Config;

/// Browsers keep the answer to a preflight for so long.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// Answers are data: nothing in them may be shown or run as a page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The origins of pages that may call.
#[derive(Clone, Debug)]
pub struct Origins {
    listed: Vec<String>,
    any: bool,
    local: bool,
}

impl Origins {
    /// Those that the settings name; in development also every page on this machine.
    pub fn new(config: &Config) -> Self {
        let listed: Vec<_> = config.cors.allowed_origins.iter().map(|origin| normal(origin)).collect();
        Origins { any: listed.iter().any(|origin| origin == "*"), listed, local: config.is_development() }
    }

    /// Whether a page may call. A request without `Origin` comes from no page. Those of the server's own host may always.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| self.allows(origin, headers))
    }

    fn allows(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str().map(normal) else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_own = host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, own)| own == host));
        is_own || self.any || self.listed.contains(&origin) || self.local && is_local(&origin)
    }

    /// The layer that answers preflights and names the origin to those who may call.
    pub fn layer(self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, parts| self.allows(origin, &parts.headers)))
            // Files are put, everything else is got or posted.
            .allow_methods([Method::GET, Method::POST, Method::PUT])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([REQUEST_ID, header::RETRY_AFTER])
            .max_age(PREFLIGHT_KEPT)
    }
}

/// The form in which origins are compared: lower case, no slash at the end.
fn normal(origin: &str) -> String {
    origin.trim_end_matches('/').to_ascii_lowercase()
}

fn is_local(origin: &str) -> bool {
    match Url::parse(origin).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Adds what every answer carries, unless the answer has a rule of its own.
pub fn secure(headers: &mut HeaderMap) {
    const ALWAYS: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &Origins, origin: &str) -> bool {
        let pairs = [(header::HOST, "api.example.org:4000"), (header::ORIGIN, origin)];
        origins.allow(&pairs.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect())
    }

    #[test]
    fn own_listed_and_in_development_local_pages_may_call() {
        let mut origins = Origins { listed: vec![normal("https://App.example.org/")], any: false, local: false };
        assert!(allowed(&origins, "https://api.example.org:4000") && allowed(&origins, "https://app.example.org"));
        for foreign in ["https://api.example.org", "http://localhost:3000", "https://app.example.org.evil.test", "null"]
        {
            assert!(!allowed(&origins, foreign), "{foreign}");
        }
        origins.local = true;
        for local in ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:1"] {
            assert!(allowed(&origins, local), "{local}");
        }
        for foreign in ["http://localhost.evil.test", "http://192.168.0.2", "https://evil.test/localhost", "null"] {
            assert!(!allowed(&origins, foreign), "{foreign}");
        }
        origins.any = true;
        assert!(allowed(&origins, "https://evil.test"));
    }

    #[test]
    fn who_is_no_page_may_call() {
        let origins = Origins { listed: Vec::new(), any: false, local: false };
        assert!(origins.allow(&HeaderMap::new()));
    }
}
