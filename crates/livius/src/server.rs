//! The running server, from opening its parts to stopping the last process.

mod audit_log;
mod connections;
mod guarded;
mod neighbours;
mod open;
mod own_names;
mod places;
mod signals;
mod socket_owner;
mod trial;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use livius_launch::LocalLauncher;
use livius_sessions::{Batches, Sessions, ShutdownPolicy};

use crate::exit::Ending;
use connections::Connections;
use livius_store_sqlite::SqliteStore;
pub use open::{in_background, local};
pub use signals::{Signal, Signals};
pub use trial::Trial;

/// The timeout for open requests after everything else has stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The timeout for killing all drivers.
const LAST_KILLS: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    sessions: Sessions,
    batches: Batches,
    launcher: Arc<LocalLauncher>,
    store: SqliteStore,
    connections: Connections,
    on_shutdown: ShutdownPolicy,
    batches_on_shutdown: ShutdownPolicy,
    shutdown_timeout: Duration,
}

impl Server {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until a signal or a failure, then shuts down.
    pub async fn run(mut self, signals: &mut Signals) -> Ending {
        let failure = tokio::select! {
            biased;
            // The administrator stops the server.
            signal = signals.next() => {
                tracing::info!(signal = signal.name(), "shutting down; a second signal stops at once");
                None
            }
            // The listener failed. The server still shuts down gracefully.
            error = self.connections.failed() => {
                let error = error.map_or_else(|| "the port is gone".to_owned(), |error| error.to_string());
                Some(format!("cannot accept connections: {error}"))
            }
            () = task_failed(&self.sessions, &self.batches) => Some("a task has panicked: please report it, with the log above".to_owned()),
        };
        if let Some(error) = &failure {
            tracing::error!(error, "shutting down");
        }
        if failure.is_none() {
            return self.shut_down(signals).await;
        }
        // The server failed, not the sessions. The next server takes the drivers over.
        self.on_shutdown = ShutdownPolicy::Keep;
        self.batches_on_shutdown = ShutdownPolicy::Keep;
        match self.shut_down(signals).await {
            Ending::Good => Ending::Failed,
            ending => ending,
        }
    }

    /// Shuts down. The server still serves clients and agents until the sessions have ended.
    pub async fn shut_down(self, signals: &mut Signals) -> Ending {
        let in_time = tokio::select! {
            biased;
            // A second signal ends the wait.
            signal = signals.next() => return self.cut_short(signal).await,
            in_time = self.end_all() => in_time,
        };
        self.connections.close(LAST_ANSWERS).await;
        let audit = self.sessions.audit().flush();
        if tokio::time::timeout(LAST_ANSWERS, audit).await.is_err() {
            tracing::error!("the last lines of the audit log are lost");
        }
        // A copy of the database file is complete after this. Without it, no data is lost.
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

    /// Ends sessions and batches, or leaves them to the next server. Returns false after the
    /// timeout.
    async fn end_all(&self) -> bool {
        let limit = self.shutdown_timeout;
        let (sessions, batches, ()) = tokio::join!(
            self.sessions.shutdown(self.on_shutdown, limit),
            self.batches.shutdown(self.batches_on_shutdown, limit),
            self.launcher.end_background_work(),
        );
        sessions && batches
    }

    /// Kills the running drivers, except those that are left to the next server.
    async fn cut_short(&self, signal: Signal) -> Ending {
        tracing::warn!(signal = signal.name(), "stopping at once");
        let (sessions, batches, ()) = tokio::join!(
            async {
                self.on_shutdown == ShutdownPolicy::Keep
                    || self.sessions.end_by_force(LAST_KILLS).await
            },
            async {
                self.batches_on_shutdown == ShutdownPolicy::Keep
                    || self.batches.end_by_force(LAST_KILLS).await
            },
            self.launcher.end_background_work(),
        );
        if !(sessions && batches) {
            tracing::error!("some drivers may be left; the next server takes them up");
        }
        Ending::Interrupted(signal.number())
    }
}

/// Completes when a task of the application has panicked.
async fn task_failed(sessions: &Sessions, batches: &Batches) {
    tokio::select! {
        () = sessions.failed() => {}
        () = batches.failed() => {}
    }
}
