//! Requests of agents: they connect, and fetch the files that clients uploaded for them.

use livius_agent_link::{AgentKey, AgentSocket};
use livius_domain::{DriverId, ResourceId};
use livius_launch::Uploaded;

use super::Sessions;
use crate::driver::AgentAccess;
use crate::error::{AttachRefused, SessionError};

impl Sessions {
    /// The key by which a driver's agent and the server know each other.
    pub async fn agent_access(&self, driver: &DriverId) -> Result<AgentAccess, AttachRefused> {
        self.core.drivers.access(driver).await
    }

    /// Lets an agent in that has connected and has proved that it knows the key.
    pub async fn attach(
        &self,
        driver: &DriverId,
        key: &AgentKey,
        socket: AgentSocket,
    ) -> Result<(), AttachRefused> {
        let driver = self.core.drivers.current(driver, key)?;
        let attached = driver.attach(socket).await;
        attached.map_err(|()| AttachRefused::Unavailable)
    }

    /// Opens an uploaded file that a driver is to have, if there is one.
    pub async fn uploaded(
        &self,
        driver: &DriverId,
        resource: ResourceId,
    ) -> Result<Option<Uploaded>, SessionError> {
        match self.core.drivers.registry.find(driver) {
            Some(driver) => {
                let uploaded = driver.files.uploaded(resource).await;
                uploaded.map_err(SessionError::Upload)
            }
            None => Ok(None),
        }
    }
}
