//! Who a request comes from: its id, the client's address and name, and the token that it shows.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Request, header};

use super::state::Server;
use crate::features::accounts::sessions::Pass;
use crate::kernel::{Caller, Result};

/// Names a request in logs, audit rows and answers. A client or a proxy may bring its own.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where proxies note whom they forward for, each at the end.
pub const FORWARDED_FOR: &str = "x-forwarded-for";
/// Where proxies note by which scheme the client came.
const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// Characters of a request id that is taken over.
const REQUEST_ID_MAX: usize = 128;
/// Characters of a client's name that are kept.
const AGENT_MAX: usize = 200;

impl Server {
    /// Who asks, before any token is looked at.
    pub fn caller<B>(&self, request: &Request<B>) -> Caller {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let request_id = given_id(headers).unwrap_or_else(|| self.platform.ids.uuid().simple().to_string().into());
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Caller {
            viewer: None,
            request_id,
            ip: peer.map(|peer| client_ip(peer, headers, &self.platform.config.server.trusted_proxies)),
            base: base(peer.map(|peer| peer.to_canonical()), headers, &self.platform.config.server.trusted_proxies),
            agent: agent.map(|agent| agent.chars().take(AGENT_MAX).collect::<String>().into()),
        }
    }

    /// The caller with the viewer behind the token in `Authorization`, if there is one, and until when it is good.
    pub async fn identify(&self, mut caller: Caller, headers: &HeaderMap) -> Result<(Caller, Option<Pass>)> {
        let pass = match bearer(headers) {
            Some(token) => Some(self.sessions.authenticate(token).await?),
            None => None,
        };
        caller.viewer = pass.map(|pass| pass.viewer);
        Ok((caller, pass))
    }
}

/// The address, or of IPv6 the network: whoever has one address there has all of its 64 bits.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// An id that somebody in front made, if it is one that may go into logs and headers.
fn given_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    let is_sane = (1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(is_plain);
    is_sane.then(|| id.into())
}

/// The token of an `Authorization` header. Other schemes belong to whatever stands in front, and an empty token is how
/// some clients say that nobody is signed in.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The client's address: that of the connection, unless it is a trusted proxy's. Then the last one in `X-Forwarded-For`
/// that no trusted proxy has; what stands before it could be made up.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == *ip);
    let mut client = peer.to_canonical();
    let lists: Vec<_> = headers.get_all(FORWARDED_FOR).iter().filter_map(|list| list.to_str().ok()).collect();
    for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        if !is_trusted(&client) {
            break;
        }
        match parse_hop(hop.trim()) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// Scheme and host that the client used, for addresses that it gets back. Of the scheme only a trusted proxy knows: it
/// ends TLS.
fn base(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> Option<Arc<str>> {
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let is_proxy = peer.is_some_and(|peer| trusted.iter().any(|proxy| proxy.to_canonical() == peer));
    let proto = headers.get(FORWARDED_PROTO).filter(|_| is_proxy).and_then(|proto| proto.to_str().ok());
    let scheme = if proto == Some("https") { "https" } else { "http" };
    // Never with a name in front of the host: that would show somebody's password.
    (!host.as_str().contains('@')).then(|| format!("{scheme}://{host}").into())
}

/// An address, which some proxies write with a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2")];
        let seen = |peer: &str, lists: &[&str]| {
            let pairs: Vec<_> = lists.iter().map(|list| (FORWARDED_FOR, *list)).collect();
            client_ip(ip(peer), &headers(&pairs), &trusted).to_string()
        };
        assert_eq!(seen("192.0.2.9", &["203.0.113.5"]), "192.0.2.9");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 203.0.113.5"]), "203.0.113.5");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 203.0.113.5, 10.0.0.2"]), "203.0.113.5");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "203.0.113.5:4711"]), "203.0.113.5");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, unknown"]), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["::ffff:203.0.113.5"]), "203.0.113.5");
    }

    #[test]
    fn the_scheme_is_a_trusted_proxys_to_say() {
        let proxy = "10.0.0.1".parse().unwrap();
        let seen = |peer: &str, pairs: &[(&'static str, &str)]| {
            base(peer.parse().ok(), &headers(pairs), &[proxy]).map(|base| base.to_string())
        };
        let by_tls = [("host", "api.example.org"), (FORWARDED_PROTO, "https")];
        assert_eq!(seen("10.0.0.1", &by_tls).as_deref(), Some("https://api.example.org"));
        assert_eq!(seen("192.0.2.9", &by_tls).as_deref(), Some("http://api.example.org"));
        assert_eq!(seen("192.0.2.9", &[("host", "[::1]:4000")]).as_deref(), Some("http://[::1]:4000"));
        for bad in ["", "a b", "a/b", "me:secret@example.org", "a?b"] {
            assert_eq!(seen("192.0.2.9", &[("host", bad)]), None, "{bad}");
        }
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_are_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1").to_string(), "192.0.2.1");
    }

    #[test]
    fn only_sane_request_ids_are_taken_over() {
        let taken = |id: &str| given_id(&headers(&[("x-request-id", id)])).is_some();
        assert!(taken("a") && taken("0191-AB_c.d:e/f+g=") && taken(&"x".repeat(REQUEST_ID_MAX)));
        assert!(!taken("") && !taken("a b") && !taken("a\"b") && !taken(&"x".repeat(REQUEST_ID_MAX + 1)));
    }

    #[test]
    fn a_token_is_found_behind_its_scheme() {
        let found = |value: &str| bearer(&headers(&[("authorization", value)])).map(str::to_owned);
        assert_eq!(found("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(found("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!([found("Basic abc"), found("Bearer "), found("Bearer"), found("abc")], [None, None, None, None]);
    }
}
