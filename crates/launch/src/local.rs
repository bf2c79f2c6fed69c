//! Starts drivers with the help of a process of this machine, each under its own supervisor. The
//! process is the driver itself, or follows it on a standalone cluster, or submits it to YARN or
//! Kubernetes.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use livius_domain::{Clock, DriverId, DriverLocation, Failure, chain};
use livius_failpoint::{Point, reach};
use livius_kubernetes::Namespace;
use livius_spark_home::{Search, Toolchain, ToolchainError, files};
use tokio::sync::Mutex;

use crate::archive_maker::ArchiveMaker;
use crate::command::{self, CommandError, LaunchPlan, Site};
use crate::disk;
use crate::driver_dir::DriverDir;
use crate::fast_start::{FastStart, Jit};
use crate::growth::Growth;
use crate::kubernetes::{AGENT, KubernetesLimits, LAUNCH, Memory, OwnPod, SparkPages};
use crate::launch_error::LaunchError;
use crate::location::{self, Location, ProcessRecord};
use crate::managers::{ManagerError, Managers, Opened};
use crate::place::{Mode, Place};
use crate::remote::RemoteDriver;
use crate::starting::Started;
use crate::supervised::Supervised;
use crate::{
    Backend, DriverFiles, DriverOrder, DriverSpec, ExecutorLogLimits, Found, LateStart,
    LaunchPreview, Launcher, LocalFiles, RunningDriver, Spawn, Unsupported, fingerprint, memory,
    orphans,
};

/// The launcher's configuration.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The places to look for Spark and Java.
    pub search: Search,
    /// The directory that holds a directory for each driver.
    pub drivers: Utf8PathBuf,
    /// The directory for the launcher's own small files.
    pub data_dir: Utf8PathBuf,
    /// The command that starts a supervisor, usually `[<this program>, "supervise"]`. The driver's
    /// directory is appended.
    pub supervisor: Vec<String>,
    /// The most bytes of each of a driver's two log files.
    pub log_limit: u64,
    /// The limits of the logs of executors.
    pub executor_logs: ExecutorLogLimits,
    /// How many bytes must be free where the drivers' directories are. Below that the launcher
    /// starts no driver and takes no upload.
    pub disk_reserve: u64,
    /// The choice of the JVM's compilers.
    pub jit: Jit,
    /// Whether drivers start from an archive of Spark's classes, which the launcher makes if it is
    /// not there.
    pub class_archive: bool,
    /// The limits of drivers on Kubernetes.
    pub kubernetes: KubernetesLimits,
    /// The way to Spark's pages of drivers on Kubernetes.
    pub kubernetes_pages: SparkPages,
}

/// The time that a launch waits for the launches before it, which may have to compile the agent.
const SETUP_WAIT: Duration = Duration::from_mins(8);

/// Starts drivers on this machine.
pub struct LocalLauncher {
    config: Arc<LocalConfig>,
    clock: Arc<dyn Clock>,
    toolchain: Mutex<Option<Arc<Toolchain>>>,
    archives: Arc<ArchiveMaker>,
    managers: Arc<Managers>,
    growth: Arc<Growth>,
}

