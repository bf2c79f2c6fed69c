//! Finds the addresses of a host, and keeps only those that messages may go to.
//!
//! The client connects to what this answers. A name whose address changes between a check and the
//! connection (DNS rebinding) gains nothing, because the check is here.

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::addresses::Networks;

/// Resolves names for the client that sends messages.
#[derive(Debug, Clone)]
pub struct Guarded(pub Networks);

/// A name that has only addresses that messages may not go to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} has no address that is public or in webhooks.private_networks (it has {})", .found.join(", ")
)]
pub struct NoAddress {
    host: String,
    found: Vec<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.0.clone();
        Box::pin(async move {
            // The client puts the URL's port in place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            Ok(allowed(&networks, name.as_str(), &found)?)
        })
    }
}

fn allowed(networks: &Networks, host: &str, found: &[SocketAddr]) -> Result<Addrs, io::Error> {
    let is_allowed = |address: &SocketAddr| networks.allow(address.ip());
    let allowed: Vec<SocketAddr> = found.iter().copied().filter(is_allowed).collect();
    if allowed.is_empty() {
        let found = found.iter().map(|address| address.ip().to_string());
        return Err(io::Error::other(NoAddress {
            host: host.to_owned(),
            found: found.collect(),
        }));
    }
    Ok(Box::new(allowed.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_addresses_are_connected_to() {
        let networks = Networks::read(["10.1.0.0/16"]).unwrap();
        let found = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let mixed = found(&["127.0.0.1:0", "10.1.2.3:0", "[::1]:0", "1.1.1.1:0"]);
        let kept: Vec<SocketAddr> = allowed(&networks, "h", &mixed).unwrap().collect();
        assert_eq!(kept, found(&["10.1.2.3:0", "1.1.1.1:0"]));
        let Err(error) = allowed(&networks, "h.example.com", &found(&["127.0.0.1:0"])) else {
            panic!("loopback is allowed");
        };
        let error = error.to_string();
        assert!(error.contains("h.example.com") && error.contains("127.0.0.1"));
        assert!(error.contains("webhooks.private_networks"), "{error}");
    }
}
