//! Durable files that were added to sessions.

use async_trait::async_trait;
use livius_domain::{ResourceRecord, ResourceSource, ResourceUse, SessionId};

use crate::StoreError;

/// A file to be added to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// What it is for.
    pub used_as: ResourceUse,
    /// What it is called: one component of a path.
    pub name: String,
    /// Where it comes from.
    pub source: ResourceSource,
}

/// Everything durable about files that are added to sessions.
#[async_trait]
pub trait ResourceStore: Send + Sync {
    /// Gives a file its number, counting from 1 within the session and never used again, and stores it as pending.
    async fn create_resource(
        &self,
        session: SessionId,
        new: NewResource,
    ) -> Result<ResourceRecord, StoreError>;

    /// Stores how far its addition is.
    async fn update_resource(&self, record: &mut ResourceRecord) -> Result<(), StoreError>;

    /// The pending ones, by number. Rows that cannot be read are left out.
    async fn pending_resources(
        &self,
        session: SessionId,
    ) -> Result<Vec<ResourceRecord>, StoreError>;
}
