//! Refuses requests that a page of another site makes a browser send.
//!
//! Livy accepts any content type, so a browser sends such a POST without asking the server first.
//! Without this check, any page that a user opens could run code on a server on the user's machine.
//! Livy's clients are not browsers and send none of these headers.
//!
//! Comparing a page's origin with the host it sends to is not enough: the owner of a domain can
//! point it at this machine after the page has loaded (DNS rebinding). For the browser the page and
//! the server are one site then, so the page may also read. So the server accepts requests, reading
//! ones too, only under host names that a stranger cannot own, and those that the operator has
//! configured. A program sends the host of its URL, which is one of these names already.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, Uri};

/// The name by which a request calls this server, if a stranger can own that name. A request
/// without a name comes from no browser.
pub fn strange_host(uri: &Uri, headers: &HeaderMap, host_names: &[String]) -> Option<String> {
    let named = headers.get_all(HOST).iter();
    let named = named.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let target = uri.authority().map(ToString::to_string);
    target
        .into_iter()
        .chain(named)
        .find(|host| !is_known(name_of(host), host_names))
}

/// Tells whether a page of another site sent a request that changes something.
pub fn is_foreign(method: &Method, headers: &HeaderMap, host_names: &[String]) -> bool {
    if method.is_safe() {
        return false;
    }
    // A header that is not text cannot be one of ours.
    let text = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    // `none` means that the user caused the request, for example with a bookmark. Browsers send
    // this header only over connections that they trust.
    let crosses = text(HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let alien = |origin: &str| !is_own(origin, text(HOST).unwrap_or_default(), host_names);
    crosses || text(ORIGIN).is_some_and(alien)
}

/// Tells whether an origin is this server, under a name that only this server can have.
fn is_own(origin: &str, host: &str, host_names: &[String]) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        && is_known(name_of(host), host_names)
}

fn is_known(name: &str, host_names: &[String]) -> bool {
    // The dot at the end of a full name.
    let name = name.strip_suffix('.').unwrap_or(name);
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.parse::<Ipv4Addr>().is_ok()
        || address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        || name.eq_ignore_ascii_case("localhost")
        || host_names
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
}

/// Returns a host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name_that_nobody_else_can_have() {
        let names = ["gw.example".to_owned(), "edge7".to_owned()];
        for (host, strange) in [
            ("localhost", false),
            ("localhost:8998", false),
            ("LocalHost:8998", false),
            ("localhost.:8998", false),
            ("127.0.0.1", false),
            ("127.0.0.1:8998", false),
            ("10.1.2.3:8998", false),
            ("0.0.0.0:8998", false),
            ("[::1]:8998", false),
            ("[::1]", false),
            ("[fe80::1]:80", false),
            ("gw.example", false),
            ("GW.example:443", false),
            ("gw.example.", false),
            ("edge7:8998", false),
            ("evil:8998", true),
            ("evil.gw.example", true),
            ("gw.example.evil:8998", true),
            ("127.0.0.1.evil", true),
            ("localhost.evil:8998", true),
            ("127.1", true),
            ("::1", true),
            ("[::1.evil]", true),
            ("user@127.0.0.1", true),
            ("localhost:8998:80", true),
            ("", true),
            ("\u{e9}", true),
        ] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            let uri = Uri::from_static("/sessions");
            assert_eq!(
                strange_host(&uri, &headers, &names).is_some(),
                strange,
                "{host}"
            );
        }
    }

    #[test]
    fn every_host_that_a_request_names_must_be_known() {
        let strange = |uri: &str, hosts: &[&str]| {
            let named = hosts.iter().map(|host| (HOST, host.parse().unwrap()));
            let headers = named.collect::<HeaderMap>();
            strange_host(&uri.parse().unwrap(), &headers, &[])
        };
        assert_eq!(strange("/sessions", &[]), None);
        assert_eq!(
            strange("http://localhost:1/sessions", &["localhost:1"]),
            None
        );
        for (uri, hosts) in [
            ("/", &["localhost", "evil"][..]),
            ("http://evil/", &["localhost"]),
            ("http://evil/", &[]),
        ] {
            assert_eq!(
                strange(uri, hosts).as_deref(),
                Some("evil"),
                "{uri} {hosts:?}"
            );
        }
    }

    fn foreign(method: &Method, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_foreign(method, &headers, &["gw.example".to_owned()])
    }

    #[test]
    fn only_changes_from_other_sites_are_foreign() {
        for (method, site, expected) in [
            (Method::POST, "cross-site", true),
            (Method::POST, "same-site", true),
            (Method::POST, "same-origin", false),
            (Method::DELETE, "none", false),
            (Method::GET, "cross-site", false),
        ] {
            assert_eq!(
                foreign(&method, &[("sec-fetch-site", site)]),
                expected,
                "{method} {site}"
            );
        }
        assert!(!foreign(&Method::POST, &[]));
        assert!(!foreign(&Method::POST, &[("host", "evil:8998")]));
        assert!(foreign(&Method::POST, &[("origin", "http://localhost")]));
        let unreadable = [("origin", "http://\u{e9}"), ("host", "\u{e9}")];
        assert!(foreign(&Method::POST, &unreadable));
    }

    #[test]
    fn an_origin_is_the_host_by_a_name_that_nobody_else_can_have() {
        for (origin, host, expected) in [
            ("http://localhost:8998", "localhost:8998", false),
            ("http://LOCALHOST", "localhost", false),
            ("http://127.0.0.1:8998", "127.0.0.1:8998", false),
            ("http://[::1]:8998", "[::1]:8998", false),
            ("http://[::1]", "[::1]", false),
            ("https://gw.example", "gw.example", false),
            ("https://GW.example:81", "gw.example:81", false),
            ("http://evil", "localhost:8998", true),
            ("http://localhost:80", "localhost:8998", true),
            ("https://gw.example", "localhost:8998", true),
            ("null", "localhost:8998", true),
            ("", "", true),
            ("http://", "", true),
            // Names that point at this machine only since the page was loaded.
            ("http://evil:8998", "evil:8998", true),
            ("http://evil", "evil", true),
            ("http://127.0.0.1.evil:8998", "127.0.0.1.evil:8998", true),
            ("http://localhost.evil", "localhost.evil", true),
            ("http://evil.gw.example", "evil.gw.example", true),
        ] {
            let same = [("origin", origin), ("host", host)];
            assert_eq!(foreign(&Method::POST, &same), expected, "{origin} {host}");
            assert!(!foreign(&Method::GET, &same));
            let told = [
                ("origin", origin),
                ("host", host),
                ("sec-fetch-site", "same-origin"),
            ];
            assert_eq!(foreign(&Method::POST, &told), expected, "{origin} {host}");
        }
    }
}
