//! Starts drivers with the help of a process of this machine, each under its own supervisor. The
//! process is the driver itself, or follows it on a standalone cluster, or submits it to YARN.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use livius_domain::{Clock, DriverId, DriverLocation, Failure, FailureCode, Phase, chain};
use livius_spark_home::{ConfError, Search, Toolchain, ToolchainError, files};
use livius_yarn::Cluster;
use tokio::sync::Mutex;

use crate::archive_maker::ArchiveMaker;
use crate::command::{self, CommandError, LaunchPlan};
use crate::disk;
use crate::driver_dir::DriverDir;
use crate::fast_start::{FastStart, Jit};
use crate::location::{self, Location, ProcessRecord};
use crate::starting::{StartError, Started};
use crate::supervised::Supervised;
use crate::yarn::{ClusterError, Clusters, Mirrors, Mode, OnYarn, Spawn, YarnDriver};
use crate::{
    Backend, DriverFiles, DriverOrder, DriverSpec, Found, LateStart, Launcher, LocalFiles,
    RunningDriver, Unsupported, fingerprint, memory,
};

/// The launcher's configuration.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The places to look for Spark and Java.
    pub search: Search,
    /// The directory that holds a directory for each driver.
    pub drivers: Utf8PathBuf,
    /// The command that starts a supervisor, usually `[<this program>, "supervise"]`. The driver's
    /// directory is appended.
    pub supervisor: Vec<String>,
    /// The most bytes of each of a driver's two log files.
    pub log_limit: u64,
    /// How many bytes must be free where the drivers' directories are. Below that the launcher
    /// starts no driver and takes no upload.
    pub disk_reserve: u64,
    /// The choice of the JVM's compilers.
    pub jit: Jit,
    /// Whether drivers start from an archive of Spark's classes, which the launcher makes if it is
    /// not there.
    pub class_archive: bool,
}

/// The time that a launch waits for the launches before it, which may have to compile the agent.
const SETUP_WAIT: Duration = Duration::from_mins(8);

/// Starts drivers on this machine.
pub struct LocalLauncher {
    config: Arc<LocalConfig>,
    clock: Arc<dyn Clock>,
    toolchain: Mutex<Option<Arc<Toolchain>>>,
    archives: Arc<ArchiveMaker>,
    clusters: Arc<Clusters>,
    mirrors: Arc<Mirrors>,
}

