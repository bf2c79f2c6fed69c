//! Requests of agents: they connect, and fetch the files that clients uploaded for them.

use livius_agent_link::AgentSocket;
use livius_domain::{DriverId, ResourceId};
use livius_launch::Uploaded;

use super::Sessions;
use crate::error::{AttachRefused, SessionError};

impl Sessions {
    /// Tells whether an agent may connect.
    pub fn authorise(&self, driver: &DriverId, token: &str) -> Result<(), AttachRefused> {
        let driver = self.core.drivers.registry.find(driver);
        if driver.ok_or(AttachRefused::UnknownDriver)?.is_token(token) {
            Ok(())
        } else {
            Err(AttachRefused::WrongToken)
        }
    }

    /// Lets an agent in that has connected.
    pub async fn attach(
        &self,
        driver: &DriverId,
        token: &str,
        socket: AgentSocket,
    ) -> Result<(), AttachRefused> {
        self.authorise(driver, token)?;
        let driver = self.core.drivers.registry.find(driver);
        let driver = driver.ok_or(AttachRefused::UnknownDriver)?;
        driver
            .attach(socket)
            .await
            .map_err(|()| AttachRefused::UnknownDriver)
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
