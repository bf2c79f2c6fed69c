//! A cluster: the entry to everything that this crate does.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use livius_domain::Clock;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::sync::Notify;

use crate::application::{Application, with_tags};
use crate::attempt::{self, Attempt};
use crate::container::Container;
use crate::error::YarnError;
use crate::follow::{Follower, Registry};
use crate::http::{Http, Request};
use crate::ids::ApplicationId;
use crate::info::{self, ManagerReport};
use crate::logs::{self, LogFile, LogPart};
use crate::managers::Managers;
use crate::site::Site;
use crate::watcher::Watcher;

/// The longest response to a kill.
const LONGEST_ANSWER: usize = 64 << 10;

/// How to talk to a cluster.
#[derive(Debug, Clone)]
pub struct Config {
    /// The user of every request, for clusters that believe it. Others want Kerberos.
    pub user: String,
    /// The pause between two lists of the followed applications.
    pub tick: Duration,
    /// The limit of each request, with its response.
    pub timeout: Duration,
}

impl Config {
    /// The configuration for a user, with a list every two seconds.
    pub fn of(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            tick: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
        }
    }
}

/// A cluster of YARN. Clones are cheap, and stand for the same cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    managers: Arc<Managers>,
    registry: Arc<Registry>,
}

impl Cluster {
    /// Makes a cluster. Sends no request yet. The caller runs the watcher in a task, or followers
    /// learn nothing.
    pub fn new(
        site: Site,
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Watcher), YarnError> {
        let http = Http::new(config.user, config.timeout)?;
        let managers = Arc::new(Managers::new(http, site));
        let wake = Arc::new(Notify::new());
        let registry = Arc::new(Registry::new(Arc::clone(&wake)));
        let watcher = Watcher {
            managers: Arc::clone(&managers),
            registry: Arc::downgrade(&registry),
            wake,
            clock,
            tick: config.tick,
        };
        Ok((Self { managers, registry }, watcher))
    }

    /// Follows the applications with a tag. The watcher begins with the first follower, and rests
    /// after the last one.
    pub fn follow(&self, tag: &str) -> Follower {
        self.registry.follow(tag)
    }

    /// The applications with a tag, now, the newest first.
    pub async fn find(&self, tag: &str) -> Result<Vec<Application>, YarnError> {
        let tag = tag.to_ascii_lowercase();
        let mut found = with_tags(&self.managers, std::slice::from_ref(&tag)).await?;
        found.retain(|one| one.tags.contains(&tag));
        found.sort_by_key(|one| Reverse(one.id));
        Ok(found)
    }

    /// Asks the cluster to kill an application. It ends a little later. An ended one stays as it is.
    pub async fn kill(&self, app: ApplicationId) -> Result<(), YarnError> {
        let request = Request {
            path: &["ws", "v1", "cluster", "apps", &app.to_string(), "state"],
            query: &[],
            body: Some(&json!({"state": "KILLED"})),
        };
        let answer = self.managers.ask::<IgnoredAny>(request, LONGEST_ANSWER);
        answer.await.map(drop)
    }

    /// The attempts to run an application, in order, with the reason of each. At most the last ten.
    pub async fn attempts(&self, app: ApplicationId) -> Result<Vec<Attempt>, YarnError> {
        attempt::of(&self.managers, app).await
    }

    /// The containers of an attempt that run now, that of the master among them.
    pub async fn containers(
        &self,
        app: ApplicationId,
        attempt: u32,
    ) -> Result<Vec<Container>, YarnError> {
        attempt::containers(&self.managers, app, attempt).await
    }

    /// Tells whether a server of the cluster has the logs of ended applications.
    pub fn keeps_logs(&self) -> bool {
        self.managers.site.log_server().is_some()
    }

    /// The log files of a container: those at its NodeManager, or the aggregated ones after the
    /// application's end. In between, a NodeManager has forgotten the containers that ended, and
    /// nothing has their logs.
    pub async fn log_files(&self, container: &Container) -> Result<Vec<LogFile>, YarnError> {
        logs::Reader::new(&self.managers, container).files().await
    }

    /// Reads a log file from a place on, at most so many bytes. The daemons send the start or the
    /// end of a file, so a read from the middle of a long one costs half of it.
    pub async fn read_log(
        &self,
        container: &Container,
        file: &str,
        from: u64,
        at_most: usize,
    ) -> Result<LogPart, YarnError> {
        let reader = logs::Reader::new(&self.managers, container);
        reader.part(file, from, at_most).await
    }

    /// Every ResourceManager's words about itself.
    pub async fn info(&self) -> Vec<ManagerReport> {
        info::of_all(&self.managers).await
    }
}
