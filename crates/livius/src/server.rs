//! The server: the parts put together, from the first file that is opened to the last process that is stopped.

mod connections;
mod open;
mod signals;

use std::net::SocketAddr;
use std::time::Duration;

use sessions::{Sessions, ShutdownPolicy};

use crate::exit::Ending;
use connections::Connections;
pub use signals::Signals;
use store::SqliteStore;

/// How long requests that are being answered may take once everything else has stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

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
            // The port cannot be served any longer: what runs is shut down in good order all the same.
            error = self.connections.failed() => error,
        };
        if let Some(error) = &failure {
            tracing::error!(%error, "cannot accept connections; shutting down");
        }
        match self.shut_down(signals).await {
            Ending::Good if failure.is_some() => Ending::Failed,
            ending => ending,
        }
    }

    /// Shuts down: clients are answered, and drivers can say their last words, until the sessions have ended.
    pub async fn shut_down(self, signals: &mut Signals) -> Ending {
        let in_time = tokio::select! {
            biased;
            // Whoever asks twice does not want to wait: what is left is what a crash leaves, and the next server takes it up.
            signal = signals.next() => {
                tracing::warn!(signal = signal.name(), "stopped at once: drivers that still run stop by themselves, or are taken up by the next server");
                return Ending::Interrupted(signal.number());
            }
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
}