impl LocalLauncher {
    /// Makes a launcher. It does nothing before the first driver or [`LocalLauncher::prepare`]. It
    /// needs a task for each YARN cluster and each namespace of Kubernetes that drivers run in.
    pub fn new(config: LocalConfig, clock: Arc<dyn Clock>, spawn: Spawn) -> Self {
        let managers = Managers::new(
            &config.data_dir,
            config.log_limit,
            config.executor_logs,
            config.kubernetes_pages.clone(),
            Arc::clone(&clock),
            spawn,
        );
        Self {
            managers: Arc::new(managers),
            growth: Arc::default(),
            config: Arc::new(config),
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
        let driver = order.id.clone();
        let toolchain = self.toolchain().await?;
        let mut plan = self.plan(order, &toolchain).await?;
        reach(Point::LaunchPlanned);
        let placed = self.placed(plan.place.take(), &dir).await?;
        let place = placed.as_ref().map(|(place, _)| place.clone());
        let namespace = placed
            .as_ref()
            .and_then(|(_, opened)| opened.namespace.as_ref());
        let plan = Arc::new(plan);
        let secret = namespace.zip(plan.in_secret.as_ref());
        let begun = async {
            self.write(&dir, &plan, place.clone()).await?;
            reach(Point::LaunchWritten);
            if let Some((namespace, document)) = secret {
                put_secret(namespace, &driver, &toolchain, document).await?;
            }
            let spawned = self.spawn(&dir, &plan, place.clone()).await;
            if let (Err(_), Some((namespace, _))) = (&spawned, secret) {
                remove_secret(namespace, &driver).await;
            }
            spawned
        };
        let started = begun.await.inspect_err(|_| dir.remove_secrets())?;
        if self.config.class_archive {
            self.archives.begin(&toolchain, &self.config.search);
        }
        let process = started
            .watched(Arc::clone(&self.clock))
            .map_err(LaunchError::Watch)?;
        let Some((place, opened)) = placed else {
            return Ok(Arc::new(process));
        };
        let supervisor = process.record().clone();
        let location = location_of(supervisor, place);
        let process = Arc::new(process);
        Ok(Arc::new(RemoteDriver::started(
            process,
            location,
            opened.remote,
        )))
    }

    /// Works out how to start a driver, and makes its directory.
    async fn plan(
        &self,
        order: DriverOrder,
        toolchain: &Arc<Toolchain>,
    ) -> Result<LaunchPlan, LaunchError> {
        let (config, toolchain) = (Arc::clone(&self.config), Arc::clone(toolchain));
        let memory = Arc::clone(&self.managers.memory);
        blocking(move || {
            // A driver may have waited for its turn since its request was accepted.
            disk::check_room(&config.drivers, config.disk_reserve).map_err(LaunchError::Room)?;
            let dir = DriverDir::of(&config.drivers, &order.id);
            files::private_dir(dir.path()).map_err(|source| LaunchError::Directory {
                dir: dir.path().to_owned(),
                source,
            })?;
            let fast_start = fast_start(&config, &toolchain);
            at_site(&config, &toolchain, &memory, |site| {
                let mut plan = LaunchPlan::of(site, &order, dir, fast_start)?;
                plan.command.log_limit = Some(config.log_limit);
                Ok(plan)
            })
        })
        .await
    }

    /// Opens the place of a driver. One on this machine needs no look at its cluster, so Spark alone
    /// judges whether the configuration is good enough for it.
    async fn placed(
        &self,
        place: Option<Place>,
        dir: &DriverDir,
    ) -> Result<Option<(Place, Opened)>, ManagerError> {
        let Some(place) = place else { return Ok(None) };
        match self.managers.open(&place, dir).await {
            Ok(opened) => Ok(Some((place, opened))),
            Err(error) if place.mode() == Mode::Client => {
                tracing::warn!(
                    dir = %dir.path(),
                    error = chain(&error),
                    "the application of a driver cannot be looked after"
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes everything that the driver needs on this machine, and that is needed to find it again.
    async fn write(
        &self,
        dir: &DriverDir,
        plan: &Arc<LaunchPlan>,
        place: Option<Place>,
    ) -> Result<(), LaunchError> {
        let (dir, plan) = (dir.clone(), Arc::clone(plan));
        blocking(move || write(&dir, &plan, place.as_ref()).map_err(LaunchError::Write)).await
    }

    /// Starts the process. The namespace that it may make pods in exists, so it is remembered: a request
    /// cannot fill the memory with others.
    async fn spawn(
        &self,
        dir: &DriverDir,
        plan: &Arc<LaunchPlan>,
        place: Option<Place>,
    ) -> Result<Started, LaunchError> {
        let config = Arc::clone(&self.config);
        let memory = Arc::clone(&self.managers.memory);
        let (dir, plan) = (dir.clone(), Arc::clone(plan));
        blocking(move || {
            if let Some(Place::Kubernetes(place)) = &place {
                memory.remember(place).map_err(LaunchError::Memory)?;
            }
            Ok(Started::spawn(&config.supervisor, &dir, &plan.command)?)
        })
        .await
    }

    /// The part of a driver on a cluster, with the driver's location. An error means that it cannot be
    /// told now whether there is one.
    async fn part_of(
        &self,
        dir: &DriverDir,
        at: Option<&DriverLocation>,
    ) -> Result<Option<(DriverLocation, Opened)>, String> {
        let stored = at.and_then(location::read);
        let files = dir.clone();
        let look = move || match stored {
            Some(location) => Ok(location),
            None => Ok(Location {
                supervisor: files.read_supervisor()?.unwrap_or_default(),
                place: files.read_place()?,
            }),
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let looked = looked.unwrap_or_else(|error| Err(io::Error::other(error)));
        let location = looked.map_err(|error| chain(&error))?;
        let placed = self.placed(location.place, dir).await;
        let placed = placed.map_err(|error| chain(&error))?;
        Ok(placed.map(|(place, opened)| (location_of(location.supervisor, place), opened)))
    }
}

fn location_of(supervisor: ProcessRecord, place: Place) -> DriverLocation {
    location::write(&Location {
        supervisor,
        place: Some(place),
    })
}

/// Puts the agent and the launch document into the namespace of a driver.
async fn put_secret(
    namespace: &Namespace,
    driver: &DriverId,
    toolchain: &Toolchain,
    document: &str,
) -> Result<(), LaunchError> {
    let jar = tokio::fs::read(&toolchain.agent_jar).await;
    let files = BTreeMap::from([
        (AGENT.to_owned(), jar.map_err(LaunchError::Agent)?),
        (LAUNCH.to_owned(), document.as_bytes().to_vec()),
    ]);
    let put = namespace.put_secret(driver.as_str(), files).await;
    put.map_err(|source| LaunchError::Secret {
        namespace: namespace.name().to_owned(),
        source,
    })
}

/// Removes the Secret of a driver that was not started.
async fn remove_secret(namespace: &Namespace, driver: &DriverId) {
    if let Err(error) = namespace.delete(driver.as_str(), Duration::ZERO).await {
        tracing::warn!(
            driver.id = %driver,
            error = chain(&error),
            "cannot remove the Secret of a driver that was not started; the next start of the server does"
        );
    }
}

fn fast_start(config: &LocalConfig, toolchain: &Toolchain) -> FastStart {
    FastStart {
        jit: config.jit,
        archive: toolchain.archive.usable().filter(|_| config.class_archive),
    }
}

/// Does something with the facts that all plans need.
fn at_site<T>(
    config: &LocalConfig,
    toolchain: &Toolchain,
    memory: &Memory,
    work: impl FnOnce(Site<'_>) -> Result<T, CommandError>,
) -> Result<T, LaunchError> {
    let spark_conf = toolchain.conf(&config.search)?;
    let server = memory.server_id().map_err(LaunchError::Memory)?;
    let own_pod = OwnPod::look(&spark_conf.environment);
    let site = Site {
        toolchain,
        spark_conf: &spark_conf,
        limits: &config.kubernetes,
        pages: &config.kubernetes_pages,
        server: &server,
        own_pod: own_pod.as_ref(),
    };
    Ok(work(site)?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LaunchError> + Send + 'static,
) -> Result<T, LaunchError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LaunchError::Interrupted(error)))
}

fn write(dir: &DriverDir, plan: &LaunchPlan, place: Option<&Place>) -> std::io::Result<()> {
    files::private_dir(&dir.temporary())?;
    dir.write_place(place)?;
    for (path, text) in &plan.files {
        files::write_private(path, text.as_bytes())?;
    }
    dir.write_command(&plan.command)
}

#[async_trait]
impl Launcher for LocalLauncher {
    fn check(&self, spec: &DriverSpec<'_>) -> Result<(), Unsupported> {
        Backend::check(spec.conf)?;
        Ok(self.config.kubernetes.check(spec.conf)?)
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
        let memory = Arc::clone(&self.managers.memory);
        let work = move || {
            let dir = DriverDir::of(&config.drivers, &order.id);
            at_site(&config, &toolchain, &memory, |site| {
                command::late_start(site, &order, dir)
            })
        };
        blocking(work).await.map_err(LaunchError::into_failure)
    }

    async fn preview(&self, order: DriverOrder) -> Result<LaunchPreview, Failure> {
        let toolchain = self.toolchain().await.map_err(LaunchError::into_failure)?;
        let config = Arc::clone(&self.config);
        let memory = Arc::clone(&self.managers.memory);
        let work = move || {
            let dir = DriverDir::of(&config.drivers, &order.id);
            let fast_start = fast_start(&config, &toolchain);
            at_site(&config, &toolchain, &memory, |site| {
                command::preview(site, &order, dir, fast_start)
            })
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
        let part = match self.part_of(&dir, at).await {
            Ok(part) => part,
            Err(why) => return Found::Unclear(why),
        };
        let process = Supervised::find(dir, at, Arc::clone(&self.clock)).await;
        let Some((location, opened)) = part else {
            return process;
        };
        if let (Found::NeverStarted, Some(namespace)) = (&process, &opened.namespace) {
            remove_secret(namespace, id).await;
        }
        RemoteDriver::find(process, location, opened.remote).await
    }

    async fn with_files(&self) -> io::Result<Vec<DriverId>> {
        LocalFiles::list(&self.config.drivers).await
    }

    async fn running_here(&self) -> io::Result<Vec<DriverId>> {
        let config = Arc::clone(&self.config);
        let look = tokio::task::spawn_blocking(move || orphans::running(&config.drivers));
        let running = look.await.map_err(io::Error::other)??;
        Ok(running.into_keys().collect())
    }

    async fn end_here(&self, id: &DriverId) -> io::Result<()> {
        match self.find(id, None).await {
            // Its files tell of the part of it that is on a cluster.
            Found::Alive(driver) => {
                driver.terminate(orphans::GRACE).await;
            }
            Found::Unclear(why) => return Err(io::Error::other(why)),
            Found::Ended(_) | Found::NeverStarted => {}
        }
        let (config, id) = (Arc::clone(&self.config), id.clone());
        let end = tokio::task::spawn_blocking(move || orphans::end(&config.drivers, &id));
        end.await.map_err(io::Error::other)?
    }

    async fn on_clusters(&self) -> io::Result<Vec<DriverId>> {
        self.managers.drivers().await
    }

    async fn reap(&self, id: &DriverId) -> io::Result<()> {
        let deleted = self.managers.delete(id).await;
        deleted.map_err(io::Error::other)
    }

    fn files(&self, id: &DriverId) -> Arc<dyn DriverFiles> {
        let files = LocalFiles::of(&self.config.drivers, id);
        let files = files.with_reserve(self.config.disk_reserve);
        let files = files.with_growth(Arc::clone(&self.growth));
        Arc::new(files.with_managers(Arc::clone(&self.managers)))
    }
}
