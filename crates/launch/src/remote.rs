//! A driver of which a part is on a cluster that the server itself asks: an application on YARN, pods
//! on Kubernetes.
//!
//! In cluster mode the supervised process of this machine only submits the driver, and ends. From then
//! on the resource manager tells about it. In client mode the driver is the supervised process, and
//! the cluster has its executors.
//!
//! ```text
//! place written ─> supervisor recorded ─> submitter runs ─> submitter ended ─> application final
//! ```
//!
//! The place is in the driver's directory before anything starts, so a server that died at any step
//! finds the application.

mod watched;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{Departure, DriverLocation, chain};
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, watch};
use tokio::time::sleep;

pub(crate) use self::watched::{Last, Watched, last_seen};
use crate::{Found, RunningDriver, Sighting};

/// The pause before an application that still runs is ended again.
const KILL_AGAIN: Duration = Duration::from_secs(2);
/// How long the end of a driver on this machine waits for that of its executors' application. That
/// ends by itself when it has lost its driver.
const TIDYING: Duration = Duration::from_secs(30);
/// The grace of a submitter: it has nothing to clean up.
const SUBMITTER_GRACE: Duration = Duration::from_secs(2);

/// Runs a task in the background until the server stops.
pub type Spawn = Arc<dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync>;

/// The part of a driver that is on the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// The driver is a process of this machine, and the cluster has its executors.
    Client,
    /// The driver is on the cluster.
    Cluster,
}

/// Why a resource manager gives no answer.
pub(crate) type Unanswered = Box<dyn std::error::Error + Send + Sync>;

/// The part of one driver that a resource manager runs: its application.
#[async_trait]
pub(crate) trait Remote: Send + Sync {
    /// The name of the application, for the server's log.
    fn name(&self) -> &str;

    fn mode(&self) -> Mode;

    /// Whether the application runs, as far as can be told now.
    async fn lives(&self) -> Result<bool, Unanswered>;

    /// Waits until the application has ended and nothing is left of it. The submission has ended like
    /// this.
    async fn ended(&self, submission: Departure) -> Departure;

    /// Waits until the manager's description differs from `known`.
    async fn sighted(&self, known: Option<&Sighting>) -> Sighting;

    /// The driver's executors there.
    fn executors(&self) -> &dyn Executors;

    /// Saves what the application's end may take away.
    async fn before_kill(&self);

    /// Asks for the end of everything of the driver that runs there, and counts that.
    async fn kill_each(&self, grace: Duration) -> Result<usize, Unanswered>;
}

/// Tells that a driver has ended. One whose other end is gone tells it too.
pub(crate) struct Over(watch::Receiver<bool>);

impl Over {
    /// Makes one, and the sender that tells it.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub(crate) async fn told(&mut self) {
        let _ = self.0.wait_for(|over| *over).await;
    }
}

/// The executors of one driver, as a resource manager runs them.
#[async_trait]
pub(crate) trait Executors: Send + Sync {
    /// Writes down which there are, and brings some of their logs. When the driver is over, brings the
    /// rest, or sees to it that the rest is brought.
    async fn keep(&self, over: Over);
}

/// A driver that has such a part.
pub(crate) struct RemoteDriver {
    process: Process,
    location: DriverLocation,
    remote: Box<dyn Remote>,
    end: OnceCell<Departure>,
}

/// The process of this machine: the submitter in cluster mode, the driver in client mode.
enum Process {
    Running(Arc<dyn RunningDriver>),
    Gone(Departure),
}

impl RemoteDriver {
    /// A driver whose process was just started.
    pub(crate) fn started(
        process: Arc<dyn RunningDriver>,
        location: DriverLocation,
        remote: Box<dyn Remote>,
    ) -> Self {
        Self {
            process: Process::Running(process),
            location,
            remote,
            end: OnceCell::new(),
        }
    }

    /// Completes the result of a search for the process of this machine.
    pub(crate) async fn find(
        process: Found,
        location: DriverLocation,
        remote: Box<dyn Remote>,
    ) -> Found {
        let process = match process {
            Found::Alive(process) => Process::Running(process),
            Found::Ended(departure) => Process::Gone(departure),
            other @ (Found::NeverStarted | Found::Unclear(_)) => return other,
        };
        let driver = Self {
            process,
            location,
            remote,
            end: OnceCell::new(),
        };
        if driver.may_live().await {
            Found::Alive(Arc::new(driver))
        } else {
            Found::Ended(driver.ended().await)
        }
    }

    /// Whether the driver lives, as far as can be told now.
    async fn may_live(&self) -> bool {
        match (&self.process, self.remote.mode()) {
            (Process::Running(_), _) => true,
            (Process::Gone(_), Mode::Client) => false,
            // If the manager does not answer, the driver's agent may be connected all the same.
            (Process::Gone(_), Mode::Cluster) => self.remote.lives().await.unwrap_or(true),
        }
    }

    async fn process_ended(&self) -> Departure {
        match &self.process {
            Process::Running(process) => process.ended().await,
            Process::Gone(departure) => departure.clone(),
        }
    }

    async fn to_the_end(&self) -> Departure {
        match self.remote.mode() {
            Mode::Client => {
                let (tells, over) = Over::new();
                let local = async {
                    let local = self.process_ended().await;
                    tells.send_replace(true);
                    local
                };
                let kept = self.remote.executors().keep(over);
                let (local, ()) = tokio::join!(local, kept);
                let tidied = kill_all(&*self.remote, Duration::ZERO);
                if tokio::time::timeout(TIDYING, tidied).await.is_err() {
                    tracing::warn!(
                        application = self.remote.name(),
                        "could not end the application of a driver that is gone; its cluster ends it"
                    );
                }
                local
            }
            Mode::Cluster => self.remote.ended(self.process_ended().await).await,
        }
    }

    /// Ends the process of this machine, then every application that there is or that appears.
    async fn end_by_force(&self, grace: Duration) {
        if let Process::Running(process) = &self.process {
            let grace = match self.remote.mode() {
                Mode::Client => grace,
                Mode::Cluster => grace.min(SUBMITTER_GRACE),
            };
            process.terminate(grace).await;
        }
        self.remote.before_kill().await;
        loop {
            kill_all(&*self.remote, grace).await;
            sleep(KILL_AGAIN).await;
        }
    }
}

/// Ends every application of the driver, and returns when none is left.
pub(crate) async fn kill_all(remote: &dyn Remote, grace: Duration) {
    let mut told = false;
    loop {
        match remote.kill_each(grace).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if !told => {
                told = true;
                tracing::warn!(
                    application = remote.name(),
                    error = chain(&*error),
                    "cannot end an application; trying again"
                );
            }
            Err(_) => {}
        }
        sleep(KILL_AGAIN).await;
    }
}

#[async_trait]
impl RunningDriver for RemoteDriver {
    fn location(&self) -> DriverLocation {
        self.location.clone()
    }

    async fn ended(&self) -> Departure {
        self.end.get_or_init(|| self.to_the_end()).await.clone()
    }

    async fn sighted(&self, known: Option<&Sighting>) -> Sighting {
        self.remote.sighted(known).await
    }

    async fn terminate(&self, grace: Duration) -> Departure {
        tokio::select! {
            biased;
            // The manager's word, or the certainty that there is no application.
            departure = self.ended() => departure,
            // It goes on until then.
            () = self.end_by_force(grace) => self.ended().await,
        }
    }
}
