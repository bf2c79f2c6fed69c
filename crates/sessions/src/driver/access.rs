//! Which agents the server knows, by the keys of their secrets.

use std::sync::Arc;

use livius_agent_link::AgentKey;
use livius_domain::{DriverId, chain};

use super::{DriverCore, DriverHandle};
use crate::error::AttachRefused;

/// The way in for the agent of a driver.
#[derive(Debug, Clone)]
pub struct AgentAccess {
    /// The key that the agent has to know. The server proves with it that it knows the driver.
    pub key: AgentKey,
    /// Whether the driver's session or batch is over, so that the agent is to end.
    pub is_over: bool,
}

impl DriverCore {
    /// The way in for the agent of a driver, live or over.
    pub async fn access(&self, id: &DriverId) -> Result<AgentAccess, AttachRefused> {
        if let Some(driver) = self.registry.find(id) {
            let key = driver.key().ok_or(AttachRefused::WrongToken)?;
            return Ok(AgentAccess {
                key,
                is_over: false,
            });
        }
        let found = self.store.driver(id).await.map_err(|error| {
            tracing::warn!(driver.id = %id, error = %chain(&error), "cannot look a driver up whose agent asks");
            AttachRefused::Unavailable
        })?;
        let driver = found.filter(|driver| driver.program == self.program);
        let driver = driver.ok_or(AttachRefused::UnknownDriver)?;
        if !driver.state.is_gone() {
            return Err(AttachRefused::Unavailable);
        }
        let hash = driver.token_hash.ok_or(AttachRefused::UnknownDriver)?;
        Ok(AgentAccess {
            key: AgentKey::of_hash(hash),
            is_over: true,
        })
    }

    /// The live driver whose agent has this key.
    pub fn current(
        &self,
        id: &DriverId,
        key: &AgentKey,
    ) -> Result<Arc<DriverHandle>, AttachRefused> {
        let driver = self.registry.find(id).ok_or(AttachRefused::Unavailable)?;
        match driver.key() {
            Some(current) if current.is(key) => Ok(driver),
            _ => Err(AttachRefused::WrongToken),
        }
    }
}
