//! The configuration as the rest of the program uses it: typed and checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use camino::Utf8PathBuf;
use livius_domain::Limits;
use livius_sessions::{Impersonation, LocalFiles, Webhooks};
use livius_store_sqlite::SyncMode;

use super::check::{Problem, Problems};
use super::process_environment::ProcessEnvironment;
use super::resolved::Resolved;
use super::sections::audit::AuditSettings;
use super::sections::batches::BatchSettings;
use super::sections::java::JavaSettings;
use super::sections::kubernetes::KubernetesSettings;
use super::sections::logs::LogSettings;
use super::sections::server::ServerSettings;
use super::sections::sessions::SessionSettings;
use super::sections::spark::SparkSettings;
use super::sections::{files, impersonation, store, webhooks};

/// Every setting, by section. Limits of all sections are in one struct, as the application takes
/// it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`.
    pub server: ServerSettings,
    /// `[store]`: which commits are on the disk when they return.
    pub store_sync: SyncMode,
    /// `[spark]`.
    pub spark: SparkSettings,
    /// `[java]`.
    pub java: JavaSettings,
    /// `[kubernetes]`.
    pub kubernetes: KubernetesSettings,
    /// `[sessions]`.
    pub sessions: SessionSettings,
    /// `[batches]`.
    pub batches: BatchSettings,
    /// `[impersonation]`.
    pub impersonation: Impersonation,
    /// `[files]`: which local files requests may name.
    pub local_files: LocalFiles,
    /// `[webhooks]`: where requests may have an end told. `None` if nowhere.
    pub webhooks: Option<Webhooks>,
    /// `[logs]`.
    pub logs: LogSettings,
    /// `[audit]`.
    pub audit: AuditSettings,
    /// The limits of all sections.
    pub limits: Limits,
}

impl Settings {
    /// Reads and checks every section. All problems are returned at once.
    pub fn read(resolved: &Resolved) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut limits = Limits::default();
        let server = ServerSettings::read(resolved, &mut limits, &mut problems);
        let spark = SparkSettings::read(resolved, &mut problems);
        let kubernetes = KubernetesSettings::read(resolved, &spark, &mut problems);
        let logs = LogSettings::read(resolved, &mut problems);
        let audit = AuditSettings::read(resolved, &mut problems);
        let sessions = SessionSettings::read(resolved, &mut limits, &mut problems);
        let batches = BatchSettings::read(resolved, &mut limits);
        let impersonation = impersonation::read(resolved, &mut problems);
        let webhooks = webhooks::read(resolved, &mut problems);
        let problems = problems.into_vec();
        let Some(server) = server.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let is_single_user = server.listen.ip().is_loopback() && !impersonation.enabled;
        Ok(Self {
            local_files: files::read(resolved, is_single_user),
            server,
            store_sync: store::read(resolved),
            spark,
            java: JavaSettings::read(resolved),
            kubernetes,
            sessions,
            batches,
            impersonation,
            webhooks,
            logs,
            audit,
            limits,
        })
    }

    /// The addresses that agents connect to, once the server listens.
    pub fn agent_urls(&self, bound: SocketAddr) -> Vec<String> {
        let base = self
            .server
            .agent_url
            .clone()
            .unwrap_or_else(|| format!("ws://{}", reachable(bound)));
        let base = base.trim_end_matches('/');
        let path = livius_http::AGENT_PATH;
        vec![if base.ends_with(path) {
            base.to_owned()
        } else {
            format!("{base}{path}")
        }]
    }

    /// A directory in the data directory.
    pub fn data(&self, name: &str) -> Utf8PathBuf {
        self.server.data_dir.join(name)
    }

    /// The directory of Sparks, Javas, agents and archives.
    fn runtimes(&self) -> Utf8PathBuf {
        let apart = self.server.runtimes_dir.clone();
        apart.unwrap_or_else(|| self.data("runtimes"))
    }

    /// The places to look for Spark and Java.
    pub fn search(&self, environment: &ProcessEnvironment) -> livius_spark_home::Search {
        livius_spark_home::Search {
            environment: environment.for_drivers(),
            runtimes: self.runtimes(),
            spark_home: self.spark.home.clone(),
            java_home: self.java.home.clone(),
        }
    }
}

/// The address that this machine itself reaches a bound address by.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, bound.port())
}
