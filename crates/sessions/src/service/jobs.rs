//! The programmatic API: jobs, and files that are added to a session.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use livius_domain::{DriverId, JobId, ResourceId, ResourceSource, ResourceUse, SessionId};
use livius_store::NewResource;
use tokio::sync::oneshot;

use super::{Sessions, ask, unanswered};
use crate::actor::{Message, Resource};
use crate::board::output_view;
use crate::error::SessionError;
use crate::registry::Entry;
use crate::request;
use crate::upload::{self, Arrival, Upload};
use crate::view::{JobView, NewJob, NewUpload, SessionRef};

/// How long a request waits for the driver to add a file. What takes longer is added all the same, and what comes after it waits for it.
const RESOURCE_WAIT: Duration = Duration::from_mins(1);

impl Sessions {
    /// Posts a job: it is stored, and runs as soon as the driver can be reached, beside statements and other jobs.
    pub async fn submit_job(
        &self,
        which: &SessionRef,
        new: NewJob,
    ) -> Result<JobView, SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        ask(&entry, |reply| Message::SubmitJob { new, reply }).await?
    }

    /// A job, over or not.
    pub async fn job(&self, which: &SessionRef, job: JobId) -> Result<JobView, SessionError> {
        let session = match self.live(which) {
            Some(entry) => entry.id,
            None => self.stored(which).await?.id,
        };
        let stored = self.store().job(session, job).await?;
        let stored = stored.ok_or(SessionError::JobNotFound(job))?;
        Ok(JobView {
            record: stored.record,
            result: output_view(stored.result),
        })
    }

    /// A piece of a long result.
    pub async fn job_chunk(
        &self,
        session: SessionId,
        job: JobId,
        index: u32,
    ) -> Result<Option<String>, SessionError> {
        Ok(self.store().job_chunk(session, job, index).await?)
    }

    /// Cancels a job; one that is over, or never was, needs no cancelling.
    pub async fn cancel_job(&self, which: &SessionRef, job: JobId) -> Result<(), SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        ask(&entry, |reply| Message::CancelJob { job, reply }).await?
    }

    /// Adds a file that the driver can get by itself. See [`Sessions::finish_upload`] for the answer.
    pub async fn add_resource(
        &self,
        which: &SessionRef,
        used_as: ResourceUse,
        uri: String,
    ) -> Result<(), SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        let name = request::check_resource(self.config(), &uri)?;
        let place = self.resource_place(&entry)?;
        let resource = Resource {
            new: NewResource {
                used_as,
                name,
                source: ResourceSource::Uri { uri },
            },
            place: Some(place),
            arrival: None,
        };
        self.hand_over(&entry, resource).await
    }

    /// Makes room for a file that a client is about to send.
    pub async fn begin_upload(
        &self,
        which: &SessionRef,
        new: NewUpload,
    ) -> Result<Upload, SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        let view = entry.view();
        let (true, Some(driver)) = (view.record.state.accepts_statements(), &view.record.driver)
        else {
            return Err(SessionError::not_active(&view.record.state));
        };
        request::check_resource_name(&new.name)?;
        let place = self.resource_place(&entry)?;
        let arrival = Arrival::begin(&driver.dir, place).map_err(SessionError::Upload)?;
        Ok(Upload {
            entry,
            new,
            arrival,
        })
    }

    /// Adds a file that has arrived. While the session runs the answer is the driver's; while it starts, or when the driver takes long, that the file
    /// is kept and will be added before anything that is posted later begins.
    pub async fn finish_upload(&self, upload: Upload) -> Result<(), SessionError> {
        let Upload {
            entry,
            new,
            mut arrival,
        } = upload;
        let resource = Resource {
            new: NewResource {
                used_as: new.used_as,
                name: new.name,
                source: ResourceSource::Upload,
            },
            place: arrival.place.take(),
            arrival: Some(arrival),
        };
        self.hand_over(&entry, resource).await
    }

    /// Where an uploaded file is that a driver is to have, if there is one.
    pub fn uploaded(&self, driver: &DriverId, resource: ResourceId) -> Option<Utf8PathBuf> {
        let entry = self.registry().find_driver(driver)?;
        let dir = entry.view().record.driver.as_ref()?.dir.clone();
        Some(upload::stored(&dir, resource))
    }

    fn resource_place(
        &self,
        entry: &Entry,
    ) -> Result<tokio::sync::OwnedSemaphorePermit, SessionError> {
        Arc::clone(&entry.resource_places)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManyResources {
                session: entry.id,
                limit: self.config().limits.pending_resources,
            })
    }

    async fn hand_over(&self, entry: &Entry, resource: Resource) -> Result<(), SessionError> {
        let (added, answer) = oneshot::channel();
        let message = |reply| Message::AddResource {
            resource,
            added,
            reply,
        };
        ask(entry, message).await??;
        if entry.view().record.state.is_starting() {
            return Ok(());
        }
        match tokio::time::timeout(RESOURCE_WAIT, answer).await {
            Ok(Ok(added)) => added.map_err(SessionError::ResourceRefused),
            Ok(Err(_)) => Err(unanswered(entry)),
            Err(_) => Ok(()),
        }
    }
}
