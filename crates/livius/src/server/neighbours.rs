//! The other users of this machine: which user a connection comes from, and whether that user may
//! use the server.
//!
//! The loopback interface keeps other machines out, and no user of this one. Every client runs code
//! as the server's user, so the server takes no requests of other users until it can authenticate
//! them.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use livius_http::OtherUser;
use rustix::process::geteuid;
use tokio::net::TcpStream;

use crate::config::LocalUsers;

use super::socket_owner::{Owner, owner_of_peer};

/// Why the requests of a connection are refused; `None` if they are not. The question costs some
/// microseconds, and is asked once for a connection.
pub fn refusal(users: &LocalUsers, stream: &TcpStream) -> Option<OtherUser> {
    let LocalUsers::OwnAnd(further) = users else {
        return None;
    };
    let (peer, local) = match (stream.peer_addr(), stream.local_addr()) {
        (Ok(peer), Ok(local)) => (canonical(peer), canonical(local)),
        // The client has hung up.
        _ => return Some(OtherUser::unknown()),
    };
    if !is_of_this_machine(peer, local) {
        return None;
    }
    judge(owner_of_peer(peer, local), geteuid().as_raw(), further)
}

fn judge(owner: io::Result<Owner>, own: u32, further: &BTreeSet<u32>) -> Option<OtherUser> {
    match owner {
        Ok(Owner::User(uid)) if uid == own || uid == 0 || further.contains(&uid) => None,
        Ok(Owner::User(uid)) => Some(OtherUser::known(uid)),
        // The kernel has forgotten whose socket it was, so nobody may use it.
        Ok(Owner::Gone) => Some(OtherUser::unknown()),
        Err(error) => {
            tracing::warn!(%error, "cannot tell which user of this machine a connection comes from");
            Some(OtherUser::unknown())
        }
    }
}

/// Also when a program uses the machine's own address in the network.
fn is_of_this_machine(peer: SocketAddr, local: SocketAddr) -> bool {
    peer.ip().is_loopback() || peer.ip() == local.ip()
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_user_root_and_those_named_may() {
        let further = BTreeSet::from([33]);
        for (owner, refused) in [
            (Ok(Owner::User(1000)), false),
            (Ok(Owner::User(0)), false),
            (Ok(Owner::User(33)), false),
            (Ok(Owner::User(1001)), true),
            (Ok(Owner::User(65534)), true),
            (Ok(Owner::Gone), true),
            (Err(io::Error::other("no such protocol")), true),
        ] {
            let told = format!("{owner:?}");
            assert_eq!(judge(owner, 1000, &further).is_some(), refused, "{told}");
        }
    }

    #[test]
    fn only_programs_of_this_machine_are_looked_up() {
        for (peer, local, expected) in [
            ("127.0.0.1:5", "127.0.0.1:8998", true),
            ("127.9.9.9:5", "127.0.0.1:8998", true),
            ("[::1]:5", "[::1]:8998", true),
            ("[::ffff:127.0.0.1]:5", "[::ffff:127.0.0.1]:8998", true),
            ("10.0.0.7:5", "10.0.0.7:8998", true),
            ("10.0.0.8:5", "10.0.0.7:8998", false),
        ] {
            let [peer, local] = [peer, local].map(|text| canonical(text.parse().unwrap()));
            assert_eq!(is_of_this_machine(peer, local), expected, "{peer} {local}");
        }
    }
}
