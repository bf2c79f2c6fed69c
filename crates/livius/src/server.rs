//! The server: the parts put together, from the first file that is opened to the last process that is stopped.

mod connections;
mod open;
mod signals;

use std::net::SocketAddr;
use std::time::Duration;

use sessions::{Sessions, ShutdownPolicy};

use crate::exit::Ending;
use connections::Connections;
pub use signals::{Signal, Signals};
use store::SqliteStore;

/// How long requests that are being answered may take once everything else has stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long it may take to end all drivers by force.
const LAST_KILLS: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    sessions: Sessions,
    store: SqliteStore,
    connections: Connections,
    on_shutdown: ShutdownPolicy,
    shutdown_timeout: Duration,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until a signal or a failure, and then shuts down.
    pub async fn run(mut self, signals: &mut Signals) -> Ending {
        let failure = tokio::select! {
            biased;
            // Somebody wants it to end.
            signal = signals.next() => {
                tracing::info!(signal = signal.name(), "shutting down; a second signal stops at once");
                None
            }
            // A part of the server is gone: what runs is shut down in good order all the same.
            error = self.connections.failed() => {
                let error = error.map_or_else(|| "the port is gone".to_owned(), |error| error.to_string());
                Some(format!("cannot accept connections: {error}"))
            }
            () = self.sessions.failed() => Some("a task has panicked: please report it, with the log above".to_owned()),
        };
        if let Some(error) = &failure {
            tracing::error!(error, "shutting down");
        }
        if failure.is_none() {
            return self.shut_down(signals).await;
        }
        // The fault is the server's, so nobody's session is ended for it: the next server takes the drivers up.
        self.on_shutdown = ShutdownPolicy::Keep;
        match self.shut_down(signals).await {
            Ending::Good => Ending::Failed,
            ending => ending,
        }
    }

    /// Shuts down: clients are answered, and drivers can say their last words, until the sessions have ended.
    pub async fn shut_down(self, signals: &mut Signals) -> Ending {
        let in_time = tokio::select! {
            biased;
            // Whoever asks twice does not want to wait.
            signal = signals.next() => return self.cut_short(signal).await,
            in_time = self.sessions.shutdown(self.on_shutdown, self.shutdown_timeout) => in_time,
        };
        self.connections.close(LAST_ANSWERS).await;
        // For whoever copies the file now; nothing is lost without it.
        if !matches!(
            tokio::time::timeout(LAST_ANSWERS, self.store.flush()).await,
            Ok(Ok(()))
        ) {
            tracing::warn!("the store's log could not be moved into its file");
        }
        if in_time {
            tracing::info!("stopped");
            Ending::Good
        } else {
            tracing::error!("the shutdown was not done in time; what is left was abandoned");
            Ending::Failed
        }
    }

    /// Ends the drivers that still run by force; those that were to live on are left to the next server.
    async fn cut_short(&self, signal: Signal) -> Ending {
        tracing::warn!(signal = signal.name(), "stopping at once");
        if self.on_shutdown == ShutdownPolicy::Stop && !self.sessions.end_by_force(LAST_KILLS).await
        {
            tracing::error!("some drivers may be left; the next server takes them up");
        }
        Ending::Interrupted(signal.number())
    }
}