/// The reason why a driver could not be started.
#[derive(Debug, thiserror::Error)]
enum LaunchError {
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Conf(#[from] ConfError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("make {dir}")]
    Directory {
        dir: Utf8PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("start a driver on a disk that is nearly full")]
    Room(#[source] std::io::Error),
    #[error("write the driver's files")]
    Write(#[source] std::io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("watch the driver")]
    Watch(#[source] std::io::Error),
    #[error("wait for the launch before, which has been setting up Spark for minutes")]
    Setup,
    #[error("work on the launch to its end")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl LaunchError {
    fn hint(&self) -> String {
        match self {
            Self::Toolchain(error) => error.hint(),
            Self::Conf(_) => "correct the file in Spark's configuration directory".to_owned(),
            Self::Command(_) => "correct what was asked for, or spark-defaults.conf".to_owned(),
            Self::Directory { .. } => {
                "look at the server's data directory: its owner, its mode, the room that is left"
                    .to_owned()
            }
            Self::Room(_) => {
                "free space on the disk of the server's data directory, or lower server.disk_reserve"
                    .to_owned()
            }
            Self::Write(_) => {
                "check that the data directory can be written to and has space".to_owned()
            }
            Self::Cluster(_) => {
                "name the directory of Hadoop's configuration in HADOOP_CONF_DIR or YARN_CONF_DIR: in the server's \
                 environment, or in spark-env.sh"
                    .to_owned()
            }
            Self::Setup => "see the server's log: it names the process that holds up the set-up".to_owned(),
            Self::Start(_) | Self::Watch(_) | Self::Interrupted(_) => {
                "see the server's log, and whether the machine is out of memory, processes or file \
                descriptors"
                    .to_owned()
            }
        }
    }

    fn into_failure(self) -> Failure {
        let message = format!("could not {}", chain(&self));
        Failure {
            code: FailureCode::LaunchFailed,
            phase: Phase::Launch,
            message,
            hint: self.hint(),
        }
    }
}

impl LocalLauncher {
    /// Makes a launcher. It does nothing before the first driver or [`LocalLauncher::prepare`]. It
    /// needs a task for each YARN cluster that drivers run on.
    pub fn new(config: LocalConfig, clock: Arc<dyn Clock>, spawn: Spawn) -> Self {
        Self {
            mirrors: Arc::new(Mirrors::new(config.log_limit)),
            config: Arc::new(config),
            clusters: Arc::new(Clusters::new(spawn, Arc::clone(&clock))),
            clock,
            toolchain: Mutex::new(None),
            archives: Arc::default(),
        }
    }

    /// Finds Spark and Java and compiles the agent, so that the first driver need not wait for it.
    pub async fn prepare(&self) -> Result<livius_spark_home::Found, Failure> {
        self.toolchain()
            .await
            .map(|toolchain| toolchain.found.clone())
            .map_err(LaunchError::into_failure)
    }

    /// Ends the work that no driver waits for. None begins later.
    pub async fn end_background_work(&self) {
        let archives = Arc::clone(&self.archives);
        if let Err(error) = tokio::task::spawn_blocking(move || archives.end()).await {
            tracing::warn!(%error, "cannot end the making of a class archive");
        }
    }

    /// The parts that all drivers share. They are prepared again when Spark has changed or was
    /// missing before.
    async fn toolchain(&self) -> Result<Arc<Toolchain>, LaunchError> {
        // A set-up that is stuck holds this lock until its own limit.
        let mut kept = tokio::time::timeout(SETUP_WAIT, self.toolchain.lock())
            .await
            .map_err(|_| LaunchError::Setup)?;
        let before = kept.clone();
        let config = Arc::clone(&self.config);
        let toolchain = blocking(move || Ok(Toolchain::prepare(&config.search, before)?)).await?;
        *kept = Some(Arc::clone(&toolchain));
        Ok(toolchain)
    }

    async fn start(&self, order: DriverOrder) -> Result<Arc<dyn RunningDriver>, LaunchError> {
        let dir = DriverDir::of(&self.config.drivers, &order.id);
        let toolchain = self.toolchain().await?;
        let config = Arc::clone(&self.config);
        let clusters = Arc::clone(&self.clusters);
        let prepared = Arc::clone(&toolchain);
        let (started, place) =
            blocking(move || start(&config, &clusters, &prepared, &order)).await?;
        if self.config.class_archive {
            self.archives.begin(&toolchain, &self.config.search);
        }
        let process = started
            .watched(Arc::clone(&self.clock))
            .map_err(LaunchError::Watch)?;
        Ok(match place {
            None => Arc::new(process),
            Some((place, cluster)) => {
                let mirror = self.mirrors.of(dir.mirrored(), &cluster);
                Arc::new(YarnDriver::started(process, place, cluster, mirror))
            }
        })
    }

    /// The application of a driver on YARN. An error means that it cannot be told now whether there
    /// is one.
    async fn application_of(
        &self,
        dir: &DriverDir,
        at: Option<&DriverLocation>,
    ) -> Result<Option<FoundOn>, String> {
        let stored = at.and_then(location::read);
        let (dir, clusters) = (dir.clone(), Arc::clone(&self.clusters));
        let look = move || {
            let location = match stored {
                Some(location) => location,
                None => Location {
                    supervisor: dir.read_supervisor()?.unwrap_or_default(),
                    yarn: dir.read_yarn()?,
                },
            };
            let cluster = placed(&clusters, location.yarn).map_err(io::Error::other)?;
            Ok(cluster.map(|(place, cluster)| (location.supervisor, place, cluster)))
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let looked = looked.unwrap_or_else(|error| Err(io::Error::other(error)));
        looked.map_err(|error| chain(&error))
    }
}

/// A supervisor's process, and the application that its driver may have.
type FoundOn = (ProcessRecord, OnYarn, Cluster);

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LaunchError> + Send + 'static,
) -> Result<T, LaunchError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LaunchError::Interrupted(error)))
}

/// A process that was started, and the application that it will have on a cluster.
type StartedOn = (Started, Option<(OnYarn, Cluster)>);

fn start(
    config: &LocalConfig,
    clusters: &Clusters,
    toolchain: &Toolchain,
    order: &DriverOrder,
) -> Result<StartedOn, LaunchError> {
    // A driver may have waited for its turn since its request was accepted.
    disk::check_room(&config.drivers, config.disk_reserve).map_err(LaunchError::Room)?;
    let conf = toolchain.conf(&config.search)?;
    let dir = DriverDir::of(&config.drivers, &order.id);
    files::private_dir(dir.path()).map_err(|source| LaunchError::Directory {
        dir: dir.path().to_owned(),
        source,
    })?;
    let fast_start = FastStart {
        jit: config.jit,
        archive: toolchain.archive.usable().filter(|_| config.class_archive),
    };
    let mut plan = LaunchPlan::of(toolchain, &conf, order, dir.clone(), fast_start)?;
    plan.command.log_limit = Some(config.log_limit);
    let place = placed(clusters, plan.yarn.take())?;
    let started = write(&dir, &plan, place.as_ref().map(|(place, _)| place))
        .map_err(LaunchError::Write)
        .and_then(|()| Ok(Started::spawn(&config.supervisor, &dir, &plan.command)?));
    let started = started.inspect_err(|_| dir.remove_secrets())?;
    Ok((started, place))
}

/// The cluster of a driver that will have an application there. A driver on this machine needs no
/// look at it, so Spark alone judges whether its configuration is good enough.
fn placed(
    clusters: &Clusters,
    place: Option<OnYarn>,
) -> Result<Option<(OnYarn, Cluster)>, ClusterError> {
    let Some(place) = place else { return Ok(None) };
    match clusters.of(&place) {
        Ok(cluster) => Ok(Some((place, cluster))),
        Err(error) if place.mode == Mode::Client => {
            tracing::warn!(
                tag = place.tag,
                error = chain(&error),
                "the application of a driver cannot be looked after"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn write(dir: &DriverDir, plan: &LaunchPlan, place: Option<&OnYarn>) -> std::io::Result<()> {
    files::private_dir(&dir.temporary())?;
    dir.write_yarn(place)?;
    for (path, text) in &plan.files {
        files::write_private(path, text.as_bytes())?;
    }
    dir.write_command(&plan.command)
}

#[async_trait]
impl Launcher for LocalLauncher {
    fn check(&self, spec: &DriverSpec<'_>) -> Result<(), Unsupported> {
        Backend::check(spec.conf)
    }

    fn check_room(&self) -> std::io::Result<()> {
        disk::check_room(&self.config.drivers, self.config.disk_reserve)
    }

    async fn launch(&self, order: DriverOrder) -> Result<Arc<dyn RunningDriver>, Failure> {
        self.start(order).await.map_err(LaunchError::into_failure)
    }

    async fn late_start(&self, order: DriverOrder) -> Result<LateStart, Failure> {
        let toolchain = self.toolchain().await.map_err(LaunchError::into_failure)?;
        let config = Arc::clone(&self.config);
        let work = move || {
            let conf = toolchain.conf(&config.search)?;
            let dir = DriverDir::of(&config.drivers, &order.id);
            Ok(command::late_start(&toolchain, &conf, &order, dir)?)
        };
        blocking(work).await.map_err(LaunchError::into_failure)
    }

    async fn fingerprint(&self) -> Result<String, Failure> {
        let config = Arc::clone(&self.config);
        let look = move || {
            let found = fingerprint::of(&config.search).map_err(ToolchainError::from)?;
            Ok(found)
        };
        blocking(look).await.map_err(LaunchError::into_failure)
    }

    fn free_memory(&self) -> Option<u64> {
        memory::free()
    }

    async fn find(&self, id: &DriverId, at: Option<&DriverLocation>) -> Found {
        let dir = DriverDir::of(&self.config.drivers, id);
        let application = match self.application_of(&dir, at).await {
            Ok(application) => application,
            Err(why) => return Found::Unclear(why),
        };
        let files = dir.mirrored();
        let process = Supervised::find(dir, at, Arc::clone(&self.clock)).await;
        match application {
            None => process,
            Some((supervisor, place, cluster)) => {
                let mirror = self.mirrors.of(files, &cluster);
                YarnDriver::find(process, supervisor, place, cluster, mirror).await
            }
        }
    }

    async fn with_files(&self) -> io::Result<Vec<DriverId>> {
        LocalFiles::list(&self.config.drivers).await
    }

    fn files(&self, id: &DriverId) -> Arc<dyn DriverFiles> {
        let files = LocalFiles::of(&self.config.drivers, id);
        let files = files.with_reserve(self.config.disk_reserve);
        Arc::new(files.with_mirrors(Arc::clone(&self.mirrors)))
    }
}
