//! Webhooks: which URLs a client may name, and how one is told of an end.
//!
//! A message has the form of [Standard Webhooks](https://www.standardwebhooks.com): a JSON body with
//! `type`, `timestamp` and `data`, and a signature in a header. This crate makes one attempt.
//! Non-goals: to remember messages and to repeat attempts, which `sessions` does.

mod addresses;
mod body;
mod courier;
mod hosts;
mod resolver;
mod signature;
mod target;

pub use addresses::{BadNetwork, Networks};
pub use body::body;
pub use courier::{Courier, Message, NotDelivered};
pub use hosts::{BadHost, Hosts};
pub use signature::{BadSecret, Secrets};
pub use target::{Target, UrlRefused};

/// The rules for the URLs and the addresses of webhooks.
#[derive(Debug, Clone)]
pub struct Rules {
    hosts: Hosts,
    networks: Networks,
}

impl Rules {
    /// URLs of these hosts, at public addresses and at those of these networks. An address among the
    /// hosts is allowed as it is.
    pub fn new(hosts: Hosts, networks: Networks) -> Self {
        let networks = networks.with(hosts.addresses());
        Self { hosts, networks }
    }

    /// Reads the URL of a webhook.
    ///
    /// # Errors
    ///
    /// The URL is malformed, or its host or address is not allowed.
    pub fn target(&self, url: &str) -> Result<Target, UrlRefused> {
        let target = Target::read(url)?;
        if !self.hosts.have(&target) {
            return Err(UrlRefused::Host(target.authority()));
        }
        match target.address() {
            Some(address) if !self.networks.allow(address) => Err(UrlRefused::Address(address)),
            _ => Ok(target),
        }
    }
}
