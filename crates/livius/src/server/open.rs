//! Opens a server: its store, its launcher, its port, and the sessions and batches of an earlier
//! server.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;

use anyhow::Context as _;
use camino::Utf8Path;
use livius_domain::{Clock, SystemClock, chain};
use livius_launch::{Launcher, LocalConfig, LocalLauncher, Spawn};
use livius_metrics::Metrics;
use livius_sessions::{AllowAll, Audit, Batches, Config, Lifecycle, Sessions};
use livius_store_sqlite::SqliteStore;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::connections::Connections;
use super::own_names::own_names;
use super::{Server, audit_log};
use crate::config::{ProcessEnvironment, Settings};

impl Server {
    /// Opens everything and starts to serve.
    pub async fn open(
        settings: &Settings,
        environment: &ProcessEnvironment,
    ) -> anyhow::Result<Self> {
        make_private(&settings.server.data_dir)?;
        raise_descriptor_limit();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Metrics::default();
        metrics.started.set(clock.now().as_second());
        let database = settings.data("livius.db");
        let store = SqliteStore::open_with(&database, settings.store_sync)
            .await
            .with_context(|| format!("cannot open the store {database}"))?
            .measured_by(&metrics);
        let audit = audit_log::open(&settings.audit, Arc::clone(&clock), &metrics)?;
        let listener = TcpListener::bind(settings.server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", settings.server.listen))?;
        let address = listener
            .local_addr()
            .context("cannot tell which port it listens on")?;
        let config = || Config {
            audit: audit.clone(),
            ..application(settings, address, &metrics)
        };
        let local = local(settings, environment);
        let launcher = LocalLauncher::new(local, Arc::clone(&clock), in_background());
        let local = Arc::new(launcher);
        let launcher: Arc<dyn Launcher> = Arc::clone(&local) as _;
        let sessions = Sessions::open(
            config(),
            Arc::new(store.clone()),
            Arc::clone(&launcher),
            Arc::clone(&clock),
        )
        .await
        .context("cannot take up the sessions of the store")?;
        let batches = Batches::open(config(), Arc::new(store.clone()), launcher, clock);
        warn_of_strangers(settings, address);
        warn_of_missing_spark(settings.search(environment));
        let router = livius_http::router(sessions.clone(), batches.clone(), edge(settings));
        let connections = Connections::accept(listener, router, &settings.server);
        tracing::info!(server.address = %address, data_dir = %settings.server.data_dir, "listening");
        Ok(Self {
            address,
            sessions,
            batches,
            launcher: local,
            store,
            connections,
            on_shutdown: settings.sessions.on_shutdown,
            batches_on_shutdown: settings.batches.on_shutdown,
            shutdown_timeout: settings.server.shutdown_timeout,
        })
    }
}

/// Each connection and each driver needs a file descriptor. Many systems start with a limit of 1024
/// and allow more on request.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files; many clients at once may have to wait");
    }
}

/// The directory is private because code, results and logs may hold secrets.
fn make_private(dir: &Utf8Path) -> anyhow::Result<()> {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir);
    made.with_context(|| format!("cannot make the data directory {dir}"))
}

/// The launcher's tasks only look at clusters. They end with the launcher, so no shutdown waits for
/// them.
pub fn in_background() -> Spawn {
    let lifecycle = Lifecycle::default();
    Arc::new(move |task| lifecycle.spawn_apart(task))
}

/// The supervisor is this binary. The path works even if the file was replaced since the start.
pub fn local(settings: &Settings, environment: &ProcessEnvironment) -> LocalConfig {
    let supervisor = ["/proc/self/exe", "supervise"].map(str::to_owned).to_vec();
    LocalConfig {
        search: settings.search(environment),
        drivers: settings.data("drivers"),
        data_dir: settings.server.data_dir.clone(),
        supervisor,
        log_limit: settings.logs.driver_limit,
        executor_logs: settings.logs.executors,
        disk_reserve: settings.server.disk_reserve,
        jit: settings.spark.jit,
        class_archive: settings.spark.class_archive,
        kubernetes: settings.kubernetes.limits.clone(),
        kubernetes_pages: settings.kubernetes.pages.clone(),
    }
}

/// The name that the drivers carry in the store. The embedded store belongs to one server, so a
/// server that is started again under another host name drives them at once.
const ONLY_SERVER: &str = "livius";

pub(super) fn application(settings: &Settings, address: SocketAddr, metrics: &Metrics) -> Config {
    Config {
        server: ONLY_SERVER.to_owned(),
        agent_urls: settings.agent_urls(address),
        limits: settings.limits.clone(),
        spark_defaults: settings.spark.defaults.clone(),
        spark_overrides: settings.spark.overrides.clone(),
        blocked_conf: settings.spark.blocked_conf.clone(),
        file_list_conf: settings.spark.file_list_conf.clone(),
        sql_max_rows: settings.sessions.sql_max_rows,
        local_files: settings.local_files.clone(),
        impersonation: settings.impersonation.clone(),
        pools: settings.sessions.pools.clone(),
        webhooks: settings.webhooks.clone(),
        policy: Arc::new(AllowAll),
        metrics: metrics.clone(),
        audit: Audit::default(),
    }
}

pub(super) fn edge(settings: &Settings) -> livius_http::Options {
    let mut host_names = own_names();
    host_names.extend_from_slice(&settings.server.host_names);
    livius_http::Options {
        body_bytes: settings.limits.body_bytes,
        upload_bytes: settings.limits.upload_bytes,
        host_names,
        csrf_protection: settings.server.csrf_protection,
        waits_of_one_client: settings.server.max_waits_per_client,
        security_headers: settings.server.security_headers.clone(),
        read: livius_wire::ReadOptions {
            ignore_unknown_fields: settings.server.ignore_unknown_fields,
        },
        ..livius_http::Options::default()
    }
}

fn warn_of_strangers(settings: &Settings, address: SocketAddr) {
    if !settings.server.listen.ip().is_loopback() {
        tracing::warn!(server.address = %address, "other machines can reach this server, and it authenticates nobody: whoever reaches it runs code as its user");
    }
}

/// Warns that no session can start. The server serves anyway, because a Spark may be installed
/// later. The search runs in the background because it starts Java.
fn warn_of_missing_spark(search: livius_spark_home::Search) {
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = livius_spark_home::find(&search) {
            let hint = error.hint();
            tracing::warn!(error = chain(&error), hint, "no session can start");
        }
    }));
}
