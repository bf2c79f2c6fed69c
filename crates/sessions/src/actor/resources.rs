//! The actor and the files that are added to its session.

use std::collections::BTreeMap;

use livius_agent_link::Command;
use livius_domain::{ResourceId, ResourceRecord, ResourceSource, ResourceState};
use livius_failpoint::{Point, reach};
use livius_launch::PendingUpload;
use tokio::sync::OwnedSemaphorePermit;

use super::Actor;
use super::words::shortened;
use crate::error::SessionError;
use crate::message::{Added, Resource};
use crate::request;

/// The files that the driver does not have yet.
pub(super) type Pending = BTreeMap<ResourceId, Waiting>;

/// One of them.
pub(super) struct Waiting {
    record: ResourceRecord,
    #[expect(dead_code, reason = "it is held until the driver has the file")]
    place: Option<OwnedSemaphorePermit>,
    added: Option<Added>,
}

impl Actor {
    /// Stores a new file, and tells the driver if it can be reached. An uploaded file is in its place
    /// before that: a request whose key is stored is not done again, so a server that dies then must have
    /// left both.
    pub(super) async fn add_resource(
        &mut self,
        resource: Resource,
        added: Added,
    ) -> Result<(), SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        let Resource { new, place, upload } = resource;
        let placed = match upload {
            Some(upload) => Some(self.place(upload).await?),
            None => None,
        };
        let record = self.core.store.create_resource(self.record.id, new).await;
        if let (Err(_), Some(id)) = (&record, placed) {
            // A file that stays is removed when the session is taken up, or ends.
            let _ = self.entry.driver.files.discard_upload(id).await;
        }
        let record = record.map_err(SessionError::not_created)?;
        reach(Point::UploadStored);
        self.record.last_activity = self.core.clock.now();
        self.publish();
        let waiting = Waiting {
            record,
            place,
            added: Some(added),
        };
        if self.is_reachable() {
            let command = self.add_command(&waiting.record).await;
            self.send(command);
        }
        self.pending.insert(waiting.record.id, waiting);
        reach(Point::UploadHandedOver);
        Ok(())
    }

    /// Puts an uploaded file where the driver finds it under its number.
    async fn place(&self, upload: Box<dyn PendingUpload>) -> Result<ResourceId, SessionError> {
        let id = self.core.store.next_resource(self.record.id).await?;
        upload.place(id).await.map_err(SessionError::Upload)?;
        reach(Point::UploadPlaced);
        Ok(id)
    }

    /// Tells the driver about all files that it does not have. It ignores files that it knows.
    pub(super) async fn hand_over_resources(&mut self) {
        for waiting in self.pending.values() {
            let command = self.add_command(&waiting.record).await;
            self.send(command);
        }
    }

    /// The command for the agent. Without a URI the agent fetches the file from the server.
    async fn add_command(&self, record: &ResourceRecord) -> Command {
        let uri = match &record.source {
            ResourceSource::Uri { uri } if !self.must_be_sent(uri).await => Some(uri.clone()),
            ResourceSource::Uri { .. } | ResourceSource::Upload => None,
        };
        Command::Resource {
            resource: record.id,
            used_as: record.used_as,
            name: record.name.clone(),
            uri,
        }
    }

    /// Whether the server has to send the driver the file of this URI, because it is a file of the
    /// server's machine and the driver runs on another one.
    async fn must_be_sent(&self, uri: &str) -> bool {
        if !request::is_on_this_machine(uri) {
            return false;
        }
        match self.entry.driver.files.sees_this_machine().await {
            Ok(sees) => !sees,
            Err(error) => {
                tracing::warn!(session.id = %self.record.id, %error, "cannot tell where the driver runs");
                false
            }
        }
    }

    pub(super) async fn resource_added(
        &mut self,
        id: ResourceId,
        error: Option<String>,
    ) -> Result<(), SessionError> {
        let Some(waiting) = self.pending.get(&id) else {
            return Ok(());
        };
        let error = error.map(shortened);
        let state = match &error {
            None => ResourceState::Added,
            Some(error) => ResourceState::Failed {
                error: error.clone(),
            },
        };
        let mut record = ResourceRecord {
            state,
            ..waiting.record.clone()
        };
        self.core.store.update_resource(&mut record).await?;
        reach(Point::UploadAddedStored);
        self.discard(&record).await;
        reach(Point::UploadDiscarded);
        if let Some(error) = &error {
            tracing::info!(session.id = %self.record.id, resource.name = record.name, reason = error, "a file cannot be added");
        }
        let refused =
            error.map(|error| format!("{} cannot be added to the session: {error}", record.name));
        if let Some(added) = self.pending.remove(&id).and_then(|waiting| waiting.added) {
            let _ = added.send(refused.map_or(Ok(()), Err));
        }
        Ok(())
    }

    /// Drops the server's copy of an uploaded file, which the driver has fetched.
    async fn discard(&self, record: &ResourceRecord) {
        if record.source != ResourceSource::Upload {
            return;
        }
        if let Err(error) = self.entry.driver.files.discard_upload(record.id).await {
            tracing::warn!(session.id = %record.session, %error, "cannot remove an uploaded file");
        }
    }

    /// Takes up the files of a session found in the store. They are the first to have places,
    /// whatever the limit is now.
    pub(super) async fn recover_resources(&mut self) -> Result<(), SessionError> {
        let records = self.core.store.pending_resources(self.record.id).await?;
        let wanted: Vec<ResourceId> = records.iter().map(|record| record.id).collect();
        if let Err(error) = self.entry.driver.files.sweep_uploads(&wanted).await {
            tracing::warn!(session.id = %self.record.id, %error, "cannot remove what is left of an upload");
        }
        for record in records {
            let places = std::sync::Arc::clone(&self.entry.resource_places);
            let waiting = Waiting {
                place: places.try_acquire_owned().ok(),
                added: None,
                record,
            };
            self.pending.insert(waiting.record.id, waiting);
        }
        Ok(())
    }

    /// Fails the pending files, because the driver is gone. Requests that wait for them get their
    /// response after the actor has published the session's end.
    pub(super) async fn end_resources(&self) -> Result<(), SessionError> {
        let store = &self.core.store;
        for record in store.pending_resources(self.record.id).await? {
            let state = ResourceState::Failed {
                error: "the session ended".to_owned(),
            };
            store
                .update_resource(&mut ResourceRecord { state, ..record })
                .await?;
        }
        Ok(())
    }
}
