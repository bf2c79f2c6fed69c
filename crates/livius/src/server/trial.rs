//! A server for one session: a command tries with it what a session needs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use livius_domain::{Clock, SystemClock};
use livius_launch::{Launcher, LocalLauncher};
use livius_metrics::Metrics;
use livius_sessions::{Batches, PoolSettings, Sessions, ShutdownPolicy};
use livius_store_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::connections::Connections;
use super::open::{application, edge, in_background, local};
use crate::config::{ProcessEnvironment, Settings};

/// The timeout for open requests after everything else has stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A server that only agents reach, with an empty store of its own.
pub struct Trial {
    sessions: Sessions,
    batches: Batches,
    launcher: Arc<LocalLauncher>,
    /// `None` if something else holds the server's port.
    connections: Option<Connections>,
    agent_url: String,
    dir: TempDir,
}

impl Trial {
    /// Opens it with the settings of a server. It listens where the server would, unless the port is
    /// taken: by the server itself, most likely.
    pub async fn open(
        settings: &Settings,
        environment: &ProcessEnvironment,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("livius-trial-").tempdir();
        let dir = dir.context("cannot make a temporary directory")?;
        let mut settings = settings.clone();
        // Sparks and compiled agents stay where they are.
        settings.server.runtimes_dir = Some(settings.search(environment).runtimes);
        settings.server.data_dir = Utf8PathBuf::from_path_buf(dir.path().to_owned())
            .map_err(|path| anyhow::anyhow!("the directory {} is no text", path.display()))?;
        settings.sessions.pools = PoolSettings::off();
        settings.spark.class_archive = false;
        let listener = listen(settings.server.listen).await?;
        let address = match &listener {
            Some(listener) => listener.local_addr().context("cannot tell the port")?,
            None => settings.server.listen,
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SqliteStore::open(&settings.data("livius.db")).await;
        let store = Arc::new(store.context("cannot open a store")?);
        let launcher = LocalLauncher::new(
            local(&settings, environment),
            Arc::clone(&clock),
            in_background(),
        );
        let launcher = Arc::new(launcher);
        let shared: Arc<dyn Launcher> = Arc::clone(&launcher) as _;
        let config = || application(&settings, address, &Metrics::default());
        let sessions = Sessions::open(
            config(),
            Arc::clone(&store) as _,
            Arc::clone(&shared),
            Arc::clone(&clock),
        );
        let sessions = sessions.await.context("cannot open the application")?;
        let batches = Batches::open(config(), store, shared, clock);
        let connections = listener.map(|listener| {
            let router =
                livius_http::agent_router(sessions.clone(), batches.clone(), edge(&settings));
            Connections::accept(listener, router, &settings.server)
        });
        Ok(Self {
            sessions,
            batches,
            launcher,
            connections,
            agent_url: settings.agent_urls(address).swap_remove(0),
            dir,
        })
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Whether it has the server's port.
    pub fn listens(&self) -> bool {
        self.connections.is_some()
    }

    /// The address that agents connect to.
    pub fn agent_url(&self) -> &str {
        &self.agent_url
    }

    /// The id by which clusters know what belongs to it. `None` before it was needed.
    pub fn server_id(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.path().join("server-id")).ok()
    }

    /// Ends all drivers, and removes everything. Returns false if something may be left after the
    /// timeout.
    pub async fn close(self, limit: Duration) -> bool {
        let stop = ShutdownPolicy::Stop;
        let (sessions, batches, ()) = tokio::join!(
            self.sessions.shutdown(stop, limit),
            self.batches.shutdown(stop, limit),
            self.launcher.end_background_work(),
        );
        if let Some(connections) = self.connections {
            connections.close(LAST_ANSWERS).await;
        }
        sessions && batches
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<Option<TcpListener>> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}
