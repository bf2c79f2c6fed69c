//! Requests that wait for a session, a statement or a job.
//!
//! Each is answered as soon as its client has what it waits for, and at its deadline otherwise. When
//! the server begins to shut down, all of them are answered at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use livius_domain::{JobId, StatementId};
use tokio::time::Instant;

use super::ActingOnSessions;
use crate::action::Action;
use crate::entry::Entry;
use crate::error::SessionError;
use crate::feed;
use crate::view::{JobView, SessionRef, SessionView, StatementView};

impl ActingOnSessions<'_> {
    /// A session when it is as the client wants it, or at the deadline.
    pub async fn get_when(
        &self,
        which: &SessionRef,
        deadline: Instant,
        wanted: impl Fn(&SessionView) -> bool,
    ) -> Result<Arc<SessionView>, SessionError> {
        let mut looks = self.looks(which, deadline)?;
        loop {
            let view = self.get(which).await?;
            if wanted(&view) || view.record.state.is_ended() || !looks.again().await {
                return Ok(view);
            }
        }
    }

    /// A statement when it has ended, or at the deadline.
    pub async fn ended_statement(
        &self,
        which: &SessionRef,
        statement: StatementId,
        deadline: Instant,
    ) -> Result<StatementView, SessionError> {
        let mut looks = self.looks(which, deadline)?;
        loop {
            let view = self.statement(which, statement).await?;
            if view.record.state.is_final() || !looks.again().await {
                return Ok(view);
            }
        }
    }

    /// A job when it has ended, or at the deadline.
    pub async fn ended_job(
        &self,
        which: &SessionRef,
        job: JobId,
        deadline: Instant,
    ) -> Result<JobView, SessionError> {
        let mut looks = self.looks(which, deadline)?;
        // Only the store has the job. It is asked once, and not at each change of the session.
        while looks.is_open(job) && looks.again().await {}
        self.job(which, job).await
    }

    fn looks(&self, which: &SessionRef, deadline: Instant) -> Result<Looks, SessionError> {
        let entry = self.live(which, Action::Read)?;
        Ok(Looks(entry.map(|entry| {
            entry.waiting.fetch_add(1, Ordering::Relaxed);
            let looks = entry.mailbox.feed.looks(deadline, &self.core.lifecycle);
            (entry, looks)
        })))
    }
}

/// The looks of a client at a session. There is one at a session that has ended. As long as this
/// lives, the client is present.
struct Looks(Option<(Arc<Entry>, feed::Looks<SessionView>)>);

impl Looks {
    fn is_open(&self, job: JobId) -> bool {
        let entry = self.0.as_ref().map(|(entry, _)| entry);
        entry.is_some_and(|entry| entry.open_jobs.contains(job))
    }

    async fn again(&mut self) -> bool {
        match &mut self.0 {
            Some((_, looks)) => looks.again().await,
            None => false,
        }
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        if let Some((entry, _)) = &self.0 {
            entry.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
