//! The addresses that messages may go to: public ones, and the networks that the operator lists.
//!
//! A webhook makes the server send a request on a client's behalf. Without this rule, a client could
//! reach what only the server reaches: its own machine, its network, the metadata of a cloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks that the registry of IANA calls special-purpose.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    // Customers of a carrier share it.
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    // Clouds have their metadata, with credentials, in the link-local network.
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Public hosts have addresses of this network only. Loopback, link-local, unique-local, multicast and
/// the translations of IPv4 are outside.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// The parts of it that are special-purpose, or have an address of IPv4 inside.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32),
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b]: [u16; 2], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// The networks whose private addresses may be reached.
#[derive(Debug, Clone, Default)]
pub struct Networks(Vec<IpNet>);

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network: write 10.1.2.3, 10.1.0.0/16 or fd00:1::/32")]
pub struct BadNetwork(String);

impl Networks {
    /// Reads addresses and networks.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadNetwork> {
        let read = |text: &'a str| {
            let text = text.trim();
            let network = text.parse::<IpNet>().ok();
            network
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
                .ok_or_else(|| BadNetwork(text.to_owned()))
        };
        texts
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The same with these addresses.
    #[must_use]
    pub(crate) fn with(mut self, addresses: impl Iterator<Item = IpAddr>) -> Self {
        self.0.extend(addresses.map(IpNet::from));
        self
    }

    /// Tells whether messages may go to an address. An address of IPv4 that is written as one of IPv6
    /// counts as what it is.
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address)
                && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(listed: &[&str], address: &str) -> bool {
        let networks = Networks::read(listed.iter().copied()).unwrap();
        networks.allow(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_allowed_and_all_others_are_not() {
        for (address, allowed) in [
            ("1.1.1.1", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.8", false),
            ("192.0.1.0", true),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.7", false),
            ("203.0.113.7", false),
            ("223.255.255.255", true),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("::", false),
            ("::1", false),
            // An address of IPv4 inside one of IPv6: mapped, compatible, translated, 6to4, Teredo.
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::7f00:1", false),
            ("2002:7f00:1::", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2001:200::1", true),
            ("3fff::1", false),
            ("100::1", false),
            ("fc00::1", false),
            ("fdff::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(allows(&[], address), allowed, "{address}");
        }
    }

    #[test]
    fn listed_networks_are_allowed_and_nothing_near_them() {
        let listed = ["10.1.0.0/16", " 127.0.0.1 ", "fd00:1::/32"];
        for (address, allowed) in [
            ("10.1.255.255", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.0", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd00:1::7", true),
            ("fd00:2::7", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(allows(&listed, address), allowed, "{address}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "10.1", "10.0.0.0/33", "localhost", "fd00::/129", "*"] {
            let error = Networks::read([text]).unwrap_err();
            assert!(error.to_string().contains("10.1.0.0/16"), "{error}");
        }
    }
}
