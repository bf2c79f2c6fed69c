//! Starts drivers on this machine, each under a supervisor of its own.

use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8Path;
use livius_domain::{Clock, Failure, FailureCode, Phase, ProcessRecord, Verdict, chain};
use livius_spark_home::{ConfError, Found, Search, Toolchain, ToolchainError, files};
use tokio::sync::Mutex;

use crate::command::{CommandError, Ground, Plan};
use crate::driver_dir::DriverDir;
use crate::starting::{StartError, Started};
use crate::supervised::Supervised;
use crate::{DriverOrder, DriverProcess, Gone, Launcher, verdict};

/// What the launcher needs to know.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Where Spark and Java are.
    pub search: Search,
    /// How to start a supervisor; the driver's directory is appended. Usually `[<this program>, "supervise"]`.
    pub supervisor: Vec<String>,
}

/// Starts drivers on this machine.
pub struct LocalLauncher {
    config: Arc<LocalConfig>,
    clock: Arc<dyn Clock>,
    toolchain: Mutex<Option<Arc<Toolchain>>>,
}

/// Why a driver could not be started.
#[derive(Debug, thiserror::Error)]
enum LaunchError {
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Conf(#[from] ConfError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("write the driver's files")]
    Write(#[source] std::io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("watch the driver")]
    Watch(#[source] std::io::Error),
    #[error("work on the launch to its end")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl LaunchError {
    fn hint(&self) -> String {
        match self {
            Self::Toolchain(error) => error.hint(),
            Self::Conf(_) => "correct the file in Spark's configuration directory".to_owned(),
            Self::Command(_) => "correct what was asked for, or spark-defaults.conf".to_owned(),
            Self::Write(_) => {
                "check that the data directory can be written to and has space".to_owned()
            }
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
    /// Makes a launcher. Nothing is looked at or started before the first driver, or [`LocalLauncher::prepare`].
    pub fn new(config: LocalConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            config: Arc::new(config),
            clock,
            toolchain: Mutex::new(None),
        }
    }

    /// Does ahead of time what the first driver would have to wait for: finding Spark and Java, compiling the agent.
    pub async fn prepare(&self) -> Result<Found, Failure> {
        self.toolchain()
            .await
            .map(|toolchain| toolchain.found.clone())
            .map_err(LaunchError::into_failure)
    }

    /// What drivers have in common. It is worked out anew when the Spark was exchanged, or was not there before.
    async fn toolchain(&self) -> Result<Arc<Toolchain>, LaunchError> {
        let mut kept = self.toolchain.lock().await;
        let before = kept.clone();
        let config = Arc::clone(&self.config);
        let toolchain = blocking(move || Ok(Toolchain::prepare(&config.search, before)?)).await?;
        *kept = Some(Arc::clone(&toolchain));
        Ok(toolchain)
    }

    async fn start(&self, order: DriverOrder) -> Result<Supervised, LaunchError> {
        let toolchain = self.toolchain().await?;
        let config = Arc::clone(&self.config);
        let started = blocking(move || start(&config, &toolchain, &order)).await?;
        started
            .watched(Arc::clone(&self.clock))
            .map_err(LaunchError::Watch)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LaunchError> + Send + 'static,
) -> Result<T, LaunchError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LaunchError::Interrupted(error)))
}

fn start(
    config: &LocalConfig,
    toolchain: &Toolchain,
    order: &DriverOrder,
) -> Result<Started, LaunchError> {
    let conf = toolchain.conf(&config.search)?;
    let ground = Ground {
        spark: &toolchain.found.spark,
        java: &toolchain.found.java,
        agent_jar: &toolchain.agent_jar,
        flags: &toolchain.flags,
        conf: &conf,
    };
    let plan = Plan::of(ground, order)?;
    let dir = DriverDir::new(&order.dir);
    let started = write(&dir, &plan)
        .map_err(LaunchError::Write)
        .and_then(|()| Ok(Started::spawn(&config.supervisor, &dir, &plan.command)?));
    started.inspect_err(|_| dir.remove_secrets())
}

fn write(dir: &DriverDir, plan: &Plan) -> std::io::Result<()> {
    files::private_dir(&dir.temporary())?;
    for (path, text) in &plan.files {
        files::write_private(path, text.as_bytes())?;
    }
    dir.write_command(&plan.command)
}

#[async_trait]
impl Launcher for LocalLauncher {
    async fn launch(&self, order: DriverOrder) -> Result<Box<dyn DriverProcess>, Failure> {
        let started = self.start(order).await.map_err(LaunchError::into_failure)?;
        Ok(Box::new(started))
    }

    async fn adopt(
        &self,
        dir: &Utf8Path,
        record: Option<&ProcessRecord>,
    ) -> Result<Box<dyn DriverProcess>, Gone> {
        let found = Supervised::adopt(DriverDir::new(dir), record, Arc::clone(&self.clock)).await?;
        Ok(Box::new(found))
    }

    async fn verdict(&self, dir: &Utf8Path) -> Option<Verdict> {
        let path = DriverDir::new(dir).verdict_file();
        tokio::task::spawn_blocking(move || verdict::read(&path))
            .await
            .ok()
            .flatten()
    }
}
