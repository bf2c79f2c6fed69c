//! A driver that was started, and the result of a search for one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{AppInfo, Departure, DriverLocation};

/// A started driver.
#[async_trait]
pub trait RunningDriver: Send + Sync {
    /// The location by which [`crate::Launcher::find`] finds it after a restart of the server.
    fn location(&self) -> DriverLocation;

    /// Waits until the driver and everything it started are gone. Several tasks may wait, each as
    /// often as it likes. The log of a driver on another machine is copied only while one waits.
    async fn ended(&self) -> Departure;

    /// Waits until the resource manager's description of the application differs from `known`. Never
    /// returns where there is none. A caller may drop the wait.
    async fn sighted(&self, _known: Option<&Sighting>) -> Sighting {
        std::future::pending().await
    }

    /// Ends the driver with everything it started: asks first, and forces it after the grace.
    /// Returns when nothing is left.
    async fn terminate(&self, grace: Duration) -> Departure;
}

/// A resource manager's description of an application that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its id and its addresses. The resource manager's word counts more than the application's own:
    /// its address of Spark's pages is the one that users reach.
    pub app: AppInfo,
    /// Why it does not run yet, in a sentence without an end.
    pub waits: Option<String>,
}

/// The result of a search for a driver.
pub enum Found {
    /// It runs.
    Alive(Arc<dyn RunningDriver>),
    /// It ran and ended like this. Nothing of it is left.
    Ended(Departure),
    /// It certainly never had a process. It can be launched under the same name.
    NeverStarted,
    /// It cannot be looked for now, for this reason. Nothing was changed: look again later.
    Unclear(String),
}

impl Found {
    /// The driver, if it runs.
    pub fn alive(self) -> Option<Arc<dyn RunningDriver>> {
        match self {
            Self::Alive(driver) => Some(driver),
            Self::Ended(_) | Self::NeverStarted | Self::Unclear(_) => None,
        }
    }
}
