//! The hosts that webhooks may have.

use std::net::IpAddr;

use url::Host;

use crate::target::Target;

/// The list of hosts.
#[derive(Debug, Clone)]
pub struct Hosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: Host,
    /// True for `*.example.com`: the hosts below, and not the host itself.
    below: bool,
    /// The port. Without one it is that of the URL's scheme.
    port: Option<u16>,
}

/// A text that is no host of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a host: write hooks.example.com, *.example.com, hooks.example.com:8443 or 10.1.2.3:8080, without https://"
)]
pub struct BadHost(String);

impl Hosts {
    /// Reads a list such as `hooks.example.com`, `*.example.com:8443`, `[fd00::1]:80`.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadHost> {
        let read = |text: &'a str| entry(text.trim()).ok_or_else(|| BadHost(text.to_owned()));
        let entries: Result<_, _> = texts.into_iter().map(read).collect();
        entries.map(Self)
    }

    /// Tells whether there is no host on the list.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether the list has the host and the port of a URL.
    pub(crate) fn have(&self, target: &Target) -> bool {
        self.0.iter().any(|entry| entry.has(target))
    }

    /// The hosts that are addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().filter_map(|entry| match entry.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        })
    }
}

impl Entry {
    fn has(&self, target: &Target) -> bool {
        let port = match self.port {
            Some(port) => port == target.port(),
            None => target.has_usual_port(),
        };
        let host = match (&self.host, target.host()) {
            (Host::Domain(domain), Host::Domain(asked)) => {
                let asked = asked.strip_suffix('.').unwrap_or(asked);
                if self.below {
                    let name = asked.strip_suffix(domain.as_str());
                    name.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
                } else {
                    asked == domain
                }
            }
            (Host::Ipv4(address), Host::Ipv4(asked)) => *address == asked,
            (Host::Ipv6(address), Host::Ipv6(asked)) => *address == asked,
            _ => false,
        };
        port && host
    }
}

fn entry(text: &str) -> Option<Entry> {
    // A colon in brackets belongs to an address.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    let (host, below) = match host.strip_prefix("*.") {
        Some(domain) => (domain, true),
        None => (host, false),
    };
    let host = Host::parse(host.strip_suffix('.').unwrap_or(host)).ok()?;
    let is_pattern = matches!(&host, Host::Domain(domain) if domain.contains('*'));
    let is_address = !matches!(host, Host::Domain(_));
    if is_pattern || (below && is_address) || port == Some(0) {
        return None;
    }
    Some(Entry { host, below, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(list: &[&str], url: &str) -> bool {
        let hosts = Hosts::read(list.iter().copied()).unwrap();
        hosts.have(&Target::read(url).unwrap())
    }

    #[test]
    fn a_host_is_on_the_list_with_its_port() {
        let list = ["hooks.example.com", "Example.ORG:8443", "10.1.2.3:8080"];
        for (url, listed) in [
            ("https://hooks.example.com/a?b", true),
            ("http://hooks.example.com", true),
            ("https://HOOKS.example.com.:443/", true),
            ("https://hooks.example.com:80/", false),
            ("https://hooks.example.com:8443/", false),
            ("https://example.com/", false),
            ("https://evil-hooks.example.com/", false),
            ("https://hooks.example.com.evil.org/", false),
            ("https://example.org:8443/", true),
            ("https://example.org/", false),
            ("http://10.1.2.3:8080/", true),
            // Other texts of the same address.
            ("http://0x0a.1.2.3:8080/", true),
            ("http://167838211:8080/", true),
            ("http://10.1.2.4:8080/", false),
        ] {
            assert_eq!(has(&list, url), listed, "{url}");
        }
        assert!(has(&["bücher.example"], "https://xn--bcher-kva.example/"));
        assert!(has(&["[FD00::1]:80"], "http://[fd00:0::1]/"));
        assert!(!has(&[], "https://hooks.example.com/"));
    }

    #[test]
    fn a_pattern_has_the_hosts_below_it() {
        for (url, listed) in [
            ("https://a.example.com/", true),
            ("https://a.b.example.com/", true),
            ("https://example.com/", false),
            ("https://aexample.com/", false),
            ("https://.example.com/", false),
            ("https://a.example.com:444/", false),
        ] {
            assert_eq!(has(&["*.example.com"], url), listed, "{url}");
        }
        assert!(has(&["*.example.com:444"], "https://a.example.com:444/"));
    }

    #[test]
    fn other_texts_are_no_hosts() {
        for text in [
            "",
            "*",
            "*.",
            "*.*",
            "a.*.com",
            "*.10.0.0.1",
            "https://example.com",
            "example.com/",
            "ann@example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:https",
            "a b",
            "fd00::1",
        ] {
            let error = Hosts::read([text]).unwrap_err();
            assert!(error.to_string().contains("*.example.com"), "{text}");
        }
    }
}
