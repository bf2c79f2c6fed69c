//! Accepts connections. Each has a task, a timeout for the request head, and a graceful end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use livius_http::{Crowded, PeerAddress};
use livius_sessions::Lifecycle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;

use super::guarded::{STALL, guard};
use super::neighbours;
use super::places::{Place, Places};
use crate::config::LocalUsers;
use crate::config::sections::server::ServerSettings;

/// The timeout of an idle connection, and of a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);
/// The pause after the process ran out of descriptors: other connections must close first.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(500);
/// Errors that concern one peer only.
const PEER_FAILURES: [io::ErrorKind; 3] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::ConnectionReset,
];

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    lifecycle: Lifecycle,
    all_closed: mpsc::Receiver<()>,
    failed: oneshot::Receiver<io::Error>,
}

/// The data of a connection's task.
#[derive(Clone)]
struct Guest {
    router: Router,
    local_users: Arc<LocalUsers>,
    places: Places,
    lifecycle: Lifecycle,
    _open: mpsc::Sender<()>,
}

impl Connections {
    /// Starts to accept.
    pub fn accept(listener: TcpListener, router: Router, settings: &ServerSettings) -> Self {
        let lifecycle = Lifecycle::default();
        let (open, all_closed) = mpsc::channel(1);
        let (failing, failed) = oneshot::channel();
        let guest = Guest {
            router,
            local_users: Arc::new(settings.local_users.clone()),
            places: Places::new(settings.max_connections),
            lifecycle: lifecycle.clone(),
            _open: open,
        };
        lifecycle.spawn(async move {
            let draining = guest.lifecycle.clone();
            tokio::select! {
                biased;
                () = draining.draining() => {}
                error = accept_all(&listener, guest) => drop(failing.send(error)),
            }
        });
        Self {
            lifecycle,
            all_closed,
            failed,
        }
    }

    /// Completes with the error when the listener fails.
    pub async fn failed(&mut self) -> Option<io::Error> {
        (&mut self.failed).await.ok()
    }

    /// Stops accepting and closes the connections: idle ones at once, busy ones after their
    /// response, and all of them after the timeout.
    pub async fn close(mut self, patience: Duration) {
        self.lifecycle.begin_drain();
        let _ = tokio::time::timeout(patience, self.all_closed.recv()).await;
        self.lifecycle.finish(patience).await;
    }
}

/// Accepts until the listener fails permanently.
async fn accept_all(listener: &TcpListener, guest: Guest) -> io::Error {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some(place) = guest.places.take() else {
                    tracing::warn!(
                        "no place for another connection: server.max_connections are open"
                    );
                    continue;
                };
                let guest = guest.clone();
                guest.lifecycle.clone().spawn_apart(async move {
                    tokio::select! {
                        () = guest.lifecycle.stopping() => {}
                        () = serve(stream, &place, &guest) => {}
                    }
                });
            }
            Err(error) if PEER_FAILURES.contains(&error.kind()) => {}
            Err(error) if is_shortage(&error) => {
                tracing::warn!(%error, "no room for another connection");
                tokio::time::sleep(NO_ROOM_PAUSE).await;
            }
            Err(error) => return error,
        }
    }
}

async fn serve(stream: TcpStream, place: &Place, guest: &Guest) {
    // The client may have hung up already.
    let _ = guard(&stream, STALL);
    let crowded = place.is_reserve.then_some(Crowded);
    let peer = stream.peer_addr().ok();
    let other = neighbours::refusal(&guest.local_users, &stream);
    let router = guest
        .router
        .clone()
        .map_request(move |mut request: Request<Incoming>| {
            if let Some(other) = other.clone() {
                request.extensions_mut().insert(other);
            }
            if let Some(peer) = peer {
                request.extensions_mut().insert(PeerAddress(peer.ip()));
            }
            if let Some(crowded) = crowded {
                request.extensions_mut().insert(crowded);
            }
            request
        });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        () = guest.lifecycle.draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Tells whether the process ran out of descriptors, memory or ports. Such a shortage is temporary.
fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno))
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn every_request_says_where_it_comes_from() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let echo =
            async |Extension(PeerAddress(address)): Extension<PeerAddress>| format!("<{address}>");
        let guest = Guest {
            router: Router::new().route("/", get(echo)),
            local_users: Arc::new(LocalUsers::Any),
            places: Places::new(1),
            lifecycle: Lifecycle::default(),
            _open: mpsc::channel(1).0,
        };
        for host in ["127.0.0.1", "127.0.0.2"] {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(format!("{host}:0").parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let mut client = socket.connect(address).await.unwrap();
            let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            client.write_all(request).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &guest.places.take().unwrap(), &guest).await;
            let mut response = String::new();
            client.read_to_string(&mut response).await.unwrap();
            assert!(response.ends_with(&format!("<{host}>")), "{response}");
        }
    }
}
