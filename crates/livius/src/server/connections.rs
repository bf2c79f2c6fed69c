//! Accepting connections: each gets its task, a deadline for what it has to say, and an end in good order.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use livius_sessions::Lifecycle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// How long a connection may be without a request, or take to send the head of one.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);
/// How long to wait when there is no room for another connection: some must close first.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(500);
/// The kinds of failure that are the peer's alone.
const PEER_FAILURES: [io::ErrorKind; 3] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::ConnectionReset,
];

/// The open connections, all together.
#[derive(Debug)]
pub struct Connections {
    lifecycle: Lifecycle,
    all_closed: mpsc::Receiver<()>,
    failed: oneshot::Receiver<io::Error>,
}

/// What a connection's task holds while it runs.
#[derive(Clone)]
struct Guest {
    router: Router,
    lifecycle: Lifecycle,
    _open: mpsc::Sender<()>,
}

impl Connections {
    /// Begins to accept.
    pub fn accept(listener: TcpListener, router: Router) -> Self {
        let lifecycle = Lifecycle::default();
        let (open, all_closed) = mpsc::channel(1);
        let (failing, failed) = oneshot::channel();
        let guest = Guest {
            router,
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

    /// Becomes ready when no more can be accepted, with the reason.
    pub async fn failed(&mut self) -> Option<io::Error> {
        (&mut self.failed).await.ok()
    }

    /// Accepts nothing more, and ends the connections: idle ones at once, those with a request when it is answered, all after this time.
    pub async fn close(mut self, patience: Duration) {
        self.lifecycle.begin_drain();
        let _ = tokio::time::timeout(patience, self.all_closed.recv()).await;
        self.lifecycle.finish(patience).await;
    }
}

/// Accepts until the listener fails for good.
async fn accept_all(listener: &TcpListener, guest: Guest) -> io::Error {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let guest = guest.clone();
                guest.lifecycle.clone().spawn_apart(async move {
                    tokio::select! {
                        () = guest.lifecycle.stopping() => {}
                        () = serve(stream, &guest) => {}
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

async fn serve(stream: TcpStream, guest: &Guest) {
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(guest.router.clone()),
        )
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

/// Whether files, memory or ports have run out: that passes.
fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno))
}
