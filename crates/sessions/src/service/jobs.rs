//! Jobs of the programmatic API.

use livius_domain::{JobId, JobRecord, NewJob, SessionId};
use livius_store::{Found, PiecesOf};

use super::{ActingOnSessions, Sessions};
use crate::action::Action;
use crate::board::output_view;
use crate::error::SessionError;
use crate::message::Message;
use crate::view::{JobView, SessionRef};

impl ActingOnSessions<'_> {
    /// Posts a job: it is stored, and runs as soon as the driver can be reached. It waits for no
    /// statement and no other job.
    pub async fn submit_job(
        &self,
        which: &SessionRef,
        new: NewJob,
    ) -> Result<JobView, SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        let key = self.key.clone();
        entry
            .mailbox
            .ask(|reply| Message::SubmitJob { new, key, reply })
            .await?
    }

    /// A job, over or not.
    pub async fn job(&self, which: &SessionRef, job: JobId) -> Result<JobView, SessionError> {
        let session = self.id_of(which).await?;
        let stored = self.core.store.job(session, job).await?;
        let stored = stored.ok_or(SessionError::JobNotFound(job))?;
        Ok(JobView {
            record: stored.record,
            result: output_view(stored.result),
        })
    }

    /// A page of the session's jobs, newest first: those with a number below `before`. A long error is
    /// cut off.
    pub async fn jobs(
        &self,
        which: &SessionRef,
        before: Option<JobId>,
        limit: u64,
    ) -> Result<Found<JobRecord>, SessionError> {
        let session = self.id_of(which).await?;
        Ok(self.core.store.list_jobs(session, before, limit).await?)
    }

    /// Cancels a job; one that is over, or never was, needs no cancelling.
    pub async fn cancel_job(&self, which: &SessionRef, job: JobId) -> Result<(), SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        entry
            .mailbox
            .ask(|reply| Message::CancelJob { job, reply })
            .await?
    }
}

impl ActingOnSessions<'_> {
    async fn id_of(&self, which: &SessionRef) -> Result<SessionId, SessionError> {
        Ok(match self.live(which, Action::Read)? {
            Some(entry) => entry.id,
            None => self.stored(which, Action::Read).await?.id,
        })
    }
}

impl Sessions {
    /// A piece of the long result of a job that the caller was shown.
    pub async fn job_chunk(
        &self,
        session: SessionId,
        job: JobId,
        index: u32,
    ) -> Result<Option<String>, SessionError> {
        Ok(self
            .core
            .store
            .piece(PiecesOf::Job(session, job), index)
            .await?)
    }
}
