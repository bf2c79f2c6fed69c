//! Durable files that were added to sessions.

use async_trait::async_trait;
use livius_domain::{ResourceId, ResourceRecord, ResourceSource, ResourceUse, SessionId};

use crate::{NewKey, StoreError};

/// A new file of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// The use of the file.
    pub used_as: ResourceUse,
    /// The name of the file: one component of a path.
    pub name: String,
    /// The place where the file comes from.
    pub source: ResourceSource,
    /// The key of the request.
    pub key: Option<NewKey>,
}

/// Stores the files that are added to sessions.
#[async_trait]
pub trait ResourceStore: Send + Sync {
    /// Gives a file its number and stores it as pending. Files are numbered from 1 in each session,
    /// and no number is given twice.
    async fn create_resource(
        &self,
        session: SessionId,
        new: NewResource,
    ) -> Result<ResourceRecord, StoreError>;

    /// The number that the next file of a session gets. Its owner alone makes files of a session, so it can
    /// put a file in its place before it stores the record.
    async fn next_resource(&self, session: SessionId) -> Result<ResourceId, StoreError>;

    /// Stores the state of a file. The record must have the version of the row.
    async fn update_resource(&self, record: &mut ResourceRecord) -> Result<(), StoreError>;

    /// Reads the pending files, by number. Unreadable rows are left out.
    async fn pending_resources(
        &self,
        session: SessionId,
    ) -> Result<Vec<ResourceRecord>, StoreError>;
}
