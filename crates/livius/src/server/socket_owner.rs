//! Asks the kernel which user has the other end of a connection on this machine.
//!
//! The question goes to `sock_diag`, which finds one socket by its addresses. The table in
//! `/proc/net/tcp` would have to be read whole for each connection.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// The owner of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A program of this user has the socket.
    User(u32),
    /// The program has closed it. The kernel shows such sockets as root's.
    Gone,
}

/// Values of `linux/netlink.h`, `linux/sock_diag.h`, `linux/inet_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const TCP_LISTEN: u8 = 10;

const HEADER_BYTES: usize = 16;
/// `struct inet_diag_msg`.
const ANSWER_BYTES: usize = 72;

/// Finds the owner of the socket at `peer` that is connected to `local`.
pub fn owner_of_peer(peer: SocketAddr, local: SocketAddr) -> io::Result<Owner> {
    let diag = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    send(&diag, &question(peer, local), SendFlags::empty())?;
    let mut answer = [0; 4096];
    // The kernel has answered when the question is sent.
    let (length, _) = recv(&diag, &mut answer, RecvFlags::DONTWAIT)?;
    read(&answer[..length], peer)
}

/// A `struct nlmsghdr` and a `struct inet_diag_req_v2`.
fn question(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
    let mut request = vec![family(peer), IPPROTO_TCP, 0, 0];
    request.extend(u32::MAX.to_ne_bytes()); // in any state
    request.extend(peer.port().to_be_bytes());
    request.extend(local.port().to_be_bytes());
    request.extend(octets(peer.ip()));
    request.extend(octets(local.ip()));
    request.extend(0_u32.to_ne_bytes()); // on any interface
    request.extend([u8::MAX; 8]); // without a cookie
    let length = u32::try_from(HEADER_BYTES + request.len()).expect("a request is short");
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend([0; 8]); // number and sender
    message.extend(request);
    message
}

fn family(address: SocketAddr) -> u8 {
    match address {
        SocketAddr::V4(_) => AF_INET,
        SocketAddr::V6(_) => AF_INET6,
    }
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&ip.octets());
            octets
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn read(message: &[u8], peer: SocketAddr) -> io::Result<Owner> {
    let (header, body) = message.split_at_checked(HEADER_BYTES).ok_or_else(broken)?;
    match u16::from_ne_bytes([header[4], header[5]]) {
        SOCK_DIAG_BY_FAMILY if body.len() >= ANSWER_BYTES => Ok(found(body, peer)),
        NLMSG_ERROR if body.len() >= 4 => {
            let error = i32::from_ne_bytes(body[..4].try_into().map_err(|_| broken())?);
            match Errno::from_raw_os_error(error.saturating_neg()) {
                Errno::NOENT => Ok(Owner::Gone),
                errno => Err(errno.into()),
            }
        }
        _ => Err(broken()),
    }
}

fn found(body: &[u8], peer: SocketAddr) -> Owner {
    let number =
        |at: usize| u32::from_ne_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
    let is_same = body[1] != TCP_LISTEN && body[4..6] == peer.port().to_be_bytes();
    let (uid, inode) = (number(64), number(68));
    if is_same && inode != 0 {
        Owner::User(uid)
    } else {
        Owner::Gone
    }
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the kernel's answer cannot be read",
    )
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use rustix::process::geteuid;

    use super::*;

    fn connected(address: &str) -> (TcpListener, TcpStream, TcpStream) {
        let listener = TcpListener::bind(address).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        (listener, client, accepted)
    }

    fn owner(accepted: &TcpStream) -> io::Result<Owner> {
        owner_of_peer(
            accepted.peer_addr().unwrap(),
            accepted.local_addr().unwrap(),
        )
    }

    #[test]
    fn a_connection_is_of_the_user_whose_program_has_it() {
        let own = Owner::User(geteuid().as_raw());
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (_listener, _client, accepted) = connected(address);
            assert_eq!(owner(&accepted).unwrap(), own, "{address}");
        }
    }

    /// The kernel shows a socket that its program has closed as root's, and root may do anything.
    #[test]
    fn a_connection_that_its_program_has_closed_is_of_nobody() {
        let (_listener, client, accepted) = connected("127.0.0.1:0");
        drop(client);
        assert_eq!(owner(&accepted).unwrap(), Owner::Gone);
        // A socket that listens at the address is another one.
        let (peer, local) = (
            accepted.local_addr().unwrap(),
            accepted.peer_addr().unwrap(),
        );
        drop(accepted);
        assert_eq!(owner_of_peer(peer, local).unwrap(), Owner::Gone);
    }

    #[test]
    fn the_answer_does_not_take_longer_with_many_sockets() {
        let (listener, _client, accepted) = connected("127.0.0.1:0");
        let address = listener.local_addr().unwrap();
        let mut others = Vec::new();
        for _ in 0..200 {
            others.push(TcpStream::connect(address).unwrap());
            others.push(listener.accept().unwrap().0);
        }
        let began = Instant::now();
        for _ in 0..1000 {
            owner(&accepted).unwrap();
        }
        let each = began.elapsed() / 1000;
        assert!(each < Duration::from_millis(1), "{each:?}");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        let peer = "127.0.0.1:5".parse().unwrap();
        let message = |kind: u16, body: &[u8]| {
            let mut message = vec![0; 4];
            message.extend(kind.to_ne_bytes());
            message.extend([0; 10]);
            message.extend(body);
            message
        };
        for wrong in [
            vec![],
            vec![0; 15],
            message(SOCK_DIAG_BY_FAMILY, &[0; 71]),
            message(NLMSG_ERROR, &[0; 3]),
            message(NLMSG_ERROR, &(-93_i32).to_ne_bytes()),
            message(3, &[0; 72]),
        ] {
            assert!(read(&wrong, peer).is_err(), "{wrong:?}");
        }
        let absent = message(NLMSG_ERROR, &(-2_i32).to_ne_bytes());
        assert_eq!(read(&absent, peer).unwrap(), Owner::Gone);
    }
}
