//! The URL of a webhook.

use std::net::IpAddr;

use url::{Host, Url};

/// The longest URL, in bytes.
const LONGEST: usize = 2_048;

/// A URL that has the form of a webhook's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// The reason why a URL is refused. It completes a sentence about the URL, and never has the URL
/// itself, which may have a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// It is too long.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// It is no URL.
    #[error("it is not a URL ({0})")]
    Malformed(url::ParseError),
    /// Another scheme.
    #[error("it does not begin with https:// or http://")]
    Scheme,
    /// A user or a password.
    #[error("it has a user or a password: a webhook proves its sender by the signature")]
    UserInfo,
    /// A host that is not on the list.
    #[error("its host {0} is not one of webhooks.hosts")]
    Host(String),
    /// An address that is not public.
    #[error("{0} is not a public address, and not in webhooks.private_networks")]
    Address(IpAddr),
}

impl Target {
    /// Reads a URL, and does not judge its host.
    pub fn read(text: &str) -> Result<Self, UrlRefused> {
        if text.len() > LONGEST {
            return Err(UrlRefused::TooLong);
        }
        let url = Url::parse(text).map_err(UrlRefused::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(UrlRefused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::UserInfo);
        }
        Ok(Self(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Its host and port as text: what may be shown, and what deliveries are counted by.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host(), self.port())
    }

    pub(crate) fn host(&self) -> Host<&str> {
        let host = self.0.host();
        host.expect("a URL with https or http has a host")
    }

    pub(crate) fn port(&self) -> u16 {
        let port = self.0.port_or_known_default();
        port.expect("https and http have a usual port")
    }

    /// Whether the port is that of the scheme.
    pub(crate) fn has_usual_port(&self) -> bool {
        self.0.port().is_none()
    }

    /// The address, if the host is one. No resolver sees it then.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.host() {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Hosts, Networks, Rules};

    fn refused(url: &str) -> String {
        let hosts = Hosts::read(["hooks.example.com", "[fd00::1]"]).unwrap();
        let rules = Rules::new(hosts, Networks::default());
        match rules.target(url) {
            Ok(target) => format!("allowed {}", target.authority()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_urls_of_listed_hosts_are_allowed() {
        let long = format!("https://hooks.example.com/{}", "x".repeat(2_048));
        for (url, told) in [
            (
                "https://hooks.example.com/a?token=b",
                "allowed hooks.example.com:443",
            ),
            ("http://hooks.example.com", "allowed hooks.example.com:80"),
            (
                "HTTPS://Hooks.Example.Com:443",
                "allowed hooks.example.com:443",
            ),
            ("http://[fd00::1]/", "allowed [fd00::1]:80"),
            (&long, "longer than 2048 bytes"),
            ("", "not a URL"),
            ("hooks.example.com", "not a URL"),
            ("//hooks.example.com", "not a URL"),
            ("https://", "not a URL"),
            ("file:///etc/passwd", "does not begin with"),
            ("gopher://hooks.example.com/", "does not begin with"),
            ("https://ann@hooks.example.com/", "a user or a password"),
            ("https://ann:pw@hooks.example.com/", "a user or a password"),
            ("https://:pw@hooks.example.com/", "a user or a password"),
            (
                "https://other.example.com/",
                "other.example.com:443 is not one of webhooks.hosts",
            ),
            (
                "https://hooks.example.com:9/",
                "hooks.example.com:9 is not one of webhooks.hosts",
            ),
            (
                r"https://other.org\@hooks.example.com/",
                "other.org:443 is not one of",
            ),
        ] {
            let answer = refused(url);
            assert!(answer.contains(told), "{url}: {answer}");
            assert!(!answer.contains("token"), "{answer}");
        }
    }
}
