//! Requests of agents: they connect, and fetch files that their sessions are to have.

use livius_agent_link::{AgentKey, AgentSocket};
use livius_domain::{DriverId, ResourceId, ResourceSource};
use livius_launch::FileContent;

use super::Sessions;
use crate::driver::{AgentAccess, DriverHandle};
use crate::error::{AttachRefused, SessionError};
use crate::request;

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

    /// Opens a file that a driver is to have from the server, if there is one: a client has uploaded
    /// it, or it is a file of this machine and the driver runs on another one.
    pub async fn sent_file(
        &self,
        driver: &DriverId,
        resource: ResourceId,
    ) -> Result<Option<FileContent>, SessionError> {
        let Some(driver) = self.core.drivers.registry.find(driver) else {
            return Ok(None);
        };
        let uploaded = driver.files.uploaded(resource).await;
        match uploaded.map_err(SessionError::Upload)? {
            Some(uploaded) => Ok(Some(uploaded)),
            None => self.named_file(&driver, resource).await,
        }
    }

    /// The same for a file that a request has named. A driver that can open the file by itself does
    /// not get it from the server, which may have more rights.
    async fn named_file(
        &self,
        driver: &DriverHandle,
        resource: ResourceId,
    ) -> Result<Option<FileContent>, SessionError> {
        let sees = driver.files.sees_this_machine().await;
        if sees.map_err(SessionError::Upload)? {
            return Ok(None);
        }
        let mut live = self.core.registry.all().into_iter();
        let Some(session) = live.find(|entry| entry.driver.id == driver.id) else {
            return Ok(None);
        };
        let pending = self.core.store.pending_resources(session.id).await?;
        let wanted = pending.into_iter().find(|record| record.id == resource);
        match wanted.map(|record| record.source) {
            Some(ResourceSource::Uri { uri }) => request::open(&self.core.config, &uri).await,
            Some(ResourceSource::Upload) | None => Ok(None),
        }
    }
}
