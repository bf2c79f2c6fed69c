//! Reports of the agents in batches' processes.

use std::time::Duration;

use livius_agent_link::AgentKey;
use livius_domain::{AppInfo, DriverId, DriverUse};

use tokio::time::Instant;

use super::Batches;
use crate::driver::{AgentAccess, DriverHandle};
use crate::error::{AttachRefused, SessionError};

/// The time that a report waits until clients see its effect.
const FOLLOW_WAIT: Duration = Duration::from_secs(2);

impl Batches {
    /// The key by which a driver's agent and the server know each other.
    pub async fn agent_access(&self, driver: &DriverId) -> Result<AgentAccess, AttachRefused> {
        self.core.drivers.access(driver).await
    }

    /// Takes the report of the agent in a batch's process that its application runs. A report that
    /// is taken is stored.
    pub async fn report(
        &self,
        driver: &DriverId,
        key: &AgentKey,
        app: AppInfo,
    ) -> Result<(), ReportRefused> {
        let driver = self.core.drivers.current(driver, key)?;
        let stored = driver.app_started(app).await;
        stored.map_err(|error| match error {
            Some(error) => ReportRefused::Store(error),
            None => ReportRefused::Agent(AttachRefused::Unavailable),
        })?;
        self.await_app(&driver).await;
        Ok(())
    }

    /// Waits until clients see a batch as its driver has reported it. The batch's actor follows the
    /// driver's at once, so the limit is only for a server that is overloaded.
    async fn await_app(&self, driver: &DriverHandle) {
        let DriverUse::Batch(id) = driver.made_for else {
            return;
        };
        let Some(entry) = self.core.registry.get(id) else {
            return;
        };
        let deadline = Instant::now() + FOLLOW_WAIT;
        let mut version = entry.mailbox.feed.version();
        loop {
            let record = &entry.view().record;
            if record.app == driver.view().app || record.state.is_ended() {
                return;
            }
            match entry.mailbox.feed.wait_past(version, deadline).await {
                Some(newer) => version = newer,
                None => return,
            }
        }
    }
}

/// The reason why the report of a batch's agent is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportRefused {
    /// It is not who it says, or its batch is over.
    #[error(transparent)]
    Agent(#[from] AttachRefused),
    /// It could not be stored: it is to say it again.
    #[error(transparent)]
    Store(#[from] SessionError),
}
