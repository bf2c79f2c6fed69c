//! The kernel's watch over one connection.

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;

/// How long a client may leave data unread, or the network data unacknowledged, while the server has
/// more to send.
pub const STALL: Duration = Duration::from_mins(1);

/// How long a connection may be silent before the kernel asks whether the client still lives.
const PROBE_AFTER: Duration = Duration::from_mins(1);
const PROBE_INTERVAL: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;

/// Has the kernel end a connection whose client reads nothing or has vanished. A response that waits
/// for such a client would hold its memory, and its place among the connections, without end.
pub fn guard(stream: &TcpStream, stall: Duration) -> io::Result<()> {
    // Small responses must not wait for more data.
    stream.set_nodelay(true)?;
    let millis = u32::try_from(stall.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(stream, millis)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, PROBE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, PROBE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _silent = TcpStream::connect(address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        guard(&stream, Duration::from_millis(500)).unwrap();
        let piece = vec![0; 1 << 20];
        let ended = async { while stream.write_all(&piece).await.is_ok() {} };
        let waited = tokio::time::timeout(Duration::from_secs(30), ended).await;
        waited.expect("the kernel ends the connection");
    }
}
