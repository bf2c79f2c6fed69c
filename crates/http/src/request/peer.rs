//! The client behind a request: who authenticated, or else the address at the other end.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::Extensions;

use crate::request::caller::AuthenticatedUser;

/// The bits of an IPv6 address that name a network. Each host in it has as many addresses as it
/// likes.
const NETWORK: u128 = !0 << 64;

/// The address at the other end of a connection, in the request's extensions. The one that accepts
/// connections puts it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// A client, as far as the server can tell clients apart. Behind a proxy that does not authenticate
/// they all are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    User(String),
    Address(IpAddr),
    /// The request did not come over a connection.
    Unknown,
}

impl Peer {
    /// Finds out who sent a request.
    pub fn of(extensions: &Extensions) -> Self {
        if let Some(AuthenticatedUser(user)) = extensions.get() {
            return Self::User(user.clone());
        }
        match extensions.get() {
            Some(PeerAddress(address)) => Self::Address(network(address.to_canonical())),
            None => Self::Unknown,
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(host) => IpAddr::V6(Ipv6Addr::from_bits(host.to_bits() & NETWORK)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(user: Option<&str>, address: Option<&str>) -> Peer {
        let mut extensions = Extensions::new();
        if let Some(user) = user {
            extensions.insert(AuthenticatedUser(user.to_owned()));
        }
        if let Some(address) = address {
            extensions.insert(PeerAddress(address.parse().unwrap()));
        }
        Peer::of(&extensions)
    }

    #[test]
    fn a_user_is_one_client_and_so_is_a_host() {
        let alice = Peer::User("alice".to_owned());
        assert_eq!(peer(Some("alice"), Some("10.0.0.1")), alice);
        assert_eq!(peer(Some("alice"), None), alice);
        assert_eq!(peer(None, None), Peer::Unknown);
        for (one, other, same) in [
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("2001:db8::1", "2001:db8::ffff:0:0:2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let [a, b] = [one, other].map(|address| peer(None, Some(address)));
            assert_eq!(a == b, same, "{one} {other}");
        }
    }
}
