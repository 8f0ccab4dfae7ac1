//! Which web pages may open a socket. Browsers send their origin and ask no leave beforehand, so it is checked here.

use axum::http::{HeaderMap, header};

use crate::server::state::Server;

/// Whether a page of this origin may connect: the server's own, those that the settings name, and in development those on
/// the same machine. What is no page sends no origin and may.
pub fn origin_allowed(server: &Server, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let config = &server.platform.config;
    origin.to_str().is_ok_and(|origin| is_allowed(origin, host, &config.cors.allowed_origins, config.is_development()))
}

fn is_allowed(origin: &str, host: Option<&str>, allowed: &[String], in_development: bool) -> bool {
    let same = |text: &str| text.trim_end_matches('/').eq_ignore_ascii_case(origin);
    if allowed.iter().any(|entry| same(entry) || entry == "*" && in_development) {
        return true;
    }
    let Some((_, authority)) = origin.split_once("://") else { return false };
    if host.is_some_and(|host| host.eq_ignore_ascii_case(authority)) {
        return true;
    }
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    in_development && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_others_are_refused() {
        let allowed = ["https://app.example.org/".to_owned()];
        let may = |origin, in_development| is_allowed(origin, Some("api.example.org"), &allowed, in_development);
        assert!(may("https://app.example.org", false) && may("https://API.example.org", false));
        for origin in
            ["https://app.example.org.evil.net", "https://evil.net", "null", "http://localhost.evil.net:80", ""]
        {
            assert!(!may(origin, true), "{origin}");
        }
        for origin in ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:1"] {
            assert!(may(origin, true) && !may(origin, false), "{origin}");
        }
        assert!(!is_allowed("https://a.b", None, &["*".to_owned()], false));
        assert!(is_allowed("https://a.b", None, &["*".to_owned()], true));
    }
}
